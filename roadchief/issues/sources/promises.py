"""Photos that a case will have: a phone sends its findings first and its photos when it can.

A finding names its photos by the hash of what will be sent. Those that are not here yet are
noted, and join the case when they arrive, however late and whatever the case has become.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from roadchief import blobs
from roadchief.blobs import Blob
from roadchief.db import in_turn, new_id, tenant_of
from roadchief.issues.models import CasePhoto, CasePhotoPromise

KEPT_FOR = timedelta(days=60)  # a phone that has been silent for so long sends nothing any more


def here_already(session: Session, hashes: Iterable[str]) -> dict[str, Blob]:
    """The photos that came before. Ask this before any case is locked.

    A photo that arrives in this moment waits for us, or we for it: it is never missed by both.
    """
    wanted = sorted(set(hashes))
    for sha256 in wanted:
        in_turn(session, _matter(sha256))
    return blobs.find_many(session, wanted)


def expect(
    session: Session, case_id: uuid.UUID, hashes: Iterable[str], *, part: str, at: datetime
) -> None:
    """These photos belong to the case as soon as they are here."""
    rows = [
        {
            "subdistrict_id": tenant_of(session),
            "source_sha256": sha256,
            "case_id": case_id,
            "part": part,
            "promised_at": at,
        }
        for sha256 in sorted(set(hashes))
    ]
    if rows:
        session.execute(insert(CasePhotoPromise).values(rows).on_conflict_do_nothing())


def arrived(session: Session, blob: Blob, *, at: datetime) -> int:
    """A photo has come: every case that waits for it has it from now on. How many did.

    No case is locked for it: nothing of the case moves, whatever is being done to it.
    """
    in_turn(session, _matter(blob.source_sha256))
    here = tenant_of(session)
    waiting = session.execute(
        delete(CasePhotoPromise)
        .where(
            CasePhotoPromise.subdistrict_id == here,
            CasePhotoPromise.source_sha256 == blob.source_sha256,
        )
        .returning(CasePhotoPromise.case_id, CasePhotoPromise.part)
    ).all()
    for case_id, part in waiting:
        session.execute(
            insert(CasePhoto)
            .values(
                subdistrict_id=here,
                id=new_id(),
                case_id=case_id,
                photo_id=blob.id,
                part=part,
                added_at=at,
            )
            .on_conflict_do_nothing(index_elements=["subdistrict_id", "case_id", "photo_id"])
        )
    return len(waiting)


def waiting_for(session: Session, case_id: uuid.UUID) -> int:
    """How many photos of a case are still on somebody's phone."""
    rows = session.scalars(
        select(CasePhotoPromise.source_sha256).where(
            CasePhotoPromise.subdistrict_id == tenant_of(session),
            CasePhotoPromise.case_id == case_id,
        )
    )
    return len(rows.all())


def forget_old(session: Session, *, at: datetime) -> int:
    """Promises that nobody will keep. At night."""
    gone = session.execute(
        delete(CasePhotoPromise)
        .where(
            CasePhotoPromise.subdistrict_id == tenant_of(session),
            CasePhotoPromise.promised_at < at - KEPT_FOR,
        )
        .returning(CasePhotoPromise.case_id)
    )
    return len(gone.all())


def _matter(sha256: str) -> str:
    return f"photo {sha256}"
