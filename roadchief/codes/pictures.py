"""One piece as a picture: SVG with outlines instead of letters, PNG from the very page of print."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image

from roadchief.codes import fonts, layouts, symbols
from roadchief.codes.artwork import Face, PlateFace, Undrawn, compose, fixed
from roadchief.codes.imposing import Imposition
from roadchief.codes.layouts import Element, Layout, UnknownLayout, layout
from roadchief.codes.lettering import POINT_MM, width_of
from roadchief.codes.paper import ICON, Paper
from roadchief.codes.printing import PrintInterrupted, PrintReport, checked, parts_of
from roadchief.codes.reading import MM, REASONS, WrongSymbol, pdfium, read_image
from roadchief.errors import BadInput

LEAST_DPI, MOST_DPI = 36, 1200
MOST_PIXELS = 80_000_000


class OddResolution(BadInput):
    zh = "分辨率 {dpi} 不合适，请用 {least} 至 {most} dpi，且图像不超过 {pixels} 像素"
    en = "{dpi} dpi will not do: {least} to {most}, and at most {pixels} pixels"


def make_svg(face: Face, layout_name: str) -> str:
    """The cut piece, in millimetres. Nobody needs our fonts to open it."""
    form = layout(layout_name)
    parts = [_shape(element) for element in form.elements]
    parts.append(_symbol(form, symbols.modules(face.text)))
    for piece in (*fixed(form), *compose(face, form).pieces):
        x, scale = piece.x, piece.size * POINT_MM / fonts.EM
        parts.append(f'<g fill="{layouts.colour(piece.fill)}">')
        for character in piece.text:
            outline = fonts.outline(character, piece.weight)
            if outline:
                place = f"matrix({scale:.6f} 0 0 {-scale:.6f} {x:.3f} {piece.y:.3f})"
                parts.append(f'<path transform="{place}" d="{outline}"/>')
            x += width_of(character, piece.size, piece.weight)
            x += piece.spacing * piece.size * POINT_MM
        parts.append("</g>")
    address = f"{face.road} {_where(face)}".strip()
    title = escape(_printable(f"{face.number} {address}"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{form.width}mm" '
        f'height="{form.height}mm" viewBox="0 0 {form.width} {form.height}" role="img">'
        f"<title>{title}</title>{''.join(parts)}</svg>\n"
    )


def make_png(face: Face, layout_name: str, dpi: int = 300) -> bytes:
    """The cut piece without bleed and marks, rasterised from the same page as the print."""
    form = layout(layout_name)
    pixels = form.width * form.height * (dpi / MM) ** 2
    if not LEAST_DPI <= dpi <= MOST_DPI or pixels > MOST_PIXELS:
        raise OddResolution(dpi=dpi, least=LEAST_DPI, most=MOST_DPI, pixels=MOST_PIXELS)
    said = compose(face, form)
    drawn = BytesIO()
    bare = Imposition(form.width, form.height, form.width, form.height, 0, ((0.0, 0.0),))
    paper = Paper(drawn, form, bare, [said])
    paper.add(said, symbols.modules(face.text), "")
    paper.finish()
    with pdfium:
        document = pypdfium2.PdfDocument(drawn.getvalue())
        picture: Image.Image = document[0].render(scale=dpi / 72).to_pil()
        document.close()
    written = BytesIO()
    picture.save(written, "PNG", dpi=(dpi, dpi), optimize=False)
    return written.getvalue()


def make_pictures(
    faces: Iterable[Face],
    layout_name: str,
    kind: str,
    out: Path,
    dpi: int = 300,
    progress: Callable[[int], None] | None = None,
) -> PrintReport:
    """A ZIP of one picture a plate (`kind` svg or png), named by its number, each read back.

    Appears in one step when all are good; raises a Refusal otherwise.
    """
    form = layout(layout_name)
    done = 0
    undrawn: list[Undrawn] = []
    with parts_of(out) as folder:
        making = folder / "pictures.making"
        try:
            making.touch(0o600)
            with ZipFile(making, "w", ZIP_STORED if kind == "png" else ZIP_DEFLATED) as archive:
                for face in checked(faces, form):
                    body = _picture(face, layout_name, kind, dpi, done + 1)
                    name = re.sub(r"[^\w.-]+", "_", face.number)
                    archive.writestr(ZipInfo(f"{done + 1:05d}-{name}.{kind}"), body)
                    undrawn += compose(face, form).undrawn
                    done += 1
                    if progress:
                        progress(done)
            with making.open("rb") as body_file:
                digest = hashlib.file_digest(body_file, "sha256").hexdigest()
            os.replace(making, out)
        except OSError as fault:
            raise PrintInterrupted(reason=fault.strerror or str(fault)) from fault
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return PrintReport(out, done, done, out.stat().st_size, digest, done, tuple(undrawn))


def _picture(face: Face, layout_name: str, kind: str, dpi: int, number: int) -> bytes:
    if kind == "png":
        body = make_png(face, layout_name, dpi)
        seen = np.asarray(Image.open(BytesIO(body)).convert("L"))
    elif kind == "svg":
        body = make_svg(face, layout_name).encode()
        seen = _symbol_of(body)
    else:
        raise UnknownLayout(name=kind[:40], known="svg、png")
    if [one.text for one in read_image(seen) if one.valid] != [face.text]:
        zh, en = REASONS["wrong"]
        raise WrongSymbol(page=number, number=face.number, kind="wrong", reason_zh=zh, reason_en=en)
    return body


def _symbol_of(drawing: bytes) -> NDArray[np.uint8]:
    """The picture's path of modules, rasterised from what the file says."""
    side = symbols.SIZE + 2 * symbols.QUIET
    light = np.ones((side, side), bool)
    path = max(re.findall(rb'd="((?:M\d+ \d+h\d+v1h-\d+z)+)"', drawing), key=len)
    for x, y, length in re.findall(rb"M(\d+) (\d+)h(\d+)v1", path):
        left, top = int(x) + symbols.QUIET, int(y) + symbols.QUIET
        light[top, left : left + int(length)] = False
    return np.kron(light, np.full((4, 4), 255, np.uint8)).astype(np.uint8)


