"""Draw the app's icons from the mark: `.venv/bin/python scripts/icons.py` after a change of it."""

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parents[1] / "static" / "img"
BLUE, WHITE, GREEN = "#0B5CAD", "#FFFFFF", "#56C79A"
FINE = 4  # drawn larger and made smaller: smooth edges


def drawing(size: int, *, maskable: bool) -> Image.Image:
    """A road in perspective with a pin beside it. A maskable icon keeps clear of its rim."""
    side = size * FINE
    picture = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    if maskable:
        pen.rectangle((0, 0, side, side), fill=BLUE)
    else:
        pen.rounded_rectangle((0, 0, side - 1, side - 1), radius=side * 0.22, fill=BLUE)
    inner = 0.62 if maskable else 0.8

    def at(x: float, y: float) -> tuple[float, float]:
        return side * (0.5 + (x - 0.5) * inner), side * (0.5 + (y - 0.5) * inner)

    pen.polygon([at(0.30, 0.0), at(0.46, 0.0), at(0.70, 1.0), at(0.06, 1.0)], fill=WHITE)
    for top, bottom in ((0.08, 0.24), (0.36, 0.56), (0.70, 0.94)):
        wide = 0.012 + bottom * 0.02
        pen.polygon(
            [at(0.38 - wide, top), at(0.38 + wide, top), at(0.38 + wide, bottom),
             at(0.38 - wide, bottom)],
            fill=BLUE,
        )  # fmt: skip
    (left, up), (right, down) = at(0.64, 0.14), at(0.98, 0.48)
    pen.polygon([at(0.665, 0.40), at(0.955, 0.40), at(0.81, 0.70)], fill=GREEN)
    pen.ellipse((left, up, right, down), fill=GREEN)
    (left, up), (right, down) = at(0.75, 0.25), at(0.87, 0.37)
    pen.ellipse((left, up, right, down), fill=BLUE)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    for size in (192, 512):
        drawing(size, maskable=False).save(FOLDER / f"app-{size}.png", optimize=True)
    drawing(512, maskable=True).save(FOLDER / "app-maskable-512.png", optimize=True)
