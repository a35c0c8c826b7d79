"""Backgrounds from outside, against servers that this test plays: our data lie right on them."""

import io
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from flask import Flask
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, Route, expect
from werkzeug.serving import make_server

from roadchief.app import create_app
from roadchief.config import ROOT
from roadchief.db import Database
from roadchief.lib import coords
from roadchief.lib.coords import Datum
from tests import databases, makers
from tests.browser.widths import overhang_px
from tests.conftest import WEIFANG, make_settings

DATUM_JS = (ROOT / "static/js/datum.js").read_text(encoding="utf-8")
PAINT = (255, 0, 255)
TILE = 256
PLACES = {
    "东方明珠": (121.4997, 31.23969),
    "天安门": (116.39747, 39.90869),
    "广州塔": (113.31906, 23.10913),
    "乌鲁木齐": (87.61688, 43.82663),
}
HOST = "https://tiles{s}.example.cn"
GCJ: dict[str, Any] = {
    "tiles_url": HOST + "/{z}/{x}/{y}.png",
    "tiles_subdomains": "12",
    "tiles_label": "试验瓦片",
    "tiles_attribution": "© 试验",
    "tiles_review_number": "GS（试）0002号",
}
TIANDITU: dict[str, Any] = {
    "tianditu_key": "0123456789abcdef",
    "tianditu_review_number": "GS（试）0001号",
}


@dataclass
class Place:
    """A small sub-district, served on loopback with the settings that a test wants."""

    address: str
    app: Flask

    def set(self, **given: Any) -> None:
        usual = {
            "tianditu_key": "",
            "tiles_url": "",
            "tiles_subdomains": "",
            "tiles_datum": "gcj02",
        }
        settings = self.app.extensions["roadchief.settings"]
        self.app.extensions["roadchief.settings"] = replace(settings, **(usual | given))


