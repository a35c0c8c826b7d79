"""What `/api/v1` is, as OpenAPI: made from the collections themselves, and the few other doors.

The tests hold it to the routes: what is described exists, and what exists is described.
"""

from typing import Any

from roadchief.maps.collections import COLLECTIONS, Collection, Field

FORMATS = {"date-time": ("string", "date-time"), "date": ("string", "date")}
Schema = dict[str, Any]
ERROR: Schema = {
    "type": "object",
    "required": ["error", "message", "facts"],
    "properties": {
        "error": {"type": "string", "description": "a stable name"},
        "message": {"type": "string", "description": "a sentence in the reader's language"},
        "facts": {"type": "object"},
    },
}
REFUSALS = {
    "400": "the request cannot be read",
    "401": "sign in first, or show an access key that is good",
    "403": "the post does not allow it",
    "404": "absent, or out of reach",
    "422": "a field is wrong",
    "429": "too many",
}


# An access key of a person: as the password of HTTP Basic (QGIS, GDAL), or as a bearer token.
KEYS: dict[str, Schema] = {
    "accessKey": {"type": "http", "scheme": "basic"},
    "bearerKey": {"type": "http", "scheme": "bearer"},
}


def schema_of(known: Field) -> Schema:
    kind, form = FORMATS.get(known.kind, (known.kind, ""))
    told: Schema = {"type": kind, "nullable": True, "description": f"{known.zh} / {known.en}"}
    return {**told, "format": form} if form else told


def _json(schema: Schema, what: str = "as asked") -> Schema:
    return {"description": what, "content": {"application/json": {"schema": schema}}}


def _refusals(*codes: str) -> Schema:
    named = codes or ("404", "422", "429")
    return {code: _json({"$ref": "#/components/schemas/Error"}, REFUSALS[code]) for code in named}


def _asked(name: str, schema: Schema, what: str, *, place: str = "query") -> Schema:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "schema": schema,
        "description": what,
    }


def _item(known: Collection) -> Schema:
    return {
        "type": "object",
        "required": ["id", "geometry", *known.fields],
        "properties": {
            "id": {"type": "string", "format": "uuid"},
            "geometry": {"type": "object", "nullable": True, "description": "GeoJSON, WGS-84"},
            **{name: schema_of(one) for name, one in known.fields.items()},
        },
        "additionalProperties": False,
    }


def _who(known: Collection) -> list[Schema]:
    """Anybody; or whoever is signed in, in a browser or by an access key."""
    return [{}] if known.public else [{name: []} for name in ("session", *KEYS)]


def _listing(known: Collection) -> Schema:
    page = {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": {"$ref": f"#/components/schemas/{known.name}"}},
            "next": {"type": "string", "nullable": True, "description": "the next page"},
        },
    }
    filters = [
        _asked(name, {"type": "string"}, f"{one.zh} / {one.en}, equal to")
        for name, one in known.fields.items()
    ]
    return {
        "operationId": f"list_{known.name}",
        "summary": f"{known.zh} / {known.en}",
        "tags": ["collections"],
        "security": _who(known),
        "parameters": [
            _asked("limit", {"type": "integer", "minimum": 1, "maximum": 10_000}, "rows a page"),
            _asked("after", {"type": "string", "format": "uuid"}, "as `next` says"),
            _asked("bbox", {"type": "string"}, "west,south,east,north"),
            _asked("datetime", {"type": "string"}, "RFC 3339 moment or begin/end"),
            *filters,
        ],
        "responses": {"200": _json(page), **_refusals("401", "404", "422", "429")},
    }


def _single(known: Collection) -> Schema:
    return {
        "operationId": f"get_{known.name}",
        "summary": f"{known.zh} / {known.en}",
        "tags": ["collections"],
        "security": _who(known),
        "parameters": [_asked("id", {"type": "string", "format": "uuid"}, "its id", place="path")],
        "responses": {
            "200": _json({"$ref": f"#/components/schemas/{known.name}"}),
            **_refusals("401", "404", "422", "429"),
        },
    }


ANYTHING: Schema = {"type": "object"}
HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
UUID: Schema = {"type": "string", "format": "uuid"}
SHIFT = _asked("shift_id", UUID, "the shift", place="path")
SHA = _asked("sha256", HASH, "of the bytes, hexadecimal", place="path")
PHONE = ["patrol phones"]


