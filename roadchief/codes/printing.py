"""Batches of print: made in parts on all cores, read back, joined, and only then handed out.

Parts live beside the file in `<file>.parts/` under names made of what they say. A run that was
interrupted finds its finished parts there and goes on; other faces give other names. The file
itself appears in one step, when every symbol has been read back from its finished page.
"""

import fcntl
import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path

from roadchief.codes import fonts, joining, proofing, symbols
from roadchief.codes.artwork import Composed, Face, PlateFace, Undrawn, compose
from roadchief.codes.imposing import impose
from roadchief.codes.layouts import Layout, fingerprint, layout, sheet
from roadchief.codes.paper import Paper
from roadchief.codes.proofing import Place
from roadchief.errors import BadInput, Conflict, Unavailable

PART = 240  # pieces: enough to share fonts, few enough to lose little
LOOK = 24  # parts that the last look takes at a time
ALONE = 3  # parts: up to here starting other processes costs more time than it saves


class NothingToPrint(BadInput):
    zh = "没有要印的牌"
    en = "there is nothing to print"


class WrongKind(BadInput):
    zh = "牌 {number} 不能用版式“{layout}”印刷"
    en = "{number} cannot be printed with the layout {layout!r}"


class PrintedTwice(BadInput):
    zh = "牌 {number} 在本批中出现了两次"
    en = "{number} occurs twice in this batch"


class AlreadyPrinting(Conflict):
    zh = "“{name}”正在印制中"
    en = "{name} is being printed already"


class PrintInterrupted(Unavailable):
    zh = "印制中断：{reason}。已完成的部分保留，再次运行会接着做"
    en = "printing was interrupted: {reason}. Finished parts are kept: run it again to go on"


@dataclass(frozen=True, slots=True)
class PrintReport:
    path: Path
    plates: int
    pages: int
    bytes: int
    sha256: str
    read_back: int
    undrawn: tuple[Undrawn, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A finished part: what the report and the last look at the joined file need of it."""

    path: Path
    plates: int
    pages: int
    first_page: tuple[Place, ...]
    undrawn: tuple[Undrawn, ...]


def make_pdf(
    faces: Iterable[Face],
    layout_name: str,
    sheet_name: str | None,
    out: Path,
    progress: Callable[[int], None] | None = None,
    workers: int | None = None,
) -> PrintReport:
    """Print all faces into one PDF at `out`; raises a Refusal and leaves no `out` otherwise.

    `sheet_name` None puts one piece on a page. `progress` is told how many pieces are finished.
    """
    form = layout(layout_name)
    slots = len(impose(form, sheet(sheet_name) if sheet_name else None).slots)
    size = max(PART - PART % slots, slots)
    for weight in fonts.SOURCES:
        fonts.kept(weight)  # cut here once, not in every process
    with parts_of(out) as folder:
        try:
            orders = _orders(checked(faces, form), size, layout_name, sheet_name, folder)
            parts = _made(orders, progress, workers or len(os.sched_getaffinity(0)))
            return _handed_out(parts, out, folder)
        except OSError as fault:
            raise PrintInterrupted(reason=fault.strerror or str(fault)) from fault
        except BrokenProcessPool as fault:
            raise PrintInterrupted(reason="a process ended") from fault


Order = tuple[tuple[Face, ...], str, str | None, Path]


def checked(faces: Iterable[Face], form: Layout) -> Iterator[Face]:
    """Refuses what must not be printed. Remembers eight bytes a piece, no more."""
    seen: set[bytes] = set()
    for face in faces:
        if isinstance(face, PlateFace) != (form.kind == "shop"):
            raise WrongKind(number=face.number, layout=form.name)
        mark = hashlib.blake2b(face.text.encode("utf-8", "replace"), digest_size=8).digest()
        if mark in seen:
            raise PrintedTwice(number=face.number)
        seen.add(mark)
        yield face
    if not seen:
        raise NothingToPrint()


def _orders(
    faces: Iterator[Face], size: int, layout_name: str, sheet_name: str | None, folder: Path
) -> Iterator[Order]:
    common = f"{fingerprint()} {fonts.EDITION} {layout_name} {sheet_name}"
    number = 0
    while some := tuple(islice(faces, size)):
        mark = hashlib.sha256(f"{common} {some!r}".encode("utf-8", "backslashreplace"))
        yield some, layout_name, sheet_name, folder / f"{number:05d}-{mark.hexdigest()[:24]}.pdf"
        number += 1


def _made(
    orders: Iterator[Order], progress: Callable[[int], None] | None, workers: int
) -> list[Part]:
    """All parts in order. No more than two orders a process are held at a time."""
    done = 0
    parts: dict[str, Part] = {}

    def take(part: Part) -> None:
        nonlocal done
        parts[part.path.name] = part
        done += part.plates
        if progress:
            progress(done)

    first = list(islice(orders, ALONE + 1))
    if workers < 2 or len(first) <= ALONE:
        for order in chain(first, orders):
            take(make_part(*order))
        return [parts[name] for name in sorted(parts)]
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_leave_signals_alone)
    waiting: set[Future[Part]] = set()
    try:
        for order in chain(first, orders):
            waiting.add(pool.submit(make_part, *order))
            if len(waiting) >= 2 * workers:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for one in finished:
                    take(one.result())
        for one in waiting:
            take(one.result())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return [parts[name] for name in sorted(parts)]


def _leave_signals_alone() -> None:
    """Ctrl-C is for the process that people started; it lets finished parts be kept."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def make_part(
    faces: tuple[Face, ...], layout_name: str, sheet_name: str | None, path: Path
) -> Part:
    """Draw and read back one part, or take the finished one that is there already."""
    facts = path.with_suffix(".json")
    if path.is_file() and facts.is_file():
        return _remembered(path, json.loads(facts.read_text(encoding="ascii")))
    form = layout(layout_name)
    words = [compose(face, form) for face in faces]
    making = path.with_suffix(".making")
    places = _drawn(making, faces, words, form, sheet_name)
    proofing.read_back(making, places)
    part = Part(
        path,
        len(faces),
        places[-1].page + 1,
        tuple(place for place in places if place.page == 0),
        tuple(remark for one in words for remark in one.undrawn),
    )
    told = {**asdict(part), "path": None}
    facts.write_text(json.dumps(told), encoding="ascii")
    os.replace(making, path)
    return part


