"""Photos at the rim: how forms send them, and the address where browsers fetch them."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, Response, send_file
from flask_babel import gettext
from werkzeug.datastructures import FileStorage, MultiDict

from roadchief import blobs
from roadchief.blobs.refusals import PhotoTooHeavy
from roadchief.errors import BadInput, NotFound
from roadchief.lib import clock
from roadchief.lib.photos import MEGABYTE, Box, Developed
from roadchief.web import settings, tenant_transaction
from roadchief.web.limits import limiter
from roadchief.web.security import View, takes

pages = Blueprint("photos", __name__)
BOX_FIELDS = ("left", "top", "width", "height")
# A photo is looked at and nothing else: no script, no frame, no other request.
POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"


def takes_photos(most: int = 5) -> Callable[[View], View]:
    """The view may be sent so many photos: its requests may be larger than others."""
    return takes(lambda given: most * given.photo_limit_bytes + MEGABYTE)


def photos_from(files: MultiDict[str, FileStorage], name: str, *, most: int = 5) -> list[Developed]:
    """The photos of a form, made safe. Do this before the transaction: it takes its time."""
    sent = [file for file in files.getlist(name) if file.filename]
    if len(sent) > most:
        raise BadInput(
            field=gettext("照片"), reason_zh=f"最多 {most} 张", reason_en=f"at most {most}"
        )
    return [blobs.develop(_bytes(file), settings=settings()) for file in sent]


def receive(
    subdistrict_id: int, address: str, data: bytes, *, by: uuid.UUID, at: datetime
) -> blobs.Receipt:
    """As `blobs.receive`, but no connection is held while the photo is opened.

    Many phones send at once and the hands that open photos are few: who waits for them must not
    keep others from the database.
    """
    given = settings()
    blobs.check(address, data, settings=given)
    with tenant_transaction(subdistrict_id) as session:
        found = blobs.known(session, address, settings=given)
    if found is not None:
        return blobs.Receipt(found, fresh=False)
    developed = blobs.develop(data, settings=given)
    with tenant_transaction(subdistrict_id) as session:
        blob = blobs.keep(session, developed, by=by, at=at, settings=given)
        blobs.tell_arrival(session, blob, at=at)
    return blobs.Receipt(blob, fresh=True)


def boxes_from(form: MultiDict[str, str]) -> list[Box]:
    """The parts to hide, as the blur tool sends them: four numbers in percent for each."""
    rows = zip(*(form.getlist(field) for field in BOX_FIELDS), strict=False)
    try:
        boxes = [Box(*(float(text[:20]) / 100 for text in row)) for row in rows if any(row)]
    except ValueError as error:
        raise _bad_boxes() from error
    if not boxes or not all(box.sound for box in boxes):
        raise _bad_boxes()
    return boxes


def _show(token: str) -> Response:
    """One photo, to whoever holds its signed address while that lasts."""
    given, at = settings(), clock.now()
    link = blobs.opened(token, at=at, settings=given)
    with tenant_transaction(link.subdistrict_id) as session:
        blob = blobs.get(session, link.blob_id)
    file = blobs.path(blob, link.size, given)
    if not file.is_file():
        raise NotFound
    response = send_file(
        file,
        mimetype="image/jpeg",
        conditional=True,
        etag=f"{blob.sha256[:32]}-{link.size}",
        download_name=f"photo-{blob.sha256[:8]}.jpg",
    )
    left_s = max(0, link.expires - int(at.timestamp()))
    response.headers["Cache-Control"] = f"private, max-age={left_s}, immutable"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Content-Disposition"] = f'inline; filename="photo-{blob.sha256[:8]}.jpg"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.pop("Last-Modified", None)  # when we stored it is nobody's business
    return response


_show.access = "public: whoever holds the signed, short-lived address"  # type: ignore[attr-defined]
pages.add_url_rule("/photo/<token>", "show", limiter.exempt(_show))


def install(app: Flask) -> None:
    app.register_blueprint(pages)
    app.jinja_env.globals.update(photo=_address, photo_of=_address_of)


def _address(blob: blobs.Blob, size: str = "thumb") -> str:
    return blobs.address(blob, size=size, settings=settings())


def _address_of(subdistrict_id: int, blob_id: Any, size: str = "thumb") -> str:
    return blobs.link(subdistrict_id, blob_id, size=size, settings=settings())


def _bytes(file: FileStorage) -> bytes:
    """All of a file, unless it is too large: then not a byte more than needed to know."""
    most = settings().photo_limit_bytes
    data = file.stream.read(most + 1)
    if len(data) > most:
        raise PhotoTooHeavy(limit_mb=most // MEGABYTE)
    return data


def _bad_boxes() -> BadInput:
    return BadInput(
        field=gettext("遮挡范围"),
        reason_zh="请框选照片内的范围",
        reason_en="mark parts inside the photo",
    )
