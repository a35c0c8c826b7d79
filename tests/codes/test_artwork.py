"""Words in their place: long, rare, strange; whole layouts; pictures that say what print says."""

import dataclasses
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis.strategies import characters, text
from PIL import Image

from roadchief.codes import fonts, imposing, lettering, pictures, reading, symbols
from roadchief.codes.artwork import PlateFace, SignFace, compose, fixed
from roadchief.codes.layouts import Layout, UnknownLayout, layout, layouts, sheet, sheets

LONG = (
    "上海市浦东新区潍坊新村街道老字号非物质文化遗产传承保护示范单位"
    "桂香斋糕团点心熟食卤味合作总社崂山路第一直营门市部（原国营）"
)
PLATE = PlateFace(
    text="HTTPS://LJ.EXAMPLE.CN/C/0ABCDEFGHJKMNPQRST",
    number="0428-117",
    title="桂香早点铺",
    road="崂山路",
    house_number="527号",
    human_number="WF-LSL-0527-1",
    block="诚信街区",
    host="lj.example.cn",
    phone="021-5888 0000",
    office="潍坊新村街道",
)
SIGN = SignFace(
    text="HTTPS://LJ.EXAMPLE.CN/C/0ABCDEFGHJKMNPQRSV",
    number="0428-S03",
    road="崂山路",
    segment="北段",
    from_to="商城路 → 张杨路",
    length_m=412,
    chiefs=(("二级路长", "周建国　街道办"), ("巡查员", "陈晓雯　赵立")),
    phone="021-5888 0000",
    scope="两侧建筑之间，含人行道、绿地与非机动车停放点",
    standard="门前三包 · 42 项",
    host="lj.example.cn",
    date="2026-11-24",
    version=3,
    office="潍坊新村街道",
)


def face_for(form: Layout) -> PlateFace | SignFace:
    return SIGN if form.kind == "sign" else PLATE


def said(face: PlateFace | SignFace, name: str) -> str:
    form = layout(name)
    return "\n".join(piece.text for piece in (*fixed(form), *compose(face, form).pieces))


@pytest.mark.parametrize("name", sorted(layouts()))
def test_every_word_stays_on_its_piece_and_out_of_the_quiet_zone(name: str) -> None:
    form = layout(name)
    worst = [face_for(form)]
    if form.kind == "shop":
        worst.append(dataclasses.replace(PLATE, title=LONG, block=LONG, office=LONG, road=LONG))
    else:
        chiefs = tuple((f"第{one}路长", LONG) for one in range(6))
        worst.append(
            dataclasses.replace(SIGN, chiefs=chiefs, scope=LONG, from_to=LONG, office=LONG)
        )
    field = form.symbol
    for face in worst:
        for piece in (*fixed(form), *compose(face, form).pieces):
            right = piece.x + lettering.width_of(
                piece.text, piece.size, piece.weight, piece.spacing
            )
            top, bottom = piece.y - 0.88 * piece.size * 0.3528, piece.y + 0.12 * piece.size * 0.3528
            edge = 3 * form.width / 420
            assert edge <= piece.x <= right <= form.width - edge, piece
            assert edge <= top <= bottom <= form.height - edge, piece
            across = piece.x < field.x + field.w and right > field.x
            assert not (across and top < field.y + field.h and bottom > field.y), piece


@pytest.mark.parametrize("name", ["plate", "sticker", "card"])
def test_a_plate_says_what_it_must(name: str) -> None:
    words = said(PLATE, name)
    for must in ("崂山路 527号", "0428-117", "WF-LSL-0527-1", "诚信街区", "lj.example.cn"):
        assert must in words
    assert "021-5888 0000" in words
    assert "本码不收款、不索要密码" in words


def test_a_sign_says_road_chiefs_office_scope_standard_date() -> None:
    words = said(SIGN, "sign")
    for must in (
        "崂山路 北段（商城路 → 张杨路，412 米）",
        "周建国　街道办",
        "021-5888 0000",
        "42 项",
    ):
        assert must in words
    for must in ("含人行道", "2026-11-24", "版本 3", "本码不收款", "0428-S03", "潍坊新村街道"):
        assert must in words


