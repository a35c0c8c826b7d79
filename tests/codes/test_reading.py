"""Print read back: batches that resume, and files in which something is wrong."""

import dataclasses
import importlib
import multiprocessing
import os
import random
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from roadchief.codes import joining, paper, printing, proofing, reading, symbols
from roadchief.codes.artwork import PlateFace, compose
from roadchief.codes.imposing import impose
from roadchief.codes.layouts import layout, sheet
from roadchief.config import ROOT

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def plates(count: int, seed: int = 1) -> list[PlateFace]:
    chance = random.Random(seed)
    return [
        PlateFace(
            text="HTTPS://LJ.EXAMPLE.CN/C/" + "".join(chance.choices(CROCKFORD, k=18)),
            number=f"0428-{number:05d}",
            title="面馆🍜" if number % 7 == 0 else "",
            road="崂山路",
            house_number=f"{number}号",
            human_number=f"WF-LSL-{number:04d}-1",
            block=None,
            host="lj.example.cn",
            phone="021-5888 0000",
        )
        for number in range(count)
    ]


def texts_of(faces: list[PlateFace]) -> list[str]:
    return [face.text for face in faces]


@pytest.mark.parametrize("sheet_name", [None, "a4", "a3"])
def test_a_batch_is_printed_in_order_and_read_back(sheet_name: str | None, tmp_path: Path) -> None:
    faces = plates(9)
    told: list[int] = []
    out = tmp_path / "batch.pdf"
    report = printing.make_pdf(iter(faces), "plate", sheet_name, out, told.append, 1)
    assert (report.plates, report.read_back, report.bytes) == (9, 9, out.stat().st_size)
    assert report.pages == {None: 9, "a4": 5, "a3": 2}[sheet_name]
    assert told == [9]
    assert not report.undrawn
    assert list(tmp_path.iterdir()) == [out]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600, "what it says are secrets"
    check = reading.check_print(out, texts_of(faces))
    assert check.good, check.faults
    assert [one.text for one in check.found] == texts_of(faces)
    numbers = {face.text: face.number for face in faces}
    assert reading.check_print(out, numbers).good
    assert all(one.stands_beside(numbers[one.text]) for one in check.found)


def test_several_parts_on_several_processes_are_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "ALONE", 0)
    monkeypatch.setattr(reading, "AFRESH", 7)
    faces = plates(printing.PART + 60)
    told: list[int] = []
    one = printing.make_pdf(faces, "plate", "a3", tmp_path / "one.pdf", told.append, 2)
    assert sorted(told) == told
    assert told[-1] == len(faces)
    again = printing.make_pdf(faces, "plate", "a3", tmp_path / "two.pdf", None, 1)
    assert one.sha256 == again.sha256, "the same faces give the same file"
    assert one.bytes / len(faces) < 1500
    check = reading.check_print(tmp_path / "one.pdf", texts_of(faces))
    assert check.good, check.faults[:3]
    assert check.pages == one.pages == 50


def test_one_plate_a_page_stays_small_and_says_where_to_cut(tmp_path: Path) -> None:
    faces = plates(120)
    report = printing.make_pdf(faces, "plate", None, tmp_path / "a.pdf", None, 1)
    assert report.bytes / len(faces) < 1600
    document = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    page = document[119]
    left, bottom, right, top = page.get_trimbox()
    assert (right - left) / 72 * 25.4 == pytest.approx(100, abs=0.02)
    assert (top - bottom) / 72 * 25.4 == pytest.approx(140, abs=0.02)
    assert page.get_bleedbox()[0] == pytest.approx(left - 3 / 25.4 * 72, abs=0.02)
    document.close()


def test_letters_are_embedded_as_a_subset(tmp_path: Path) -> None:
    printing.make_pdf(plates(2), "plate", None, tmp_path / "a.pdf", None, 1)
    body = (tmp_path / "a.pdf").read_bytes()
    assert b"RoadChiefSans" in body
    assert b"/FontFile2" in body
    assert len(body) < 100_000
    document = pypdfium2.PdfDocument(tmp_path / "a.pdf")
    words = document[0].get_textpage().get_text_range()
    document.close()
    assert "本码不收款" in words
    assert "崂山路" in words