def _where(face: Face) -> str:
    return face.house_number if isinstance(face, PlateFace) else face.segment


def _printable(text: str) -> str:
    """XML has no place for control characters and lone surrogates."""
    return "".join(one for one in text if one.isprintable())


def _shape(element: Element) -> str:
    if element.what not in ("box", "line", "icon"):
        return ""
    fill = layouts.colour(element.fill) if element.fill else "none"
    paint = f"fill={quoteattr(fill)}"
    if element.stroke:
        thick = element.thick or 2 * element.w / ICON
        paint += f' stroke="{layouts.colour(element.stroke)}" stroke-width="{thick:.3f}"'
    if element.what == "line":
        return f'<path {paint} d="M{element.x} {element.y}h{element.w}"/>'
    if element.what == "icon":
        scale = element.w / ICON
        strokes = " ".join(layouts.icon(element.icon))
        round_ends = 'stroke-linecap="round" stroke-linejoin="round"'
        place = f"matrix({scale:.5f} 0 0 {scale:.5f} {element.x} {element.y})"
        colour = layouts.colour(element.stroke)
        return (
            f'<path transform="{place}" fill="none" stroke="{colour}" stroke-width="2" '
            f'{round_ends} d="{strokes}"/>'
        )
    return (
        f'<rect {paint} x="{element.x}" y="{element.y}" width="{element.w}" '
        f'height="{element.h}" rx="{element.radius}"/>'
    )


def _symbol(form: Layout, symbol: symbols.Modules) -> str:
    field = form.symbol
    module = field.w / (symbols.SIZE + 2 * symbols.QUIET)
    x, y = field.x + symbols.QUIET * module, field.y + symbols.QUIET * module
    path = "".join(
        f"M{column} {row}h{length}v1h-{length}z" for column, row, length in symbols.runs(symbol)
    )
    return f'<path transform="matrix({module:.6f} 0 0 {module:.6f} {x:.4f} {y:.4f})" d="{path}"/>'