@pytest.fixture(scope="module")
def place(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with databases.clone(server, databases.template(server)) as url:
        settings = make_settings(url, tmp_path_factory.mktemp("var"))
        database = Database(settings)
        with database.transaction(WEIFANG) as session:
            makers.make_subdistrict(session)
            makers.make_storefront(session)
        app = create_app(settings, database)
        web = make_server("127.0.0.1", 0, app, threaded=True)
        address = f"http://127.0.0.1:{web.server_port}"
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        yield Place(address, app)
        web.shutdown()
        thread.join()
        web.server_close()
        database.engine.dispose()


@dataclass
class Seen:
    """What the page did."""

    page: Page
    asked: list[str]
    trouble: list[str]


@pytest.fixture
def visit(browser: Browser, place: Place) -> Iterator[Any]:
    """A page of `place`; whatever it asks of another host is answered by `answer` alone."""
    contexts = []

    def go(answer: Any, path: str = "/map/", width: int = 1000, height: int = 800) -> Seen:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
        contexts.append(context)
        seen = Seen(context.new_page(), [], [])

        def outside(route: Route) -> None:
            seen.asked.append(route.request.url)
            answer(route)

        context.route(lambda url: not url.startswith(place.address), outside)
        seen.page.on("pageerror", lambda error: seen.trouble.append(str(error)))
        seen.page.on(
            "console",
            lambda said: "Security Policy" in said.text and seen.trouble.append(said.text),
        )
        seen.page.goto(place.address + path)
        return seen

    yield go
    for context in contexts:
        context.close()


def blank(route: Route) -> None:
    route.fulfill(content_type="image/png", body=picture())


def picture(spot: tuple[float, float] | None = None) -> bytes:
    """A tile; with a round spot of paint about that pixel."""
    image = Image.new("RGB", (TILE, TILE), (225, 232, 228))
    if spot:
        x, y = spot
        # Four times as large and made small again: a spot whose middle is exact.
        large = image.resize((TILE * 4, TILE * 4))
        box = [4 * x - 28, 4 * y - 28, 4 * x + 28, 4 * y + 28]
        ImageDraw.Draw(large).ellipse(box, fill=PAINT)
        image = large.resize((TILE, TILE), Image.Resampling.BOX)
    kept = io.BytesIO()
    image.save(kept, "PNG")
    return kept.getvalue()


def painted(route: Route) -> None:
    """A service of GCJ-02: it paints the places where that datum has them."""
    z, x, y = (int(one.removesuffix(".png")) for one in route.request.url.split("/")[-3:])
    spot = None
    for lon, lat in PLACES.values():
        east, north = coords.from_wgs84(lon, lat, Datum.GCJ02)
        px, py = mercator(float(east), float(north), z)
        dx, dy = px - x * TILE, py - y * TILE
        if -10 < dx < TILE + 10 and -10 < dy < TILE + 10:
            spot = (dx, dy)
    route.fulfill(content_type="image/png", body=picture(spot))


def mercator(lon: float, lat: float, zoom: int) -> tuple[float, float]:
    """Pixels of the world at a zoom."""
    size = TILE * 2**zoom
    turn = math.asinh(math.tan(math.radians(lat)))
    return (lon + 180) / 360 * size, (1 - turn / math.pi) / 2 * size


def choose(seen: Seen, label: str) -> None:
    seen.page.get_by_label("底图").select_option(label=label)


def look_at(page: Page, lon: float, lat: float, zoom: int) -> None:
    """The place a bit off the middle: the difference of datums is another one there."""
    for _ in range(40):  # the page's first view may still be moving
        page.evaluate(
            f"""() => {{ const map = roadchiefMap;
            map.options.minZoom = 3; map.options.maxZoom = 20;
            map.setView([{lat}, {lon}], {zoom}, {{animate: false}});
            map.panBy([-130, 120], {{animate: false}}); }}"""
        )
        page.wait_for_timeout(300)
        at = page.evaluate(f"roadchiefMap.latLngToContainerPoint([{lat}, {lon}])")
        size = page.evaluate("roadchiefMap.getSize()")
        if abs(at["x"] - size["x"] / 2 - 130) < 2 and abs(at["y"] - size["y"] / 2 + 120) < 2:
            return
    raise AssertionError("the map does not stand still")


def middle_of_paint(page: Page) -> tuple[float, float]:
    """Where the painted spot is seen, in pixels of the window, once it stands still."""
    last: tuple[float, float] | None = None
    for _ in range(80):
        page.wait_for_timeout(250)
        image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        ys, xs = np.nonzero(np.abs(np.asarray(image, int) - np.array(PAINT)).sum(axis=2) < 60)
        if xs.size > 60:
            found = (float(xs.mean()) + 0.5, float(ys.mean()) + 0.5)
            if found == last:
                return found
            last = found
    state = page.evaluate("document.querySelector('.folium-map').dataset.ground")
    raise AssertionError(f"the spot is not in sight; the ground is {state}")


def test_both_datums_are_the_same_in_javascript(browser: Browser) -> None:
    dice = np.random.default_rng(7)
    lon = np.concatenate(
        [dice.uniform(70, 140, 3000), dice.uniform(121.3, 121.8, 1000), [0, 121.5]]
    )
    lat = np.concatenate([dice.uniform(0, 56, 3000), dice.uniform(30.9, 31.5, 1000), [0, 31.2]])
    page = browser.new_page()
    told = page.evaluate(
        f"(all) => {{ {DATUM_JS}; return all.map(([lon, lat]) => "
        "[RoadChiefDatum.toGcj(lon, lat), RoadChiefDatum.toWgs(lon, lat)].flat()); }",
        np.column_stack([lon, lat]).tolist(),
    )
    page.close()
    metre = 1 / 111_320
    ours = [*coords.from_wgs84(lon, lat, Datum.GCJ02), *coords.to_wgs84(lon, lat, Datum.GCJ02)]
    apart = np.abs(np.array(told) - np.column_stack(ours))
    # Where China's box ends GCJ-02 leaps, and a way back from within the leap is nobody's.
    west, south, east, north = coords.CHINA
    inner = (lon > west + 0.1) & (lon < east - 0.1) & (lat > south + 0.1) & (lat < north - 0.1)
    assert apart[:, :2].max() < 1e-3 * metre
    assert apart[inner][:, 2:].max() < 1e-3 * metre
    moved = np.hypot(ours[0] - lon, ours[1] - lat)
    assert np.median(moved[inner]) > 100 * metre  # so there was something to compare


@pytest.mark.parametrize("name", list(PLACES))
@pytest.mark.parametrize("zoom", [11, 14, 16, 18, 19])
def test_our_marker_lies_on_its_spot_of_a_gcj_02_service(
    place: Place, visit: Any, name: str, zoom: int
) -> None:
    place.set(**GCJ)
    seen = visit(painted)
    page, (lon, lat) = seen.page, PLACES[name]
    choose(seen, "试验瓦片")
    look_at(page, lon, lat, zoom)
    x, y = middle_of_paint(page)
    box = page.locator(".folium-map").bounding_box()
    assert box
    at = page.evaluate(f"() => {{ const p = roadchiefMap.latLngToContainerPoint([{lat}, {lon}]); "
                       "return [p.x, p.y]; }")  # fmt: skip
    wanted = (box["x"] + at[0], box["y"] + at[1])
    assert math.hypot(x - wanted[0], y - wanted[1]) <= 2, ((x, y), wanted)
    # A touch on the painted spot is the place in WGS-84.
    page.evaluate("roadchiefMap.on('click', (event) => { window.touched = event.latlng; })")
    page.mouse.click(x, y)
    touched = page.evaluate("[touched.lng, touched.lat]")
    pixel_m = 40_075_016.7 * math.cos(math.radians(lat)) / (TILE * 2**zoom)
    east = (touched[0] - lon) * 111_320 * math.cos(math.radians(lat))
    north = (touched[1] - lat) * 111_320
    assert math.hypot(east, north) <= 3 * pixel_m + 1
    assert seen.trouble == []
    assert {urlsplit(one).netloc for one in seen.asked} <= {f"tiles{n}.example.cn" for n in "12"}


def test_tiles_of_our_datum_are_not_moved(place: Place, visit: Any) -> None:
    place.set(**GCJ | {"tiles_datum": "wgs84"})
    lon, lat = PLACES["东方明珠"]

    def exact(route: Route) -> None:
        z, x, y = (int(one.removesuffix(".png")) for one in route.request.url.split("/")[-3:])
        px, py = mercator(lon, lat, z)
        route.fulfill(content_type="image/png", body=picture((px - x * TILE, py - y * TILE)))

    seen = visit(exact)
    choose(seen, "试验瓦片")
    look_at(seen.page, lon, lat, 16)
    at = seen.page.evaluate(f"Object.values(roadchiefMap.latLngToContainerPoint([{lat}, {lon}]))")
    box = seen.page.locator(".folium-map").bounding_box()
    assert box
    x, y = middle_of_paint(seen.page)
    assert math.hypot(x - box["x"] - at[0], y - box["y"] - at[1]) <= 2


@pytest.mark.parametrize("width", [390, 1440])
def test_tianditu_is_shown_with_its_review_number_when_chosen(
    place: Place, visit: Any, width: int
) -> None:
    place.set(**TIANDITU)
    seen = visit(blank, width=width)
    page = seen.page
    page.wait_for_load_state("networkidle")
    assert seen.asked == []  # ours is the default: nobody is asked
    choice = page.get_by_label("底图")
    expect(choice).to_have_value("own")
    box = choice.bounding_box()
    assert box
    assert box["height"] >= 44
    choose(seen, "天地图")
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("天地图 · GS（试）0001号")
    expect(page.locator(".leaflet-control-attribution")).not_to_contain_text("自绘底图")
    expect(page.locator("img.leaflet-tile-loaded").first).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert {urlsplit(one).path for one in seen.asked} == {"/vec_w/wmts", "/cva_w/wmts"}
    zoom = page.evaluate("String(roadchiefMap.getZoom())")
    for one in seen.asked:
        asked = parse_qs(urlsplit(one).query)
        assert asked["TILEMATRIX"] == [zoom]
        assert asked["tk"] == ["0123456789abcdef"]
        assert urlsplit(one).netloc in {f"t{n}.tianditu.gov.cn" for n in range(8)}
    # Ours lies above it still, and the choice is remembered on the next page.
    assert page.locator("canvas.leaflet-tile").count() > 0
    page.reload()
    expect(page.get_by_label("底图")).to_have_value("tianditu")
    choose(seen, "自绘底图")
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("自绘底图")
    assert page.locator("img.leaflet-tile").count() == 0
    assert seen.trouble == []
    assert overhang_px(page) <= 0


@pytest.mark.parametrize("fault", ["abort", "403", "words"])
def test_a_background_that_cannot_be_read_gives_way_to_ours_and_says_so(
    place: Place, visit: Any, fault: str
) -> None:
    place.set(**TIANDITU)

    def refuse(route: Route) -> None:
        if fault == "abort":
            route.abort()
        else:
            kind = {"403": 403, "words": 200}[fault]
            route.fulfill(status=kind, content_type="text/html", body="no")

    seen = visit(refuse, width=390)
    choose(seen, "天地图")
    said = seen.page.locator(".groundsays")
    expect(said).to_have_text("天地图暂时读不到，已换回自绘底图。")
    expect(seen.page.get_by_label("底图")).to_have_value("own")
    credit = seen.page.locator(".leaflet-control-attribution")
    expect(credit).to_contain_text("自绘底图")
    expect(credit).not_to_contain_text("天地图")
    assert seen.page.locator("img.leaflet-tile").count() == 0
    assert seen.page.locator("canvas.leaflet-tile").count() > 0
    assert seen.trouble == []


def test_only_our_origin_is_told_to_others(place: Place, visit: Any) -> None:
    place.set(**GCJ)
    told: list[str] = []

    def note(route: Route) -> None:
        told.append(route.request.all_headers().get("referer", ""))
        blank(route)

    seen = visit(note, path=f"/map/?s={WEIFANG}")
    choose(seen, "试验瓦片")
    expect(seen.page.locator("img.leaflet-tile-loaded").first).to_be_attached()
    assert set(told) == {place.address + "/"}


def test_without_settings_there_is_no_choice(place: Place, visit: Any, tmp_path: Path) -> None:
    place.set()
    seen = visit(blank)
    seen.page.wait_for_load_state("networkidle")
    assert seen.page.get_by_label("底图").count() == 0
    assert seen.asked == []
