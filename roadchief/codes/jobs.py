"""What the worker does for codes: print, expire, count, watch for copies."""

import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from roadchief import jobs
from roadchief.codes import batches, counting, inscriptions, pictures, printing, sealing, tokens
from roadchief.codes.models import PrintBatch
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.errors import Refusal
from roadchief.lib import clock

TELL_EVERY = 50  # plates between two notes of progress
PICTURES = frozenset({"svg", "png"})  # a picture a plate instead of sheets of paper


def file_name(sheet: str | None) -> str:
    """What a batch is handed out as."""
    return f"plates-{sheet}.zip" if sheet in PICTURES else "plates.pdf"


@jobs.task("codes.print")
def print_batch(subdistrict_id: int, batch_id: str) -> None:
    """Draw a batch. Run again after a crash, it takes up the parts that are whole."""
    here = jobs.surroundings()
    with suppress(printing.AlreadyPrinting):  # by the command: that tells how it ends
        run(here.database, here.settings, subdistrict_id, uuid.UUID(batch_id))


def run(
    database: Database,
    settings: Settings,
    subdistrict_id: int,
    batch_id: uuid.UUID,
    tell: Callable[[int], None] | None = None,
) -> Path:
    """The print file of a batch; raises the Refusal that stopped it, after noting it.

    Where it is made already, that is the answer; where another makes it, `AlreadyPrinting`.
    """
    with database.transaction(subdistrict_id) as session:
        batch = batches.find(session, batch_id)
        if batch.state in {"delivered", "expired"}:
            raise sealing.NoLongerSealed
        layout, sheet = batch.layout, batch.sheet
        out = sealing.folder(settings, subdistrict_id, batch_id) / file_name(sheet)
        if batch.state == "ready" and out.is_file():
            return out
        if batch.state != "running":  # else another is at it, or was
            batch.state, batch.report = "running", {"done": 0}
    try:
        secrets = sealing.unseal(settings, subdistrict_id, batch_id)
        with database.transaction(subdistrict_id) as session:
            faces = list(
                inscriptions.faces(
                    session,
                    secrets,
                    where=tokens.site(settings.public_url),
                    phone=settings.office_phone,
                    at=clock.now(),
                )
            )
        progress = _teller(database, subdistrict_id, batch_id, tell)
        if sheet in PICTURES:
            report = pictures.make_pictures(faces, layout, sheet, out, progress=progress)
        else:
            report = printing.make_pdf(faces, layout, sheet, out, progress=progress)
    except printing.AlreadyPrinting:
        raise
    except Refusal as refusal:
        _stopped(database, subdistrict_id, batch_id, refusal)
        raise
    except KeyboardInterrupt as stop:
        broken_off = printing.PrintInterrupted(reason="Ctrl-C")
        _stopped(database, subdistrict_id, batch_id, broken_off)
        raise broken_off from stop
    _note(database, subdistrict_id, batch_id, report)
    return out


def _stopped(
    database: Database, subdistrict_id: int, batch_id: uuid.UUID, refusal: Refusal
) -> None:
    said = {"lines": {one: refusal.say(one) for one in ("zh", "en")}}
    with database.transaction(subdistrict_id) as session:
        batches.stopped(session, batches.find(session, batch_id), at=clock.now(), **said)


def _note(
    database: Database, subdistrict_id: int, batch_id: uuid.UUID, report: printing.PrintReport
) -> None:
    with database.transaction(subdistrict_id) as session:
        batches.finished(
            session,
            batches.find(session, batch_id),
            at=clock.now(),
            plates=report.plates,
            pages=report.pages,
            bytes=report.bytes,
            sha256=report.sha256,
            read_back=report.read_back,
            undrawn=[
                [one.number, one.field, one.characters, one.shortened] for one in report.undrawn
            ],
        )


def _teller(
    database: Database,
    subdistrict_id: int,
    batch_id: uuid.UUID,
    tell: Callable[[int], None] | None,
) -> Callable[[int], None]:
    told = 0

    def note(done: int) -> None:
        nonlocal told
        if tell:
            tell(done)
        if done - told < TELL_EVERY:
            return
        told = done
        with database.transaction(subdistrict_id) as session:
            row = session.get_one(PrintBatch, (subdistrict_id, batch_id))
            if row.state == "running":
                row.report = {"done": done}

    return note


@jobs.queue.periodic(cron="40 3 * * *")
@jobs.task("codes.nightly")
def nightly(timestamp: int) -> None:
    """Expired batches lose their tokens; old scans become monthly counts."""
    here = jobs.surroundings()
    counting.every_night(here.database, here.settings, at=clock.now())


@jobs.queue.periodic(cron="*/10 * * * *")
@jobs.task("codes.watch")
def watch(timestamp: int) -> None:
    """Bursts of scans: a code copied to a poster is scanned far more often than a door.

    Batches whose job was given up stop, so that the page offers to go on.
    """
    here = jobs.surroundings()
    counting.look_for_bursts(here.database, at=clock.now())
    counting.end_orphans(here.database, at=clock.now())
