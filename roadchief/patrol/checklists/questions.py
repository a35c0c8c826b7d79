"""Forms: which items a visit is asked about, in versions. Old versions stay good offline."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.errors import BadInput, Conflict
from roadchief.patrol.items.answers import Refused
from roadchief.patrol.items.reading import SHA256, line
from roadchief.patrol.plan_models import Checklist
from roadchief.streets import standards

RESULTS = {"good", "bad", "na"}
MOST_NOTE = 500

events.declare({"patrol.checklist_published": "a version of a checklist came into force"})


class VersionTaken(Conflict):
    zh = "版本“{version}”已经用过，请换一个名称"
    en = "version {version} was used before: take another name"


@dataclass(frozen=True)
class Form:
    """A version of the list for one audience (P, M or E)."""

    audience: str
    version: str
    items: tuple[str, ...]


@dataclass(frozen=True)
class Bad:
    """An answer "bad": a finding to be."""

    item: str
    note: str | None
    photos: tuple[str, ...]


def in_force(session: Session, audience: str) -> Form:
    """The published version, or the standard's own list."""
    row = session.scalar(
        select(Checklist)
        .where(Checklist.subdistrict_id == tenant_of(session))
        .where(Checklist.audience == audience, Checklist.retired_at.is_(None))
    )
    if row:
        return Form(audience, row.version, tuple(row.items))
    return Form(audience, standards.version(), tuple(standards.items_for(audience)))


def of_version(session: Session, audience: str, version: str) -> Form | None:
    """A version by its name, in force or not; None where there never was one."""
    if version == standards.version():
        return Form(audience, version, tuple(standards.items_for(audience)))
    row = session.scalar(
        select(Checklist)
        .where(Checklist.subdistrict_id == tenant_of(session))
        .where(Checklist.audience == audience, Checklist.version == version)
    )
    return Form(audience, row.version, tuple(row.items)) if row else None


def known_versions(session: Session) -> dict[str, bool]:
    """Every version that ever was: True while it is in force."""
    rows = session.execute(
        select(Checklist.version, Checklist.retired_at).where(
            Checklist.subdistrict_id == tenant_of(session)
        )
    ).all()
    found = {row.version: row.retired_at is None for row in rows}
    return {standards.version(): True} | found


def publish(
    session: Session,
    *,
    audience: str,
    version: str,
    items: Iterable[str],
    by: uuid.UUID | None,
    at: datetime,
) -> Checklist:
    """A new version; the one before is retired and stays good for what was begun with it."""
    codes = _allowed(items, audience)
    # Two who publish at once take turns; a version's name is given once.
    in_turn(session, f"patrol.checklist.{audience}")
    if session.scalar(
        select(Checklist.id)
        .where(Checklist.subdistrict_id == tenant_of(session))
        .where(Checklist.audience == audience, Checklist.version == version)
    ):
        raise VersionTaken(version=version)
    session.execute(
        update(Checklist)
        .where(Checklist.subdistrict_id == tenant_of(session))
        .where(Checklist.audience == audience, Checklist.retired_at.is_(None))
        .values(retired_at=at)
    )
    row = Checklist(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        audience=audience,
        version=version,
        items=codes,
        published_at=at,
        published_by=by,
        retired_at=None,
    )
    session.add(row)
    session.flush()
    events.record(
        session,
        "patrol.checklist_published",
        subject=row,
        by=by,
        at=at,
        audience=audience,
        version=version,
    )
    return row


def _allowed(items: Iterable[str], audience: str) -> list[str]:
    """The items in the order given, each once; refused where the audience may not check one."""
    codes = list(dict.fromkeys(items))
    allowed = standards.items_for(audience)
    wrong = [code for code in codes if code not in allowed]
    if wrong or not codes:
        raise BadInput(
            field="检查项 items",
            reason_zh=f"{'、'.join(wrong) or '空'} 不能由此类人员检查",
            reason_en=f"{', '.join(wrong) or 'nothing'} may not be checked by them",
        )
    return codes


def read_answers(
    said: Any, versions: dict[str, bool], *, who: str
) -> tuple[str | None, list[Bad], list[str]]:
    """(version, bad answers, flags) of a filled form. An item that `who` may not check refuses.

    A retired or unknown version is a flag: the person could not know.
    """
    if said is None:
        return None, [], []
    if not isinstance(said, dict) or not isinstance(said.get("answers"), list):
        raise Refused("bad_field", field="checklist")
    if len(said["answers"]) > 100:
        raise Refused("bad_field", field="checklist")
    version = line(said, "version", 60) or "?"
    in_force_now = versions.get(version)
    flags = [] if in_force_now else ["form_unknown" if in_force_now is None else "form_retired"]
    bad: dict[str, Bad] = {}
    for row in said["answers"]:
        found = _answer(row, who)
        if found:
            bad[found.item] = found
    return version, list(bad.values()), flags


def check_item(code: Any, who: str) -> standards.Item:
    """The item, if `who` may say something of it."""
    item = standards.items().get(code) if isinstance(code, str) else None
    if item is None:
        raise Refused("unknown_item", item=str(code)[:20])
    allowed = set(item.who)
    if who == standards.ENFORCEMENT:
        return item  # with the inspection code everything may be looked at
    if who not in allowed:
        merchant = who == standards.MERCHANT
        raise Refused("not_a_shopkeeper_item" if merchant else "not_yours_to_check", item=item.code)
    return item


def _answer(row: Any, who: str) -> Bad | None:
    if not isinstance(row, dict) or row.get("result") not in RESULTS:
        raise Refused("bad_field", field="checklist")
    if row["result"] == "na":
        return None
    item = check_item(row.get("item"), who)
    if row["result"] != "bad":
        return None
    photos = row.get("photos") or []
    if not isinstance(photos, list):
        raise Refused("bad_field", field="photos")
    hashes = (one for one in photos[:12] if isinstance(one, str) and SHA256.fullmatch(one))
    return Bad(item.code, line(row, "note", MOST_NOTE), tuple(hashes))
