"""`/api/v1`: every collection as plain JSON, its OpenAPI, and a page that shows both."""

import uuid
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

import roadchief.maps.duty_collections  # noqa: F401 (makes its collections known)
from roadchief.accounts.signin import public
from roadchief.maps import api, collections, features
from roadchief.maps.features import Wanted
from roadchief.maps.ogc_views import (
    OPEN,
    address,
    known_collection,
    own_actor,
    reader,
    wanted_of,
)
from roadchief.maps.views import subdistrict
from roadchief.web import settings, tenant_transaction
from roadchief.web.addresses import absolute

pages = Blueprint("api", __name__, url_prefix="/api")


@pages.get("/openapi.json")
@public("a description, without data")
def openapi() -> Response:
    return jsonify(api.description(settings().public_url))


@pages.get("/docs")
@public("a description, without data")
def docs() -> str:
    told = api.description(settings().public_url)
    return render_template("maps/api.html", told=told)


@pages.get("/v1/collections")
@public(OPEN, by_key=True)
def listing() -> Response:
    here = subdistrict()
    return jsonify(
        items=[
            {
                "name": one.name,
                "zh": one.zh,
                "en": one.en,
                "geometry": one.geometry,
                "public": one.public,
                "address": absolute("api.items", name=one.name),
            }
            for one in collections.readable(own_actor(here.id))
        ]
    )


@pages.get("/v1/<name>")
@public(OPEN, by_key=True)
def items(name: str) -> Response:
    here = subdistrict()
    known = known_collection(name, here.id)
    wanted = wanted_of(known)
    with tenant_transaction(here.id) as session:
        found = features.page(session, known, wanted)
    more = None
    if found.next_after:
        asked = {**request.args.to_dict(), "after": str(found.next_after)}
        more = address("api.items", asked, name=name)
    return jsonify(items=[_flat(one) for one in found.features], next=more)


@pages.get("/v1/<name>/<uuid:item_id>")
@public(OPEN, by_key=True)
def item(name: str, item_id: uuid.UUID) -> Response:
    here = subdistrict()
    known = known_collection(name, here.id)
    with tenant_transaction(here.id) as session:
        found = features.one(session, known, Wanted(limit=1, only=item_id, **reader(known)))
    return jsonify(_flat(found))


def _flat(feature: dict[str, Any]) -> dict[str, Any]:
    return {"id": feature["id"], **feature["properties"], "geometry": feature["geometry"]}