def test_a_long_name_is_wrapped_and_kept_whole() -> None:
    form = layout("plate")
    composed = compose(dataclasses.replace(PLATE, title=LONG), form)
    assert LONG in "".join(piece.text for piece in composed.pieces)
    assert not composed.undrawn


def test_what_is_far_too_long_is_cut_and_told() -> None:
    composed = compose(dataclasses.replace(PLATE, title=LONG * 5), layout("plate"))
    assert any(piece.text.endswith("…") for piece in composed.pieces)
    (remark,) = composed.undrawn
    assert (remark.number, remark.field, remark.shortened) == ("0428-117", "title", True)


@pytest.mark.parametrize(
    ("title", "lacking"),
    [
        ("囍喆堃玥小馆", ""),
        ("𠮷野家𪚥", ""),
        ("面馆🍜😀", ""),
        ("מטבח טוב", ""),
        ("茶\U0010fffd馆", "\U0010fffd"),
        ("茶\x00馆", "\x00"),
        ("茶\ud800馆", "\ud800"),
        ("👩\u200d🍳\ufe0f厨房", ""),
    ],
)
def test_rare_characters_are_drawn_or_told_never_silently_lost(title: str, lacking: str) -> None:
    composed = compose(dataclasses.replace(PLATE, title=title), layout("plate"))
    assert "".join(one.characters for one in composed.undrawn) == lacking
    assert (lettering.MISSING in "".join(piece.text for piece in composed.pieces)) == bool(lacking)


@settings(max_examples=150, deadline=None)
@given(title=text(characters(), max_size=80), block=text(characters(), max_size=30))
def test_any_text_is_set_in_letters_that_exist_and_stays_in_its_lines(
    title: str, block: str
) -> None:
    form = layout("plate")
    composed = compose(dataclasses.replace(PLATE, title=title, block=block), form)
    for piece in composed.pieces:
        assert all(fonts.source_of(one, piece.weight) for one in piece.text), piece
        wide = lettering.width_of(piece.text, piece.size, piece.weight, piece.spacing)
        assert piece.x >= 0
        assert piece.x + wide <= form.width


def test_arabic_is_joined_and_runs_from_the_right() -> None:
    fitted = lettering.fit("مطعم", 80, size=10, least=6, lines=1, weight="regular", spacing=0)
    (line,) = fitted.lines
    assert line != "مطعم"
    assert line[-1] == "\ufee3"  # the first letter, in its initial shape, ends up rightmost
    assert all(fonts.source_of(character, "regular") for character in line)


def test_punctuation_does_not_begin_a_line() -> None:
    for width in range(12, 60):
        fitted = lettering.fit(
            "东风饮食店，早点、午餐。外卖（電話）", width, size=10, least=10, lines=9,
            weight="regular", spacing=0,
        )  # fmt: skip
        assert not any(line[0] in "，、。）" for line in fitted.lines if line), fitted.lines
        assert not any(line[-1] in "（" for line in fitted.lines if line), fitted.lines


def test_widths_are_those_of_the_embedded_font() -> None:
    assert lettering.width_of("路长", 72, "bold") == pytest.approx(2 * 25.4)
    assert lettering.width_of("𪚥", 72, "regular") == pytest.approx(25.4, rel=0.05)


@pytest.mark.parametrize("form", layouts().values(), ids=lambda form: form.name)
@pytest.mark.parametrize("paper", [None, *sheets().values()], ids=lambda one: one and one.name)
def test_pieces_bleed_and_marks_lie_on_the_paper_and_apart(form: Layout, paper: object) -> None:
    laid = imposing.impose(form, paper)  # type: ignore[arg-type]
    boxes = []
    for x, y in laid.slots:
        left, top = x - laid.bleed, y - laid.bleed
        right, bottom = x + form.width + laid.bleed, y + form.height + laid.bleed
        assert 0 <= left <= right <= laid.width
        assert 0 <= top <= bottom <= laid.height
        boxes.append((left, top, right, bottom))
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            apart = max(one[0], other[0]) - min(one[2], other[2])
            below = max(one[1], other[1]) - min(one[3], other[3])
            assert max(apart, below) > -1e-6
    for x1, y1, x2, y2 in laid.cuts():
        assert 0 <= min(x1, x2) <= max(x1, x2) <= laid.width
        assert 0 <= min(y1, y2) <= max(y1, y2) <= laid.height
        for left, top, right, bottom in boxes:
            inside = left < (x1 + x2) / 2 < right and top < (y1 + y2) / 2 < bottom
            assert not inside, "a crop mark on a piece"


