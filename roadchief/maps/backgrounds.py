"""Backgrounds from outside, by settings alone: 天地图, and a tile service of any datum. *Pure.*

Our own drawing stays the default: until somebody chooses another, nothing is asked of another host.
What our pages may load is exactly the hosts named here. Our data stay WGS-84 on every background;
tiles of GCJ-02 are moved under them (static/js/backgrounds.js).
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIANDITU = "天地图"
TIANDITU_HOSTS = "01234567"
# vec: areas and lines, cva: their labels; `_w` is web Mercator, whose TILEMATRIX is the zoom.
TIANDITU_URL = (
    "https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0"
    "&LAYER={layer}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
    "&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"
)
SETTINGS = (
    "tianditu_key",
    "tianditu_review_number",
    "tiles_url",
    "tiles_subdomains",
    "tiles_datum",
    "tiles_label",
    "tiles_attribution",
    "tiles_review_number",
)
MOST_ZOOM = 18  # of their tiles; beyond, they are enlarged


@dataclass(frozen=True)
class Background:
    """Something to draw under our data, as static/js/backgrounds.js takes it."""

    name: str
    label: str
    urls: tuple[str, ...]  # from the bottom up
    subdomains: str
    datum: str
    attribution: str
    most_zoom: int = MOST_ZOOM

    @property
    def hosts(self) -> list[str]:
        """Where its tiles come from, for the content policy."""
        signs = list(self.subdomains) or [""]
        parts = [urlsplit(url.replace("{s}", sign)) for url in self.urls for sign in signs]
        return list(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))

    def told(self) -> dict[str, Any]:
        return {**vars(self), "urls": list(self.urls)}


def offered(
    *,
    tianditu_key: str,
    tianditu_review_number: str,
    tiles_url: str,
    tiles_subdomains: str,
    tiles_datum: str,
    tiles_label: str,
    tiles_attribution: str,
    tiles_review_number: str,
) -> list[Background]:
    """What the settings switch on; usually nothing."""
    found = []
    if tianditu_key:
        found.append(
            Background(
                "tianditu",
                TIANDITU,
                tuple(TIANDITU_URL.format(layer=one, key=tianditu_key) for one in ("vec", "cva")),
                TIANDITU_HOSTS,
                "wgs84",  # CGCS2000: the same within a hand's breadth
                f"{TIANDITU} · {tianditu_review_number}",
            )
        )
    if tiles_url:
        whose = tiles_attribution or tiles_label
        found.append(
            Background(
                "tiles",
                tiles_label,
                (tiles_url,),
                tiles_subdomains,
                tiles_datum,
                f"{whose} · {tiles_review_number}",
            )
        )
    return found


def hosts(backgrounds: list[Background]) -> list[str]:
    return list(dict.fromkeys(host for one in backgrounds for host in one.hosts))
