"""A map page as one file for a meeting without network: styles, scripts and data stand in it.

The same sheet as the page's, without what leads elsewhere. Under it lie the streets as lines, for
there are no tiles without network. The file forbids itself to load anything.
"""

import json
import re
import shutil
import subprocess
import tempfile
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from roadchief.config import ROOT
from roadchief.errors import BadInput, Unavailable
from roadchief.maps import frontages, sheets
from roadchief.maps.folium_pages import Pieces
from roadchief.maps.sheets import Sheet

STATIC = ROOT / "static"
STYLES = ("vendor/pico.min.css", "css/roadchief.css", "vendor/leaflet/leaflet.css", "css/map.css",
          "css/sheets.css", "css/saved.css")  # fmt: skip
SCRIPTS = ("vendor/leaflet/leaflet.js", "js/paper.js", "js/sheets.js")
OUTSIDE = re.compile(r"url\((?![\"']?data:)[^)]*\)")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PICTURE = (1440, 1000)
DRAWING_S = 60
MOST_ROWS = 2000


class NoBrowser(Unavailable):
    """A picture of a map is drawn by a browser."""

    zh = "要生成图片，本机需要 Chromium：apt-get install chromium；或改存 .html"
    en = "a picture needs Chromium on this machine: apt-get install chromium; or save as .html"


@dataclass(frozen=True)
class Heading:
    """What stands above the saved map: of which place, and as of when."""

    place: str
    as_of: str
    attribution: str


def contents(
    session: Session, sheet: Sheet, drawing: Pieces, heading: Heading, *, language: str
) -> dict[str, Any]:
    """What maps/saved.html is filled with. `drawing` is the map made for no address: its data
    stand in the page."""
    paper = sheet.on_paper()
    told = paper.told() | {
        "ground": sheets.ground(session),
        "names": sheets.names(session, language=language),
    }
    return {
        "sheet": paper,
        "side_numbers": frontages.side_numbers,
        "width_of": frontages.width_of,
        "rows": paper.rows[:MOST_ROWS],
        "heading": heading,
        "drawing": drawing,
        "styles": [_style(name) for name in STYLES],
        "scripts": [_script(name) for name in SCRIPTS],
        "data": _in_script(told),
        "mark": b64encode((STATIC / "img/mark.svg").read_bytes()).decode(),
    }


def picture(text: str, out: Path) -> None:
    """The page as PNG, drawn by a browser that may reach nothing; raises NoBrowser."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise NoBrowser
    with tempfile.TemporaryDirectory(prefix="roadchief-map-") as lot:
        source, drawn = Path(lot, "map.html"), Path(lot, "map.png")
        source.write_text(text, encoding="utf-8")
        width, height = PICTURE
        command = [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"),
            *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars"),
            *(f"--user-data-dir={lot}/profile", f"--window-size={width},{height}"),
            *("--virtual-time-budget=4000", f"--screenshot={drawn}", source.as_uri()),
        ]
        try:
            subprocess.run(command, capture_output=True, timeout=DRAWING_S, check=True)
        except (subprocess.SubprocessError, OSError) as error:
            raise NoBrowser from error
        if not drawn.is_file():
            raise NoBrowser
        shutil.copyfile(drawn, out)


def ending(out: Path, known: tuple[str, ...] = (".html", ".png")) -> str:
    if out.suffix not in known:
        said = " ".join(known)
        raise BadInput(field="--out", reason_zh=f"以 {said} 结尾", reason_en=f"ends in {said}")
    return out.suffix


def _style(name: str) -> Markup:
    """Rules of ours; pictures that a style would load stay out (a saved map shows none of them)."""
    rules = OUTSIDE.sub("none", (STATIC / name).read_text(encoding="utf-8"))
    return Markup(rules.replace("</", "<\\/"))  # noqa: S704


def _script(name: str) -> Markup:
    text = (STATIC / name).read_text(encoding="utf-8")
    text = re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.M)
    return Markup(text.replace("</script", "<\\/script"))  # noqa: S704


def _in_script(told: dict[str, Any]) -> Markup:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"), default=str)
    for sign, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(sign, code)
    return Markup(text)  # noqa: S704
