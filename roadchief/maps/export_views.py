"""Layers as files, for whoever may read them."""

import tempfile
from pathlib import Path

from flask import Blueprint, after_this_request, render_template, request, send_file
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.access import may
from roadchief.accounts.signin import current_or_none, public
from roadchief.errors import NotFound
from roadchief.lib import clock
from roadchief.maps import collections, exporting, features
from roadchief.maps.features import Wanted
from roadchief.maps.ogc_views import OPEN, known_collection, reader
from roadchief.maps.views import subdistrict
from roadchief.web import database, settings
from roadchief.web.addresses import absolute
from roadchief.web.limits import limiter

pages = Blueprint("exports", __name__)


@pages.get("/map/data")
@public(OPEN)
def listing() -> str:
    """Every layer that may be read, as a file or as an address for QGIS."""
    here, actor = subdistrict(), current_or_none()
    return render_template(
        "maps/data.html",
        here=here,
        address=absolute("ogc.landing"),
        layers=collections.readable(actor),
        formats=list(exporting.FORMATS),
        own_keys=bool(actor and may(actor, "own.keys").allowed),
    )


@pages.get("/map/data/<file>")
@public(OPEN)
@limiter.limit("30 per minute")
def download(file: str) -> AnyResponse:
    """`<layer>.<ending>`, an ending of exporting.FORMATS."""
    name, _, form = file.partition(".")
    here = subdistrict()
    known = known_collection(name, here.id)
    if form not in exporting.FORMATS:
        raise NotFound
    box = features.read_box(request.args["bbox"]) if request.args.get("bbox") else None
    folder = tempfile.TemporaryDirectory(dir=_scratch())
    out = Path(folder.name) / f"{name}.{form}"
    with database().streaming(here.id) as session:
        exporting.write(session, known, out, form, wanted=Wanted(box=box, **reader(known)))

    @after_this_request
    def forget(response: AnyResponse) -> AnyResponse:
        response.call_on_close(folder.cleanup)
        return response

    day = clock.local_date(clock.now()).isoformat()
    return send_file(
        out,
        mimetype=exporting.FORMATS[form][0],
        as_attachment=True,
        download_name=f"{name}-{here.id}-{day}.{form}",
    )


def _scratch() -> Path:
    place = settings().var_dir / "exports"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place
