"""`/ogc/`: OGC API Features, parts 1 (core, GeoJSON) and 2 (reference systems).

QGIS and GDAL open it directly. Everybody reads the public collections; whoever is signed in also
reads those of the own post, of the own sub-district. Programs show an access key for that.
"""

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from roadchief.accounts.access import Actor
from roadchief.accounts.access_keys import KeyNeeded
from roadchief.accounts.signin import current_or_none, opens_by_key, public
from roadchief.errors import NotFound, Refusal
from roadchief.lib import clock
from roadchief.maps import collections, features
from roadchief.maps.api import KEYS
from roadchief.maps.collections import Collection
from roadchief.maps.features import CRS84, MOST, SYSTEMS, USUAL, Wanted, bad
from roadchief.maps.views import subdistrict
from roadchief.streets import catalog
from roadchief.web import tenant_transaction
from roadchief.web.addresses import absolute
from roadchief.web.pages import language

pages = Blueprint("ogc", __name__, url_prefix="/ogc")
GEOJSON = "application/geo+json"
CONFORMS = [
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
]
OPEN = "public layers are facts on the ground; the others ask their action"
MOST_TEXT = 2000


@pages.get("/")
@public(OPEN, by_key=True)
def landing() -> Response:
    here = subdistrict()
    return jsonify(
        title=f"{here.name} · 路长制 RoadChief",
        description="路段、铺位、网格等空间数据 / segments, storefronts, grids and more",
        links=[
            _link("ogc.landing", "self"),
            _link(
                "ogc.description",
                "service-desc",
                kind="application/vnd.oai.openapi+json;version=3.0",
            ),
            _link("ogc.conformance", "conformance"),
            _link("ogc.listing", "data"),
        ],
    )


@pages.get("/conformance")
@public(OPEN, by_key=True)
def conformance() -> Response:
    return jsonify(conformsTo=CONFORMS)


@pages.get("/collections")
@public(OPEN, by_key=True)
def listing() -> Response:
    here = subdistrict()
    box = _extent(here.id)
    told = [_told(one, box) for one in collections.readable(own_actor(here.id))]
    return jsonify(links=[_link("ogc.listing", "self")], collections=told)


@pages.get("/collections/<name>")
@public(OPEN, by_key=True)
def collection(name: str) -> Response:
    here = subdistrict()
    return jsonify(_told(known_collection(name, here.id), _extent(here.id)))


@pages.get("/collections/<name>/queryables")
@public(OPEN, by_key=True)
def queryables(name: str) -> Response:
    known = known_collection(name, subdistrict().id)
    answer = jsonify(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": absolute("ogc.queryables", name=name),
            "type": "object",
            "title": _title(known),
            "properties": {key: _schema(one) for key, one in known.fields.items()},
            "additionalProperties": False,
        }
    )
    answer.mimetype = "application/schema+json"
    return answer


@pages.get("/collections/<name>/items")
@public(OPEN, by_key=True)
def items(name: str) -> Response:
    here = subdistrict()
    known = known_collection(name, here.id)
    wanted = wanted_of(known)
    with tenant_transaction(here.id) as session:
        found = features.page(session, known, wanted)
    asked = request.args.to_dict()
    links = [_link("ogc.items", "self", kind=GEOJSON, asked=asked, name=name)]
    if found.next_after:
        more = {**asked, "after": str(found.next_after)}
        links.append(_link("ogc.items", "next", kind=GEOJSON, asked=more, name=name))
    body = {
        "type": "FeatureCollection",
        "features": found.features,
        "numberReturned": len(found.features),
        "links": links,
    }
    return _geojson(body, wanted.crs)


@pages.get("/collections/<name>/items/<uuid:feature_id>")
@public(OPEN, by_key=True)
def item(name: str, feature_id: uuid.UUID) -> Response:
    here = subdistrict()
    known = known_collection(name, here.id)
    _refuse_unknown(set())
    crs = _system("crs")
    with tenant_transaction(here.id) as session:
        found = features.one(
            session, known, Wanted(limit=1, only=feature_id, crs=crs, **reader(known))
        )
    found["links"] = [
        _link("ogc.item", "self", kind=GEOJSON, name=name, feature_id=feature_id),
        _link("ogc.collection", "collection", name=name),
    ]
    return _geojson(found, crs)


@pages.get("/api")
@public(OPEN, by_key=True)
def description() -> Response:
    here = subdistrict()
    paths = {
        "/": _operation("landing page"),
        "/conformance": _operation("conformance classes"),
        "/collections": _operation("collections"),
    }
    for one in collections.readable(own_actor(here.id)):
        asked = [_parameter(key, _schema(each)) for key, each in one.fields.items()]
        paths[f"/collections/{one.name}"] = _operation(one.en)
        paths[f"/collections/{one.name}/items"] = _operation(one.en, [*COMMON, *asked])
    answer = jsonify(
        openapi="3.0.3",
        info={"title": "RoadChief OGC API Features", "version": "1"},
        servers=[{"url": absolute("ogc.landing").rstrip("/")}],
        paths=paths,
        components={"securitySchemes": KEYS},
        security=[{}, *({name: []} for name in KEYS)],
    )
    answer.mimetype = "application/vnd.oai.openapi+json;version=3.0"
    return answer


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in schema.items() if key in {"type", "format"}}
    return {"name": name, "in": "query", "required": False, "schema": plain}


