"""One piece as a picture: SVG with outlines instead of letters, PNG from the very page of print."""

from io import BytesIO
from xml.sax.saxutils import escape, quoteattr

import pypdfium2
from PIL import Image

from roadchief.codes import fonts, layouts, symbols
from roadchief.codes.artwork import Face, PlateFace, compose, fixed
from roadchief.codes.imposing import Imposition
from roadchief.codes.layouts import Element, Layout, layout
from roadchief.codes.lettering import POINT_MM, width_of
from roadchief.codes.paper import ICON, Paper
from roadchief.codes.reading import MM, pdfium
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