def _door(
    name: str,
    summary: str,
    *,
    tags: list[str],
    parameters: list[Schema] | None = None,
    body: Schema | None = None,
    answers: dict[str, str] | None = None,
    refuses: tuple[str, ...] = ("401", "403", "429"),
    security: list[Schema] | None = None,
) -> Schema:
    told: Schema = {
        "operationId": name,
        "summary": summary,
        "tags": tags,
        "security": security if security is not None else [{"session": []}],
        "parameters": parameters or [],
        "responses": {
            **{code: _json(ANYTHING, what) for code, what in (answers or {"200": "done"}).items()},
            **_refusals(*refuses),
        },
    }
    if body is not None:
        told["requestBody"] = body
    return told


def _sent(schema: Schema, kind: str = "application/json") -> Schema:
    return {"required": True, "content": {kind: {"schema": schema}}}


SIGNAL: Schema = {
    "type": "object",
    "required": ["id", "device", "kind"],
    "properties": {
        "id": {"type": "string", "maxLength": 120},
        "device": {"type": "string", "maxLength": 120},
        "kind": {"type": "string", "enum": ["tilt", "smoke", "camera", "level"]},
        "at": {"type": "string", "format": "date-time"},
        "lon": {"type": "number"},
        "lat": {"type": "number"},
        "storefront_id": UUID,
        "plate_number": {"type": "string"},
        "note": {"type": "string", "maxLength": 500},
    },
}
ITEMS: Schema = {
    "type": "object",
    "required": ["items"],
    "properties": {"items": {"type": "array", "maxItems": 50, "items": ANYTHING}},
}
WRONG = ("400", "401", "403", "422", "429")
DOORS: dict[str, dict[str, Schema]] = {
    "/api/v1/collections": {
        "get": _door(
            "list_collections",
            "what can be read",
            tags=["collections"],
            security=[{}],
            refuses=("401", "404", "429"),
        ),
    },
    "/api/v1/signals": {
        "post": _door(
            "send_signal",
            "an alarm of a sensor or camera, kept once",
            tags=["sensors"],
            parameters=[_asked("s", {"type": "string"}, "the sub-district's code")],
            body=_sent(SIGNAL),
            answers={"200": "known already", "201": "kept"},
            refuses=("400", "401", "404", "422", "429"),
            security=[{"key": []}],
        )
    },
    "/api/v1/manifest-keys": {
        "get": _door(
            "list_manifest_keys",
            "public keys of shift manifests",
            tags=PHONE,
            security=[{}],
            refuses=("429",),
        ),
    },
    "/api/v1/time": {
        "get": _door("tell_time", "the server's time", tags=PHONE, security=[{}], refuses=("429",))
    },
    "/api/v1/me": {
        "get": _door("who_am_i", "who is signed in", tags=PHONE, security=[{}], refuses=("429",))
    },
    "/api/v1/sync": {
        "post": _door(
            "sync",
            "up to 50 acts of a phone, an answer each",
            tags=PHONE,
            body=_sent(ITEMS),
            refuses=WRONG,
        )
    },
    "/api/v1/blobs/{sha256}": {
        "put": _door(
            "put_photo",
            "a photo under the hash of its bytes",
            tags=PHONE,
            parameters=[SHA],
            body=_sent({"type": "string", "format": "binary"}, "image/jpeg"),
            answers={"200": "known already", "201": "kept"},
            refuses=WRONG,
        ),
        "get": _door(
            "has_photo",
            "has the server got it?",
            tags=PHONE,
            parameters=[SHA],
            refuses=("401", "403", "404", "429"),
        ),
    },
    "/api/v1/patrol/shifts": {
        "get": _door("list_shifts", "one's own shifts", tags=PHONE),
        "post": _door(
            "open_shift",
            "an own shift at once",
            tags=PHONE,
            body=_sent(ANYTHING),
            answers={"201": "open"},
            refuses=WRONG,
        ),
    },
    "/api/v1/patrol/shifts/{shift_id}": {
        "get": _door(
            "get_shift",
            "all that a shift needs without signal",
            tags=PHONE,
            parameters=[SHIFT],
            refuses=("401", "403", "404", "429"),
        ),
    },
    "/api/v1/patrol/beats": {"get": _door("list_beats", "beats to pick", tags=PHONE)},
}


def description(server: str) -> Schema:
    """The whole of `/api/v1` as OpenAPI 3.0."""
    paths: dict[str, Any] = {path: dict(doors) for path, doors in DOORS.items()}
    for known in COLLECTIONS.values():
        paths[f"/api/v1/{known.name}"] = {"get": _listing(known)}
        paths[f"/api/v1/{known.name}/{{id}}"] = {"get": _single(known)}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "RoadChief 路长制",
            "version": "1",
            "description": "Places, plates, visits, cases. Times in UTC, positions in WGS-84.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": {
                "Error": ERROR,
                **{known.name: _item(known) for known in COLLECTIONS.values()},
            },
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-roadchief-person"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
                **KEYS,
            },
        },
    }