COMMON = [
    _parameter("limit", {"type": "integer"}),
    _parameter("bbox", {"type": "string"}),
    _parameter("datetime", {"type": "string"}),
    _parameter("crs", {"type": "string"}),
    _parameter("bbox-crs", {"type": "string"}),
]


def _operation(what: str, parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    said = {"description": what, "content": {"application/json": {"schema": {"type": "object"}}}}
    return {"get": {"summary": what, "parameters": parameters or [], "responses": {"200": said}}}


def own_actor(subdistrict_id: int) -> Actor | None:
    """Whoever asks, where rights count: at home alone."""
    actor = current_or_none()
    return actor if actor and actor.subdistrict_id == subdistrict_id else None


def known_collection(name: str, subdistrict_id: int) -> Collection:
    """Programs learn that they have to show a key: theirs show none before they are asked."""
    found, actor = collections.COLLECTIONS.get(name), own_actor(subdistrict_id)
    if found and actor is None and not found.public and opens_by_key():
        raise KeyNeeded
    if found is None or not found.may_be_read_by(actor):
        raise NotFound
    return found


def wanted_of(known: Collection) -> Wanted:
    _refuse_unknown(set(known.fields) | {"limit", "after", "bbox", "bbox-crs", "datetime"})
    given = request.args
    crs, box_crs = _system("crs"), _system("bbox-crs")
    since = until = None
    if given.get("datetime"):
        since, until = features.read_time(given["datetime"])
    return Wanted(
        limit=_limit(given.get("limit")),
        after=_key(given.get("after")),
        box=features.read_box(given["bbox"], box_crs) if given.get("bbox") else None,
        since=since,
        until=until,
        timed=bool(given.get("datetime")),
        equals={name: given[name][:MOST_TEXT] for name in known.fields if name in given},
        crs=crs,
        **reader(known),
    )


def reader(known: Collection) -> dict[str, Any]:
    """Who reads and when, as `Wanted` takes it."""
    return {"values": known.values(current_or_none()), "at": clock.now()}


def _refuse_unknown(allowed: set[str]) -> None:
    """OGC 17-069r4 §7.15.8: a parameter that is not defined is an error, never ignored."""
    odd = sorted(set(request.args) - allowed - {"f", "s", "lang", "crs"})
    if odd:
        name = re.sub(r"[^\w.-]", "?", odd[0])[:40]
        raise bad(name, "未定义的参数", "no such parameter")


def _limit(given: str | None) -> int:
    if given is None:
        return USUAL
    if not re.fullmatch(r"0*[1-9]\d*", given, re.ASCII):
        raise bad("limit", "应为 1 以上的整数", "a whole number from 1")
    digits = given.lstrip("0")
    return min(int(digits), MOST) if len(digits) < 10 else MOST  # §7.15.2: never an error


def _key(given: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(given) if given else None
    except ValueError as error:
        raise bad("after", "不是有效的分页标记", "not a page mark of ours") from error


def _system(name: str) -> str:
    given = request.args.get(name) or CRS84
    if given not in SYSTEMS:
        raise bad(name, "不支持的坐标系", "unknown reference system")
    return given


def _geojson(body: dict[str, Any], crs: str) -> Response:
    answer = jsonify(body)
    answer.mimetype = GEOJSON
    answer.headers["Content-Crs"] = f"<{crs}>"
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


def _link(
    endpoint: str,
    rel: str,
    *,
    kind: str = "application/json",
    asked: Mapping[str, str] | None = None,
    **values: Any,
) -> dict[str, str]:
    given = {"s": request.args["s"]} if "s" in request.args else {}
    return {
        "href": address(endpoint, {**given, **(asked or {})}, **values),
        "rel": rel,
        "type": kind,
    }


def address(endpoint: str, asked: Mapping[str, str], **values: Any) -> str:
    """With what a client asked as its query: properties may be called as parts of a path are."""
    path = absolute(endpoint, **values)
    return f"{path}?{urlencode(asked)}" if asked else path


def refused(refusal: Refusal, status: int) -> Response:
    """OGC 17-069r4 §7.15.7 and 7.15.8: what is unknown or out of order in a query is a 400."""
    answer = jsonify(code=refusal.code, description=refusal.say(language()))
    answer.status_code = 400 if status == 422 else status
    return answer


def _title(known: Collection) -> str:
    return known.zh if language() == "zh" else known.en


def _schema(known: collections.Field) -> dict[str, Any]:
    kinds = {"date-time": ("string", "date-time"), "date": ("string", "date")}
    kind, form = kinds.get(known.kind, (known.kind, ""))
    told = {"type": kind, "title": known.zh if language() == "zh" else known.en}
    return {**told, "format": form} if form else told


def _extent(subdistrict_id: int) -> tuple[float, float, float, float] | None:
    with tenant_transaction(subdistrict_id) as session:
        return catalog.extent(session)


def _told(known: Collection, box: tuple[float, float, float, float] | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": known.name,
        "title": _title(known),
        "itemType": "feature",
        "crs": list(SYSTEMS),
        "storageCrs": CRS84,
        "links": [
            _link("ogc.collection", "self", name=known.name),
            _link("ogc.items", "items", kind=GEOJSON, name=known.name),
            _link(
                "ogc.queryables",
                "http://www.opengis.net/def/rel/ogc/1.0/queryables",
                name=known.name,
            ),
        ],
    }
    if box:
        told["extent"] = {"spatial": {"bbox": [list(box)], "crs": CRS84}}
    return told