def _drawn(
    making: Path,
    faces: tuple[Face, ...],
    words: list[Composed],
    form: Layout,
    sheet_name: str | None,
) -> list[Place]:
    places: list[Place] = []
    field = form.symbol
    drawn = symbols.many([face.text for face in faces])
    with making.open("wb") as target:
        paper = Paper(target, form, impose(form, sheet(sheet_name) if sheet_name else None), words)
        for face, said, symbol in zip(faces, words, drawn, strict=True):
            page, x, y = paper.add(said, symbol, face.number)
            places.append(Place(page, x + field.x, y + field.y, field.w, face.text, face.number))
        paper.finish()
    return places


def _remembered(path: Path, facts: dict[str, object]) -> Part:
    first = tuple(Place(**place) for place in facts["first_page"])  # type: ignore[attr-defined]
    undrawn = tuple(Undrawn(**one) for one in facts["undrawn"])  # type: ignore[attr-defined]
    return Part(path, int(str(facts["plates"])), int(str(facts["pages"])), first, undrawn)


def _handed_out(parts: list[Part], out: Path, folder: Path) -> PrintReport:
    """Join, look once more at a page of every part in the joined file, and put it in place."""
    joined = folder / "joined.making"
    joined.touch(0o600)
    with joined.open("wb") as target:
        joining.join([part.path for part in parts], target)
        target.flush()
        os.fsync(target.fileno())
    pages = sum(part.pages for part in parts)
    last_look: list[Place] = []
    before = 0
    for number, part in enumerate(parts, 1):
        last_look += [replace(place, page=place.page + before) for place in part.first_page]
        before += part.pages
        if number % LOOK == 0 or number == len(parts):  # afresh: a reader keeps every font it met
            proofing.read_back(joined, last_look, pages)
            last_look = []
    with joined.open("rb") as body:
        digest = hashlib.file_digest(body, "sha256").hexdigest()
    plates = sum(part.plates for part in parts)
    undrawn = tuple(remark for part in parts for remark in part.undrawn)
    os.replace(joined, out)
    shutil.rmtree(folder, ignore_errors=True)
    return PrintReport(out, plates, pages, out.stat().st_size, digest, plates, undrawn)


@contextmanager
def parts_of(out: Path) -> Iterator[Path]:
    """The parts' folder, for us alone: what is in it are secrets until they hang on a wall."""
    folder = out.with_name(out.name + ".parts")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyPrinting(name=out.name) from None
        yield folder
