"""Atom feeds of public cases: `/feeds/<sub-district>/cases.atom`, of a road, of a segment."""

import uuid
from urllib.parse import urljoin, urlsplit

from flask import Blueprint, Response, request, url_for

from roadchief.accounts.signin import public
from roadchief.errors import NotFound
from roadchief.issues.feeds import atom, reading
from roadchief.issues.models import Case
from roadchief.issues.open311.views import photo_address
from roadchief.lib import clock
from roadchief.web import settings, tenant_transaction

pages = Blueprint("feeds", __name__, url_prefix="/feeds")
WHY = "feeds tell what Open311 tells: public cases, released words and photos"
SINCE = 2026  # of the names of entries (RFC 4151): a year in which the host was ours


@pages.get("/<int:place>/cases.atom")
@public(WHY)
def subdistrict(place: int) -> Response:
    return _feed(place)


@pages.get("/<int:place>/roads/<uuid:road_id>.atom")
@public(WHY)
def road(place: int, road_id: uuid.UUID) -> Response:
    return _feed(place, road=road_id)


@pages.get("/<int:place>/segments/<uuid:segment_id>.atom")
@public(WHY)
def segment(place: int, segment_id: uuid.UUID) -> Response:
    return _feed(place, segment=segment_id)


def _feed(
    place: int, *, road: uuid.UUID | None = None, segment: uuid.UUID | None = None
) -> Response:
    """`?in=en` for English: a feed has no cookies. Unchanged ones are answered by one question."""
    if not 100_000_000 <= place <= 999_999_999:
        raise NotFound
    language = "en" if request.args.get("in", settings().language) == "en" else "zh"
    at, base = clock.now(), settings().public_url
    name = f"tag:{urlsplit(base).hostname},{SINCE}:{place}"
    with tenant_transaction(place) as session:
        subject = reading.about(session, road=road, segment=segment)
        known = reading.standing(session, subject, language=language)
        # Who asks by time alone comes in full at least once an hour: a case that is public no
        # more leaves no time behind.
        hour = at.replace(minute=0, second=0, microsecond=0)
        response = Response(content_type=atom.CONTENT_TYPE)
        response.set_etag(known.mark)
        response.last_modified = max(known.updated or hour, hour)
        response.headers["Cache-Control"] = "public, no-cache"
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.make_conditional(request)
        if response.status_code == 304:
            return response
        told = reading.entries(
            session,
            known,
            language=language,
            name=name,
            address=lambda case: _of_case(place, case),
            photo=photo_address(place),
        )
    part = request.path.removeprefix(f"/feeds/{place}/").removesuffix(".atom")
    feed = atom.Feed(
        id=f"{name}/feeds/{part}",
        title=f"{subject.name} 公开案件" if language == "zh" else f"Public cases: {subject.name}",
        author=subject.office,
        address=urljoin(base, request.full_path.rstrip("?")),
        page=urljoin(base, _page(place, segment)),
        language="zh-CN" if language == "zh" else "en",
        updated=known.updated or hour,
        entries=told,
    )
    response.set_data(atom.render(feed))
    return response


def _page(place: int, segment: uuid.UUID | None) -> str:
    """Where people read about the same."""
    if segment:
        return url_for("maps.segment", segment_id=segment, s=place)
    return url_for("maps.district", s=place)


def _of_case(place: int, case: Case) -> str:
    path = url_for("open311.one_request", number=case.number, kind="xml", jurisdiction_id=place)
    return urljoin(settings().public_url, path)
