"""Letters for print: TrueType fonts cut to the characters that a job needs.

Print needs outlines that reportlab can embed, and Debian's Noto Sans CJK has the other kind (CFF).
So characters are drawn anew with quadratic curves. The everyday ones (GB 2312) are cut once and
kept; rarer ones are cut for the file in which they occur, each from the first source that has it:
Noto for nearly all Chinese, Hanazono for rare characters of the outer planes, DejaVu for Hebrew
and Arabic, Symbola for signs and emoji (drawn in one colour).
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph

from roadchief.config import ROOT
from roadchief.errors import Unavailable

EM = 1000
ASCENT, DESCENT = 880, -120
CURVE_ERROR = 0.6  # of 1000 units: far below what a printer can show
FOLDER = Path("/usr/share/fonts")
KEPT = ROOT / "var" / "fonts"
EDITION = "2"  # of the cutting below: other editions are cut anew


@dataclass(frozen=True)
class Source:
    path: Path
    number: int = -1  # in a collection


SOURCES: dict[str, tuple[Source, ...]] = {
    weight: (
        Source(FOLDER / f"opentype/noto/NotoSansCJK-{noto}.ttc", 2),
        Source(FOLDER / f"truetype/dejavu/{dejavu}.ttf"),
        Source(FOLDER / "truetype/hanazono/HanaMinA.ttf"),
        Source(FOLDER / "truetype/hanazono/HanaMinB.ttf"),
        Source(FOLDER / "truetype/ancient-scripts/Symbola_hint.ttf"),
    )
    for weight, noto, dejavu in (
        ("regular", "Regular", "DejaVuSans"),
        ("bold", "Bold", "DejaVuSans-Bold"),
    )
}


class NoFont(Unavailable):
    zh = "缺少中文字体 {path}，请安装 Debian 软件包 fonts-noto-cjk"
    en = "the Chinese font {path} is missing: install the Debian package fonts-noto-cjk"


@cache
def _opened(source: Source) -> TTFont | None:
    if not source.path.is_file():
        return None
    return TTFont(source.path, fontNumber=source.number, lazy=True)


@cache
def _characters_of(source: Source) -> dict[int, str]:
    font = _opened(source)
    return dict(font.getBestCmap()) if font else {}


@lru_cache(maxsize=65536)
def source_of(character: str, weight: str) -> Source | None:
    """The first font that has this character; None when no installed one has it."""
    if character in everyday():
        return SOURCES[weight][0]
    code = ord(character)
    return next((one for one in SOURCES[weight] if code in _characters_of(one)), None)


@cache
def everyday() -> frozenset[str]:
    """GB 2312 and ASCII: what nearly every plate is written with."""
    found = {chr(code) for code in range(0x20, 0x7F)}
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                found.add(bytes((high, low)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return frozenset(found | set("·—…“”‘’→←↑↓×〓№℃"))


def cut(characters: Iterable[str], weight: str) -> bytes:
    """A TrueType file with those of the characters that any source has."""
    if not SOURCES[weight][0].path.is_file():
        raise NoFont(path=str(SOURCES[weight][0].path))
    glyphs: dict[str, Glyph] = {".notdef": TTGlyphPen(None).glyph()}
    widths = {".notdef": (EM // 2, 0)}
    named: dict[int, str] = {}
    for character in sorted(set(characters)):
        source = source_of(character, weight)
        if source is None:
            continue
        name = f"u{ord(character):05X}"
        glyphs[name], widths[name] = _drawn(source, ord(character))
        named[ord(character)] = name
    return _bound(glyphs, widths, named, weight)


def _drawn(source: Source, code: int) -> tuple[Glyph, tuple[int, int]]:
    font = _opened(source)
    assert font is not None
    outlines = font.getGlyphSet()
    outline = outlines[_characters_of(source)[code]]
    scale = EM / font["head"].unitsPerEm
    strokes = DecomposingRecordingPen(outlines)
    outline.draw(strokes)
    pen = TTGlyphPen(None)
    curves = Cu2QuPen(pen, CURVE_ERROR, reverse_direction="CFF " in font)
    strokes.replay(TransformPen(curves, (scale, 0, 0, scale, 0, 0)))
    glyph = pen.glyph()
    glyph.recalcBounds(None)
    return glyph, (round(outline.width * scale), getattr(glyph, "xMin", 0))


def _bound(
    glyphs: dict[str, Glyph],
    widths: dict[str, tuple[int, int]],
    named: dict[int, str],
    weight: str,
) -> bytes:
    builder = FontBuilder(EM, isTTF=True)
    builder.updateHead(created=0, modified=0)  # the same characters, the same file
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(named)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(widths)
    builder.setupHorizontalHeader(ascent=ASCENT, descent=DESCENT)
    builder.setupOS2(
        sTypoAscender=ASCENT,
        sTypoDescender=DESCENT,
        sCapHeight=733,
        usWeightClass=700 if weight == "bold" else 400,
    )
    # A name of its own: cut fonts may not pass for the originals they came from.
    mark = hashlib.sha256(repr(sorted(named)).encode()).hexdigest()[:8]
    builder.setupNameTable(
        {
            "familyName": "RoadChief Sans",
            "styleName": weight.title(),
            "psName": f"RoadChiefSans-{weight.title()}-{mark}",
        }
    )
    builder.setupPost(keepGlyphNames=False)
    written = io.BytesIO()
    builder.save(written)
    return written.getvalue()


@cache
def kept(weight: str) -> bytes:
    """The everyday font of a weight: cut at first use (about ten seconds), then read from disk."""
    origin = SOURCES[weight][0].path
    if not origin.is_file():
        raise NoFont(path=str(origin))
    facts = origin.stat()
    mark = hashlib.sha256(f"{EDITION} {origin} {facts.st_size} {facts.st_mtime_ns}".encode())
    place = KEPT / f"{weight}-{mark.hexdigest()[:16]}.ttf"
    try:
        return place.read_bytes()
    except OSError:
        made = cut(everyday(), weight)
    try:
        KEPT.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=KEPT, delete=False) as making:
            making.write(made)
        os.chmod(making.name, 0o644)
        os.replace(making.name, place)
    except OSError:
        pass  # a place where we may not write: cut again next time
    return made


def advance(character: str, weight: str) -> float:
    """How far the pen moves after this character, in thousandths of the size."""
    source = source_of(character, weight)
    return _drawn(source, ord(character))[1][0] if source else EM / 2


@lru_cache(maxsize=4096)
def outline(character: str, weight: str) -> str:
    """SVG path data on an em of 1000 with y upwards; empty where no font has the character."""
    source = source_of(character, weight)
    if source is None:
        return ""
    pen = SVGPathPen(None, ntos=lambda number: f"{number:g}")
    _drawn(source, ord(character))[0].draw(pen, None)
    return pen.getCommands()