def test_sheets_carry_several_plates() -> None:
    counts = {name: len(imposing.impose(layout("plate"), sheet(name)).slots) for name in sheets()}
    assert counts == {"a4": 2, "a3": 6, "sra3": 8}


def test_the_code_field_is_sixty_millimetres_and_never_below_the_least_module() -> None:
    assert layout("plate").symbol.w == layout("sticker").symbol.w == 60
    assert all(form.symbol.w / 41 >= 0.7 for form in layouts().values())


@pytest.mark.parametrize("name", ["plate", "sign_a4"])
def test_a_png_can_be_scanned(name: str) -> None:
    form = layout(name)
    face = face_for(form)
    picture = Image.open(io.BytesIO(pictures.make_png(face, name, 150)))
    assert picture.size[0] == pytest.approx(form.width / 25.4 * 150, abs=1)
    assert picture.info["dpi"][0] == pytest.approx(150, abs=0.1)
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == face.text


def test_an_svg_is_the_same_symbol_and_needs_no_font() -> None:
    drawing = pictures.make_svg(dataclasses.replace(PLATE, title='<茶>&"🍜', number="<1>"), "plate")
    assert "<text" not in drawing
    assert "font" not in drawing
    assert "<title>&lt;1&gt; 崂山路 527号</title>" in drawing
    path = re.search(r'd="((?:M\d+ \d+h\d+v1h-\d+z)+)"', drawing)
    assert path
    symbol = np.zeros((33, 33), bool)
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1", path[1]):
        symbol[int(y), int(x) : int(x) + int(length)] = True
    image = np.kron(np.pad(~symbol, 4, constant_values=True) * np.uint8(255), np.ones((4, 4)))
    (found,) = zxingcpp.read_barcodes(image.astype(np.uint8))
    assert found.text == PLATE.text


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_pictures_of_a_batch_are_read_back_and_packed(kind: str, tmp_path: Path) -> None:
    faces = [PLATE, dataclasses.replace(PLATE, text=SIGN.text, number="../0428/118", title="🧋")]
    out = tmp_path / "plates.zip"
    told: list[int] = []
    report = pictures.make_pictures(faces, "plate", kind, out, 150, told.append)
    assert (report.plates, report.read_back, told) == (2, 2, [1, 2])
    assert report.undrawn[0].characters == "🧋"
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == [f"00001-0428-117.{kind}", f"00002-.._0428_118.{kind}"]
        body = archive.read(archive.namelist()[0])
    assert body.startswith(b"<svg" if kind == "svg" else b"\x89PNG")
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_spoilt_picture_stops_the_batch(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = symbols.modules(SIGN.text)
    monkeypatch.setattr(symbols, "modules", lambda text: other)
    with pytest.raises(reading.WrongSymbol, match="0428-117"):
        pictures.make_pictures([PLATE], "plate", kind, tmp_path / "a.zip", 150)
    assert not list(tmp_path.iterdir())


def test_odd_wishes_are_refused() -> None:
    with pytest.raises(UnknownLayout):
        layout("poster")
    with pytest.raises(UnknownLayout):
        sheet("b5")
    for dpi in (0, -1, 10**6):
        with pytest.raises(pictures.OddResolution):
            pictures.make_png(PLATE, "plate", dpi)


def test_without_the_chinese_font_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = fonts.Source(fonts.FOLDER / "nowhere.ttc", 2)
    monkeypatch.setitem(fonts.SOURCES, "regular", (nowhere,))
    with pytest.raises(fonts.NoFont, match="fonts-noto-cjk"):
        fonts.cut("路", "regular")
