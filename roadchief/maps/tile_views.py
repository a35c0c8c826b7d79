"""`/tiles/…`: vector tiles and their TileJSON, as far as the asker may see."""

import gzip
from datetime import datetime
from typing import cast

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from flask_limiter.util import get_remote_address
from sqlalchemy.orm import Session

import roadchief.maps.duty_layers  # noqa: F401 (makes its layers known)
from roadchief.accounts.access import Actor, may
from roadchief.accounts.signin import current_or_none, public
from roadchief.errors import NotFound, TooMany
from roadchief.lib import clock
from roadchief.maps import layers, shelf, tiles
from roadchief.maps.layers import Layer
from roadchief.maps.shelf import Memory, Tile, Wanted
from roadchief.maps.views import ALLOWED, subdistrict, subdistrict_code
from roadchief.streets import catalog
from roadchief.web import settings, tenant_transaction
from roadchief.web.limits import limiter, within_here

pages = Blueprint("tiles", __name__, url_prefix="/tiles")
EXTENSION = "roadchief.tiles"
TILE_LIFE_S = 30  # a browser asks again after this, and is told 304 when nothing changed
TRUST_S = 2.0
MEMORY_BYTES = 32 << 20  # a process
MVT = "application/vnd.mapbox-vector-tile"
MAKING_LIMIT = "1200 per minute"  # tiles made for one address; kept ones are not counted
SMALL_A_MINUTE = 3000  # small squares made for one address by one process


@pages.get("/<layer>/<int(signed=True):z>/<int(signed=True):x>/<int(signed=True):y>.mvt")
@public(ALLOWED + "; other layers ask their action")
@limiter.exempt
def tile(layer: str, z: int, x: int, y: int) -> Response:
    square = tiles.Square.at(z, x, y)
    actor = current_or_none()
    seen = _seen(layer, actor)
    values = {name: value for one in seen for name, value in one.values(actor).items()}
    found = _find(own_code(actor), Wanted(layer, seen, square, values))
    return _answer(found)


@pages.get("/<layer>.json")
@public(ALLOWED + "; other layers ask their action")
def tile_json(layer: str) -> Response:
    actor = current_or_none()
    seen = _seen(layer, actor)
    here, code = subdistrict(), own_code(actor)
    known = settings()
    address = f"{known.public_url}/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt?s={code}"
    with tenant_transaction(code) as session:
        bounds = catalog.extent(session)
    if here.area is not None:
        bounds = here.area.bounds
    told = tiles.tile_json(layer, seen, address, bounds=bounds, attribution=known.map_attribution)
    return jsonify(told)


def install(app: Flask) -> None:
    known = app.extensions["roadchief.settings"]
    trust_s = 0.0 if known.testing else TRUST_S
    app.extensions[EXTENSION] = Memory(trust_s=trust_s, most_bytes=MEMORY_BYTES)
    app.register_blueprint(pages)


def own_code(actor: Actor | None) -> int:
    """A layer of another sub-district does not exist for somebody who is signed in."""
    given = request.args.get("s")
    if actor is not None and given is not None and given != str(actor.subdistrict_id):
        raise NotFound
    return subdistrict_code()


def _seen(name: str, actor: Actor | None) -> tuple[Layer, ...]:
    """What of a layer or set the asker may see; nothing is not found."""
    found = tuple(one for one in layers.named(name) if _may_see(one, actor))
    if not found:
        raise NotFound
    return found


def _may_see(layer: Layer, actor: Actor | None) -> bool:
    if layer.public:
        return True
    return actor is not None and layer.action is not None and may(actor, layer.action).allowed


def _find(code: int, wanted: Wanted) -> Tile:
    """From this process's memory, from the shelf, or made."""
    memory = cast(Memory, current_app.extensions[EXTENSION])
    drawn = ",".join(one.name for one in wanted.layers)
    key = (code, wanted.name, drawn, wanted.scope, *vars(wanted.square).values())
    found = memory.find(key)
    if found is None:
        at = clock.now()
        with tenant_transaction(code) as session:
            if wanted.square.z >= shelf.SMALL_FROM:
                found = _at_once(session, wanted, keep=memory.asked_before(key), at=at)
            else:
                found = _made_by_one(session, wanted, at=at)
        memory.keep(key, found)
    return found


def _at_once(session: Session, wanted: Wanted, *, keep: bool, at: datetime) -> Tile:
    most = settings().tile_store_mb << 20
    found, made = shelf.at_once(session, wanted, keep=keep, at=at, most_bytes=most)
    if made and not within_here("small tile", get_remote_address(), a_minute=SMALL_A_MINUTE):
        raise TooMany(retry_s=60)
    return found


def _made_by_one(session: Session, wanted: Wanted, *, at: datetime) -> Tile:
    """Fifty who ask for a costly square at once wait for one computation."""
    look = shelf.find(session, wanted, at=at)
    if look.tile is not None:
        return look.tile
    most = settings().tile_store_mb << 20
    with limiter.limit(MAKING_LIMIT):
        return shelf.make(session, wanted, look, at=at, most_bytes=most)


def _answer(found: Tile) -> Response:
    """Empty squares have no content; gzip where the asker takes it."""
    zipped = request.accept_encodings.quality("gzip") > 0
    response = Response(mimetype=MVT, status=200 if found.body else 204)
    if found.body:
        response.set_data(found.body if zipped else gzip.decompress(found.body))
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
    else:
        del response.headers["Content-Type"]
    response.headers["Cache-Control"] = f"private, max-age={TILE_LIFE_S}"
    response.headers["Vary"] = "Accept-Encoding, Cookie"
    response.set_etag(found.etag + ("" if zipped else "-plain"))
    if found.body:
        response.make_conditional(request)
    return response