def test_an_interrupted_run_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = plates(3 * 24)
    monkeypatch.setattr(printing, "PART", 24)
    made: list[str] = []
    real = printing._drawn

    def counted(making: Path, *rest: object) -> object:
        made.append(making.name)
        if len(made) == 3:
            raise KeyboardInterrupt
        return real(making, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(printing, "_drawn", counted)
    out = tmp_path / "run.pdf"
    with pytest.raises(KeyboardInterrupt):
        printing.make_pdf(faces, "plate", "a3", out, None, 1)
    assert not out.exists()
    kept = out.with_name("run.pdf.parts")
    assert len(list(kept.glob("*.pdf"))) == 2
    assert stat.S_IMODE(kept.stat().st_mode) == 0o700
    report = printing.make_pdf(faces, "plate", "a3", out, None, 1)
    assert len(made) == 4, "only the part that was missing is made"
    assert report.plates == 72
    assert not kept.exists()
    assert reading.check_print(out, texts_of(faces)).good


def test_other_faces_do_not_take_up_old_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run.pdf"
    monkeypatch.setattr(
        printing, "_handed_out", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        printing.make_pdf(plates(6), "plate", "a3", out, None, 1)
    monkeypatch.undo()
    other = plates(6, seed=2)
    printing.make_pdf(other, "plate", "a3", out, None, 1)
    assert reading.check_print(out, texts_of(other)).good


def test_a_killed_run_leaves_no_file_and_goes_on(tmp_path: Path) -> None:
    """A real process, killed without warning while its second part is being made."""
    program = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from roadchief.codes import printing
        from tests.codes.test_reading import plates
        printing.PART = 60
        printing.make_pdf(plates(60 * 60), "plate", None, Path({str(tmp_path / "run.pdf")!r}),
                          lambda done: print(done, flush=True), 1)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "60\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "run.pdf").exists()
    kept = sorted((tmp_path / "run.pdf.parts").glob("*.pdf"))
    assert kept
    before = kept[0].stat().st_mtime_ns
    time.sleep(0.01)
    part = printing.make_part(tuple(plates(60)), "plate", None, kept[0])
    assert part.plates == 60
    assert kept[0].stat().st_mtime_ns == before


def test_a_process_that_dies_interrupts_the_run_and_the_next_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "ALONE", 0)
    monkeypatch.setattr(printing, "PART", 24)
    faces = plates(20 * 24)
    out = tmp_path / "run.pdf"

    def kill_one(done: int) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(printing.PrintInterrupted):
        printing.make_pdf(faces, "plate", "a3", out, kill_one, 2)
    assert not out.exists()
    assert list(out.with_name("run.pdf.parts").glob("*.pdf"))
    assert printing.make_pdf(faces, "plate", "a3", out, None, 1).plates == len(faces)
    assert reading.check_print(out, texts_of(faces)).good


def test_what_must_not_be_printed_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "no.pdf"
    faces = plates(3)
    with pytest.raises(printing.NothingToPrint):
        printing.make_pdf([], "plate", "a3", out, None, 1)
    with pytest.raises(printing.PrintedTwice):
        printing.make_pdf([*faces, faces[0]], "plate", "a3", out, None, 1)
    with pytest.raises(printing.WrongKind):
        printing.make_pdf(faces, "sign", None, out, None, 1)
    too_long = dataclasses.replace(faces[0], text=faces[0].text + "X" * 20)
    with pytest.raises(symbols.TooLongForSymbol):
        printing.make_pdf([too_long], "plate", None, out, None, 1)
    assert not out.exists()


def test_two_runs_on_one_file_do_not_mix(tmp_path: Path) -> None:
    out = tmp_path / "one.pdf"

    def faces() -> Iterator[PlateFace]:
        yield from plates(2)
        with pytest.raises(printing.AlreadyPrinting):
            printing.make_pdf(plates(2), "plate", None, out, None, 1)

    assert printing.make_pdf(faces(), "plate", None, out, None, 1).plates == 2


def test_a_full_disk_is_said_and_nothing_is_handed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(printing.os, "replace", full)
    with pytest.raises(printing.PrintInterrupted, match="No space left"):
        printing.make_pdf(plates(2), "plate", None, tmp_path / "x.pdf", None, 1)
    assert not (tmp_path / "x.pdf").exists()


# ---- faults in our own print ---------------------------------------------------------------------


def spoilt(monkeypatch: pytest.MonkeyPatch, spoil: str) -> None:
    """Make the next page of print come out wrong in one way."""
    real = paper.modules_drawn

    def drawn(symbol: symbols.Modules, field: object) -> str:
        faces = plates(6)
        if (symbol == (symbols.modules(faces[2].text) & ~paper.FINDERS)).all():
            if spoil == "swapped":
                return real(symbols.modules(faces[3].text) & ~paper.FINDERS, field)  # type: ignore[arg-type]
            if spoil == "wrong":
                other = symbols.modules(plates(1, seed=9)[0].text)
                return real(other & ~paper.FINDERS, field)  # type: ignore[arg-type]
            if spoil == "missing":
                return ""
            if spoil == "smudged":
                return real(symbol, field) + " q 1 0 0 rg 130 -130 9 9 re f Q"  # type: ignore[arg-type]
        return real(symbol, field)  # type: ignore[arg-type]

    monkeypatch.setattr(paper, "modules_drawn", drawn)


@pytest.mark.parametrize("spoil", ["swapped", "wrong", "missing", "smudged"])
@pytest.mark.parametrize("sheet_name", [None, "a3"])
def test_a_spoilt_symbol_stops_the_batch_and_is_named(
    spoil: str, sheet_name: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt(monkeypatch, spoil)
    out = tmp_path / "spoilt.pdf"
    with pytest.raises(reading.WrongSymbol) as stopped:
        printing.make_pdf(plates(6), "plate", sheet_name, out, None, 1)
    facts = stopped.value.facts
    assert facts["number"] == "0428-00002"
    assert facts["page"] == (3 if sheet_name is None else 1)
    if not (spoil == "swapped" and sheet_name is None):  # alone on its page it is simply wrong
        assert facts["kind"] == spoil
    assert not out.exists()
    for face in plates(6):
        assert face.text[-18:] not in stopped.value.say("zh"), "secrets stay out of messages"


def test_a_symbol_away_from_its_place_is_noticed(tmp_path: Path) -> None:
    faces = plates(1)
    form = layout("plate")
    words = [compose(faces[0], form)]
    laid = impose(form, None)
    with (tmp_path / "a.pdf").open("wb") as target:
        made = paper.Paper(target, form, laid, words)
        made.add(words[0], symbols.modules(faces[0].text), "")
        made.finish()
    x, y = laid.slots[0][0] + form.symbol.x, laid.slots[0][1] + form.symbol.y
    right = proofing.Place(0, x, y, 60, faces[0].text, faces[0].number)
    proofing.read_back(tmp_path / "a.pdf", [right])
    with pytest.raises(reading.WrongSymbol) as stopped:
        proofing.read_back(tmp_path / "a.pdf", [dataclasses.replace(right, x=x + 5)])
    assert stopped.value.facts["kind"] == "misplaced"
    with pytest.raises(reading.WrongSymbol) as stopped:
        proofing.read_back(tmp_path / "a.pdf", [dataclasses.replace(right, number="0428-0000")])
    assert stopped.value.facts["kind"] == "swapped", "a part of the number is not the number"


# ---- any file ------------------------------------------------------------------------------------


def printed(faces: list[PlateFace], out: Path) -> Path:
    """A file as a sign maker may send it back: whatever these faces say, without our checks."""
    form = layout("plate")
    words = [compose(face, form) for face in faces]
    with out.open("wb") as target:
        made = paper.Paper(target, form, impose(form, sheet("a3")), words)
        for face, said in zip(faces, words, strict=True):
            made.add(said, symbols.modules(face.text), "")
        made.finish()
    return out


def test_a_file_with_one_symbol_swapped_is_found_out(tmp_path: Path) -> None:
    faces = plates(12)
    texts = texts_of(faces)
    swapped = [*faces]
    swapped[2] = dataclasses.replace(faces[2], text=texts[8])
    swapped[8] = dataclasses.replace(faces[8], text=texts[2])
    file = printed(swapped, tmp_path / "swapped.pdf")
    in_order = reading.check_print(file, texts)
    assert [(one.page, one.place, one.kind) for one in in_order.faults] == [
        (1, 3, "swapped"),
        (2, 9, "swapped"),
    ]
    by_number = reading.check_print(file, {face.text: face.number for face in faces})
    assert [(one.page, one.kind) for one in by_number.faults] == [(1, "swapped"), (2, "swapped")]
    assert reading.check_print(file, set(texts)).good, "a set does not say who belongs where"


def test_a_foreign_a_missing_and_a_repeated_symbol_are_found_out(tmp_path: Path) -> None:
    faces = plates(6)
    texts = texts_of(faces)
    foreign = [*faces[:5], dataclasses.replace(faces[5], text="HTTPS://EVIL.EXAMPLE/C/0ABC")]
    check = reading.check_print(printed(foreign, tmp_path / "a.pdf"), texts)
    assert [(one.place, one.kind) for one in check.faults] == [(6, "wrong")]
    check = reading.check_print(printed(faces[:5], tmp_path / "b.pdf"), texts)
    assert [(one.page, one.kind, one.expected) for one in check.faults] == [
        (0, "missing", texts[5])
    ]
    repeated = [*faces[:5], dataclasses.replace(faces[5], text=texts[0])]
    check = reading.check_print(printed(repeated, tmp_path / "c.pdf"), set(texts))
    assert {one.kind for one in check.faults} == {"missing", "repeated"}
    check = reading.check_print(tmp_path / "c.pdf")
    assert [(one.page, one.place, one.kind) for one in check.faults] == [(1, 6, "repeated")]
    assert not check.good
    assert "第 1 页" in check.faults[0].sentence("zh")
    assert "page 1" in check.faults[0].sentence("en")


def test_a_page_without_a_symbol_is_told(tmp_path: Path) -> None:
    canvas = Canvas(str(tmp_path / "empty.pdf"), pagesize=(300, 300))
    canvas.drawString(20, 20, "nothing")
    canvas.save()
    check = reading.check_print(tmp_path / "empty.pdf")
    assert [(one.page, one.kind) for one in check.faults] == [(1, "missing")]
    assert check.faults[0].sentence("zh") == "第 1 页：读不出二维码"
    assert not check.good


def test_a_file_that_is_no_pdf_or_far_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 no")
    with pytest.raises(reading.NotReadable):
        reading.check_print(tmp_path / "a.pdf")
    with pytest.raises(reading.NotReadable):
        reading.check_print(tmp_path / "nowhere.pdf")
    canvas = Canvas(str(tmp_path / "vast.pdf"), pagesize=(14400, 14400))
    canvas.showPage()
    canvas.save()
    with pytest.raises(reading.NotReadable):
        reading.check_print(tmp_path / "vast.pdf")


def test_parts_that_are_not_ours_are_not_joined(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4\nstartxref\n9\n%%EOF")
    with (tmp_path / "b.pdf").open("wb") as target, pytest.raises(joining.NotOurs):
        joining.join([tmp_path / "a.pdf"], target)


# ---- badly taken photographs ---------------------------------------------------------------------


def test_plates_are_read_tilted_turned_covered_and_noisy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "bench"))
    photos = importlib.import_module("code_photos")
    chance = random.Random(3)
    for number in range(5):
        face = photos.face(number, chance)
        plate = photos.plate_picture(face)
        for share in (0.0, 0.06):
            view = photos.shot(photos.covered(plate, share, chance), 5, chance)
            said = [one.text for one in reading.read_image(view) if one.valid]
            assert said == [face.text], (number, share)


# ---- photographs of strangers --------------------------------------------------------------------


def grey(photo: Path) -> np.ndarray:
    """As a camera sees it: what is transparent lies on white."""
    picture = Image.open(photo).convert("RGBA")
    return np.asarray(
        Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("L")
    )


def test_phone_photos_of_strangers_are_read(strangers: Callable[[str], Path]) -> None:
    tried = read = 0
    for photo in sorted(strangers("E_qr/zxing").rglob("*.png")):
        wanted = photo.with_suffix(".txt").read_text(encoding="utf-8", errors="replace").split()
        tried += 1
        read += wanted in [one.text.split() for one in reading.read_image(grey(photo)) if one.valid]
    assert tried > 70
    assert read / tried > 0.9, f"{read} of {tried}"


def test_no_symbol_is_seen_where_there_is_none(strangers: Callable[[str], Path]) -> None:
    for photo in sorted(strangers("E_qr/no_code_present").iterdir()):
        assert not [one for one in reading.read_image(grey(photo)) if one.valid], photo.name
