"""Print batches: what is chosen, minted, drawn, listed, delivered. Verbs never commit."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from roadchief import events, jobs
from roadchief.codes import packing, plates, sealing
from roadchief.codes.lifecycle import IN_STORE, ON_THE_WALL
from roadchief.codes.models import Plate, PrintBatch
from roadchief.codes.plates import Minted, Target
from roadchief.codes.sealing import Secret
from roadchief.codes.tokens import Site
from roadchief.config import Settings
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.errors import BadInput, NotFound, WrongState
from roadchief.streets.models import RoadSegment, Storefront

LARGEST = 20_000  # plates of one batch; a larger order is several files for the sign maker
STATES: dict[str, tuple[str, str]] = {
    "waiting": ("等待制作", "waiting"),
    "running": ("正在制作", "being made"),
    "ready": ("可下载", "ready"),
    "stopped": ("已停止", "stopped"),
    "delivered": ("已交付", "delivered"),
    "expired": ("已过期", "expired"),
}

events.declare(
    {
        "codes.batch_ordered": "plates were minted for print",
        "codes.batch_printed": "a print file was made and every symbol read back",
        "codes.batch_delivered": "the sign maker delivered a batch; its tokens were destroyed",
    }
)


class NothingToMint(BadInput):
    def __init__(self) -> None:
        super().__init__(
            field="范围 scope",
            reason_zh="此范围内的铺位都已有码牌",
            reason_en="every storefront there has a plate already",
        )


class BatchTooLarge(BadInput):
    def __init__(self, count: int) -> None:
        super().__init__(
            field="范围 scope",
            reason_zh=f"共 {count} 块，每批最多 {LARGEST} 块，请按道路分批",
            reason_en=f"{count} plates, at most {LARGEST} a batch: choose fewer roads",
        )


@dataclass(frozen=True)
class Choice:
    """The places that get a plate, and how many have one already."""

    targets: list[Target]
    passed_over: int


def storefronts_without(
    session: Session, *, road_id: uuid.UUID | None = None, segment_id: uuid.UUID | None = None
) -> Choice:
    """In walking order, so that the stack of plates is the way of whoever mounts them.

    Held until the commit, so that two offices do not mint for the same shops.
    """
    here = tenant_of(session)
    in_turn(session, "codes.mint")
    wanted = (
        select(Storefront.id)
        .outerjoin(
            RoadSegment,
            (RoadSegment.subdistrict_id == here) & (RoadSegment.id == Storefront.segment_id),
        )
        .where(Storefront.subdistrict_id == here, Storefront.closed_at.is_(None))
        .order_by(RoadSegment.code, Storefront.side, Storefront.measure_m, Storefront.id)
    )
    if segment_id:
        wanted = wanted.where(Storefront.segment_id == segment_id)
    if road_id:
        wanted = wanted.where(RoadSegment.road_id == road_id)
    found = list(session.scalars(wanted))
    served = set(
        session.scalars(
            select(Plate.storefront_id).where(
                Plate.subdistrict_id == here, Plate.state.in_(ON_THE_WALL | IN_STORE)
            )
        )
    )
    free = [Target(storefront_id=one) for one in found if one not in served]
    return Choice(free, len(found) - len(free))


def sent_before(session: Session, batch_id: uuid.UUID) -> PrintBatch | None:
    """A form that was sent twice has the same id: the first batch is the answer. Minting takes
    turns, so the second finds it."""
    in_turn(session, "codes.mint")
    return session.get(PrintBatch, (tenant_of(session), batch_id))


def order(
    session: Session,
    targets: Sequence[Target],
    *,
    title: str,
    layout: str,
    sheet: str | None,
    where: Site,
    settings: Settings,
    by: uuid.UUID | None,
    at: datetime,
    id: uuid.UUID | None = None,
) -> tuple[PrintBatch, list[Minted]]:
    """Mint the plates and queue their print. Tokens are sealed before anything is committed."""
    if not targets:
        raise NothingToMint
    if len(targets) > LARGEST:
        raise BatchTooLarge(len(targets))
    here = tenant_of(session)
    batch = PrintBatch(
        subdistrict_id=here,
        id=id or new_id(),
        title=title,
        layout=layout,
        sheet=sheet,
        plates=len(targets),
        made_by=by,
        made_at=at,
        report={},
    )
    session.add(batch)
    session.flush()
    minted = plates.mint(session, targets, where=where, batch_id=batch.id, by=by, at=at)
    secrets = [
        Secret(
            str(one.plate_id), one.number, one.token, "sign" if one.target.segment_id else "shop"
        )
        for one in minted
    ]
    sealing.seal(settings, here, batch.id, secrets)
    events.record(session, "codes.batch_ordered", subject=batch, by=by, at=at, plates=len(minted))
    jobs.later(session, "codes.print", subdistrict_id=here, batch_id=str(batch.id))
    return batch, minted


def order_replacement(
    session: Session,
    old: Plate,
    *,
    because: str,
    where: Site,
    settings: Settings,
    by: uuid.UUID | None,
    at: datetime,
) -> tuple[PrintBatch, list[Minted]]:
    """A new plate for the place of an old one, which stays as it is until the new one hangs.

    A plate that is in order is marked damaged first: replacing needs a reason (domain.md §4.5).
    """
    if old.state not in ON_THE_WALL:
        raise WrongState
    if old.state in {"bound", "active"}:
        plates.move(session, old, "report_damaged", by=by, at=at, because=because)
    layout = "plate" if old.kind == "shop" else "sign"
    target = Target(
        storefront_id=old.storefront_id,
        segment_id=old.segment_id,
        replaces_id=old.id,
        printed=old.printed,
    )
    title = f"{old.number} → 更换：{because}"[:200]
    return order(
        session,
        [target],
        title=title,
        layout=layout,
        sheet=None,
        where=where,
        settings=settings,
        by=by,
        at=at,
    )


def again(session: Session, batch: PrintBatch) -> None:
    """Queue a stopped batch once more."""
    done = session.execute(
        update(PrintBatch)
        .where(PrintBatch.subdistrict_id == batch.subdistrict_id, PrintBatch.id == batch.id)
        .where(PrintBatch.state == "stopped")
        .values(state="waiting", report={})
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise WrongState
    jobs.later(session, "codes.print", subdistrict_id=batch.subdistrict_id, batch_id=str(batch.id))


def find(session: Session, batch_id: uuid.UUID) -> PrintBatch:
    row = session.get(PrintBatch, (tenant_of(session), batch_id))
    if row is None:
        raise NotFound
    return row


def finished(session: Session, batch: PrintBatch, *, at: datetime, **report: Any) -> None:
    """The print file is whole and every symbol was read back."""
    done = session.execute(
        update(PrintBatch)
        .where(PrintBatch.subdistrict_id == batch.subdistrict_id, PrintBatch.id == batch.id)
        .where(PrintBatch.state.in_({"waiting", "running", "stopped"}))
        .values(state="ready", finished_at=at, report=report, pdf_sha256=report.get("sha256"))
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        return  # somebody else printed it meanwhile: the same plates, the same file
    _advance(session, batch, "print", {"generated"}, "printed", by=batch.made_by, at=at)
    session.refresh(batch)
    batch.list_sha256 = hashlib.sha256(packing.list_csv(session, batch)).hexdigest()
    events.record(session, "codes.batch_printed", subject=batch, by=batch.made_by, at=at, **report)


def stopped(session: Session, batch: PrintBatch, *, at: datetime, **report: Any) -> None:
    """Nothing was handed out; the reason stands in the report."""
    batch.state, batch.finished_at, batch.report = "stopped", at, report


def delivered(session: Session, batch: PrintBatch, *, by: uuid.UUID, at: datetime) -> None:
    """The plates are in our hands; the caller destroys the sealed tokens after the commit."""
    done = session.execute(
        update(PrintBatch)
        .where(PrintBatch.subdistrict_id == batch.subdistrict_id, PrintBatch.id == batch.id)
        .where(PrintBatch.state == "ready")
        .values(state="delivered")
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise WrongState
    _advance(session, batch, "deliver", {"printed"}, "delivered", by=by, at=at)
    session.refresh(batch)
    events.record(session, "codes.batch_delivered", subject=batch, by=by, at=at)


def _advance(
    session: Session,
    batch: PrintBatch,
    act: str,
    starts: set[str],
    leads: str,
    *,
    by: uuid.UUID | None,
    at: datetime,
) -> None:
    """All plates of a batch that are still in the state before; others have gone their way."""
    moved = session.execute(
        update(Plate)
        .where(Plate.subdistrict_id == batch.subdistrict_id, Plate.batch_id == batch.id)
        .where(Plate.state.in_(starts))
        .values(state=leads, state_at=at)
        .returning(Plate.id)
    ).scalars()
    before = next(iter(starts))
    plates.note_steps(session, [(one, before) for one in moved], act, leads, by=by, at=at)


def expire(session: Session, *, at: datetime, after_days: int) -> list[uuid.UUID]:
    """Batches whose tokens have waited too long; the caller destroys them after the commit."""
    old = session.scalars(
        update(PrintBatch)
        .where(PrintBatch.subdistrict_id == tenant_of(session))
        .where(PrintBatch.state.in_({"waiting", "ready", "stopped"}))
        .where(PrintBatch.made_at < at - timedelta(days=after_days))
        .values(state="expired")
        .returning(PrintBatch.id)
    )
    return list(old)


def page(session: Session) -> list[PrintBatch]:
    wanted = (
        select(PrintBatch)
        .where(PrintBatch.subdistrict_id == tenant_of(session))
        .order_by(PrintBatch.made_at.desc())
        .limit(100)
    )
    return list(session.scalars(wanted))
