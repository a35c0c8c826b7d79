"""What Open311 reads and files: only what is public, as other systems may see it."""

import uuid
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.issues import categories, moves, publishing, story
from roadchief.issues.categories import Category
from roadchief.issues.citizens import reporting
from roadchief.issues.citizens.reporting import Wish
from roadchief.issues.models import Case
from roadchief.issues.open311.georeport import CLOSED, BadRequest, Question, told
from roadchief.streets.models import Storefront, Subdistrict


def service(kind: Category, language: str) -> dict[str, Any]:
    group = categories.groups()[kind.group]
    return {
        "service_code": kind.code,
        "service_name": kind.say(language),
        "description": kind.opening[0 if language == "zh" else 1],
        "metadata": True,
        "type": "realtime",
        "keywords": f"{kind.zh},{kind.en}",
        "group": group[0 if language == "zh" else 1],
    }


def services(language: str) -> list[dict[str, Any]]:
    return [service(kind, language) for kind in categories.reportable() if kind.public]


def definition(kind: Category, language: str) -> dict[str, Any]:
    """One question of our own: is it dangerous? It is asked of every category."""
    words = ("是否有人身危险？", "Is somebody in danger?") if language == "zh" else ("", "")
    return {
        "service_code": kind.code,
        "attributes": [
            {
                "variable": True,
                "code": "DANGER",
                "datatype": "singlevaluelist",
                "required": False,
                "datatype_description": "",
                "order": 1,
                "description": words[0] or "Is somebody in danger?",
                "values": [
                    {"key": "no", "name": "否" if language == "zh" else "no"},
                    {"key": "yes", "name": "是" if language == "zh" else "yes"},
                ],
            }
        ],
    }


def asked(session: Session, given: Question) -> list[Case]:
    """The public cases of a question, newest first; private and unknown ids are not there."""
    query: Select[Any] = select(Case).where(
        Case.subdistrict_id == tenant_of(session),
        Case.category.in_(given_codes(given)),
        Case.state != "rejected",
        Case.held.is_(False),
    )
    if given.ids:
        ids = [one for one in (_uuid(text) for text in given.ids) if one]
        query = query.where(Case.number.in_(given.ids) | Case.id.in_(ids))
    for column, low, high in (
        (Case.reported_at, given.since, given.until),
        (Case.updated_at, given.updated_since, given.updated_until),
    ):
        if low:
            query = query.where(column >= low)
        if high:
            query = query.where(column <= high)
    if given.open is not None:
        query = query.where(Case.ended_at.is_(None) if given.open else Case.ended_at.is_not(None))
    order = Case.updated_at if given.updated_since or given.updated_until else Case.reported_at
    rows = session.scalars(
        query.order_by(order.desc(), Case.id.desc())
        .limit(given.size)
        .offset((given.page - 1) * given.size)
    )
    return list(rows)


def given_codes(given: Question) -> list[str]:
    public = categories.public_codes()
    return [code for code in public if not given.codes or code in given.codes]


def told_cases(
    session: Session, rows: list[Case], given: Question, lang: str, photo: Any
) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    shown, points = publishing.public_photos(session, ids), reporting.snapped(session, ids)
    notes = story.last_words(session, ids)
    doors = _doors(session, rows)
    office = session.get_one(Subdistrict, tenant_of(session)).name
    return [
        request(
            row,
            points.get(row.id),
            notes.get(row.id),
            shown.get(row.id, []),
            given,
            lang,
            photo,
        )
        | {"agency_responsible": office, "address_id": doors.get(row.storefront_id)}
        for row in rows
    ]


def _doors(session: Session, rows: list[Case]) -> dict[uuid.UUID | None, str | None]:
    """The numbers printed on the plates of the cases' storefronts: no secret, and lasting."""
    found = session.execute(
        select(Storefront.id, Storefront.human_number)
        .where(Storefront.subdistrict_id == tenant_of(session))
        .where(Storefront.id.in_({row.storefront_id for row in rows if row.storefront_id}))
    )
    return {row.id: row.human_number for row in found}


def request(
    case: Case,
    point: Any,
    note: str | None,
    photos: list[Any],
    given: Question,
    language: str,
    photo: Any,
) -> dict[str, Any]:
    """All fields of the specification, empty ones null; places snapped to door or street."""
    zh = language == "zh"
    kind = categories.find(case.category)
    row: dict[str, Any] = {
        "service_request_id": case.number,
        "status": "closed" if case.state in CLOSED else "open",
        "status_notes": note,
        "service_name": kind.say(language),
        "service_code": kind.code,
        "description": case.public_words,
        "agency_responsible": None,
        "service_notice": None,
        "requested_datetime": told(case.reported_at),
        "updated_datetime": told(case.ended_at or case.updated_at),
        "expected_datetime": told(case.due_at),
        "address": case.address or None,
        "address_id": None,
        "zipcode": None,
        "lat": round(point.y, 6) if point else None,
        "long": round(point.x, 6) if point else None,
        "media_url": photo(photos[0]) if photos else None,
    }
    if given.extensions:
        row["detailed_status"] = case.state
        row["detailed_status_name"] = moves.STATES[case.state][0 if zh else 1]
        row["photos"] = [{"url": photo(one)} for one in photos]
    return row


def door_of(session: Session, address_id: str) -> uuid.UUID | None:
    """The storefront with this number on its plate; an unknown one is refused, not guessed."""
    if not address_id:
        return None
    found = session.scalar(
        select(Storefront.id)
        .where(Storefront.subdistrict_id == tenant_of(session), Storefront.closed_at.is_(None))
        .where(Storefront.human_number == address_id.strip().upper()[:60])
    )
    if found is None:
        raise BadRequest("address_id was not found")
    return found


def wish_of(
    form: dict[str, str], *, id: uuid.UUID, said: str, photo_ids: Any, shop: uuid.UUID | None
) -> Wish:
    lon, lat = form.get("long"), form.get("lat")
    return Wish(
        storefront_id=shop,
        id=id,
        category=form.get("service_code", ""),
        words=form.get("description", ""),
        lon=float(lon) if lon else None,
        lat=float(lat) if lat else None,
        said=said,
        photo_ids=photo_ids,
    )


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
