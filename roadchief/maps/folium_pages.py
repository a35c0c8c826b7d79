"""Folium maps whose every asset is ours, in pieces that fit our own page under a strict CSP.

Folium's Map makes the Leaflet map; our one MacroElement hands it to static/js/map.js, which draws
the vector tiles. The page holds no data, so its weight does not grow with the number of shops.
"""

import re
from dataclasses import dataclass
from typing import Any

import folium
from branca.element import MacroElement
from folium.template import Template
from markupsafe import Markup

LEAFLET_JS = "/static/vendor/leaflet/leaflet.js"
LEAFLET_CSS = "/static/vendor/leaflet/leaflet.css"
STYLE = re.compile(r"<style>(.*?)</style>", re.S)
ZOOM_RANGE = (11, 19)


class StreetLayers(MacroElement):
    """Our vector tiles, drawn by static/js/map.js; or a sheet, by static/js/sheets.js."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "{{ this.drawn_by }}.attach({{ this._parent.get_name() }}, {{ this.given|tojson }});"
        "{% endmacro %}"
    )

    def __init__(self, given: dict[str, Any], drawn_by: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "StreetLayers"
        self.given, self.drawn_by = given, drawn_by


@dataclass(frozen=True)
class Pieces:
    """What a page template needs: rules of style, the map's element, and the script's text."""

    style: Markup
    element: Markup
    script: Markup
    outside: bool = False  # whether another background than our own can be chosen


def street_map(
    *,
    bounds: tuple[float, float, float, float] | None,
    given: dict[str, Any],
    drawn_by: str = "RoadChiefMap",
) -> Pieces:
    """A map of our own layers. `bounds` are west, south, east, north in degrees."""
    low, high = ZOOM_RANGE
    page = folium.Map(
        location=(31.2271, 121.5195),
        tiles=None,
        zoom_start=15,
        minZoom=low,  # Folium's own min_zoom is that of its tile layer alone
        maxZoom=high,
        zoom_control=False,
        attribution_control=True,
        prefer_canvas=True,
        control_scale=False,
    )
    page.default_js = [("leaflet", LEAFLET_JS)]
    page.default_css = [("leaflet", LEAFLET_CSS)]
    if bounds:
        west, south, east, north = bounds
        page.fit_bounds([[south, west], [north, east]], padding=(12, 12))
    page.add_child(StreetLayers(given, drawn_by))
    figure: Any = page.get_root()
    figure.render()
    header = figure.header.render()
    # Folium states the map's place in a style element; scripts and links we write ourselves.
    style = "".join(rule for rule in STYLE.findall(header) if page.get_name() in rule)
    return Pieces(
        style=Markup(style),  # noqa: S704
        element=Markup(figure.html.render()),  # noqa: S704
        script=Markup(figure.script.render()),  # noqa: S704
        outside=bool(given.get("backgrounds")),
    )
