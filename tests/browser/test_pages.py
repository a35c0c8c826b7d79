"""What a person sees: no foreign host, no broken policy, no sideways scroll, the map answers."""

import json
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect

from roadchief.config import ROOT
from roadchief.lib import clock
from tests.browser.conftest import Site
from tests.browser.widths import overhang_px

OpenPage = Callable[..., Page]
AXE = ROOT / "static" / "vendor" / "axe.min.js"
PAGES = ["/", "/map/", "/sign-in", "/nothing-here", "/map/search?q=桂香"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [360, 390, 768, 1440])
def test_no_page_scrolls_sideways(open_page: OpenPage, path: str, width: int) -> None:
    page = open_page(path, width=width)
    expect(page.locator("h1, .headline").first).to_be_visible()
    assert overhang_px(page) <= 0


@pytest.mark.parametrize("path", ["/", "/sign-in", "/map/"])
def test_large_type_loses_nothing(open_page: OpenPage, path: str) -> None:
    page = open_page(path + "?type=large", width=390)
    assert overhang_px(page) <= 0


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: OpenPage, path: str, scheme: str) -> None:
    page = open_page(path, width=390, height=844, color_scheme=scheme)
    page.wait_for_load_state("networkidle")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    serious = [
        (one["id"], [node["target"] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == []


def test_the_sign_on_the_send_button_has_its_size(open_page: OpenPage) -> None:
    page = open_page("/report?s=310115004", width=390, height=844)
    sign = page.locator("div.bar button svg").bounding_box()
    assert sign
    assert 18 <= sign["width"] <= 30
    assert abs(sign["width"] - sign["height"]) < 2


def test_a_search_says_why_it_shows_nothing(open_page: OpenPage) -> None:
    page = open_page("/map/", width=390, height=844)
    box, told = page.get_by_role("searchbox"), page.locator("[data-hits] li")
    box.fill("鬱")
    expect(told).to_have_text("再输入一个字，就能找到店名和门牌")
    box.fill("鬱鬱")
    expect(told).to_have_text("没有找到")
    page.route("**/map/search*", lambda route: route.abort())
    box.fill("早点铺")
    expect(told).to_have_text("暂时读不到，请稍后再试")


def test_an_answer_that_comes_late_does_not_cover_the_map(open_page: OpenPage) -> None:
    page = open_page("/map/", width=390, height=844)
    box, hits = page.get_by_role("searchbox"), page.locator("[data-hits] button")
    box.fill("早点铺")
    expect(hits.first).to_be_visible()
    page.evaluate(
        """() => { const quick = window.fetch; window.fetch = (...given) =>
          new Promise((done) => setTimeout(() => done(quick(...given)),
            String(given[0]).includes('/map/search') ? 900 : 0)); }"""
    )
    box.fill("早点")
    page.wait_for_timeout(400)  # it is asked by now
    hits.first.click()
    page.wait_for_timeout(1500)
    expect(hits).to_have_count(0)
    expect(page.locator(".leaflet-popup h3")).to_contain_text("早点铺")


def test_a_shop_is_found_and_tells_who_answers(open_page: OpenPage) -> None:
    page = open_page("/map/", width=390, height=844)
    page.get_by_role("searchbox").fill("崂山路 ")
    page.get_by_role("searchbox").fill("早点铺")
    # Until the second answer is there, the first one is still shown.
    page.locator("[data-hits] button").filter(has_text="早点铺").first.click()
    popup = page.locator(".leaflet-popup")
    expect(popup).to_contain_text("早点铺")
    expect(popup).to_contain_text("号")
    popup.get_by_role("button", name="看这一段").click()
    expect(page.get_by_role("heading", name="门面带状图")).to_be_visible()
    assert overhang_px(page) <= 0


@pytest.mark.parametrize("width", [360, 390, 1440])
def test_answers_lie_below_the_search_box_and_the_popup_below_both(
    open_page: OpenPage, width: int
) -> None:
    page = open_page("/map/", width=width, height=844)
    box = page.get_by_role("searchbox")
    box.fill("早点铺")
    hits = page.locator("[data-hits] button")
    expect(hits.first).to_be_visible()
    field, answer = box.bounding_box(), hits.first.bounding_box()
    assert field
    assert answer
    assert answer["y"] >= field["y"] + field["height"]
    assert answer["width"] > 0.9 * field["width"]
    assert answer["height"] >= 44
    hits.first.click()
    title = page.locator(".leaflet-popup h3")
    expect(title).to_contain_text("早点铺")
    page.wait_for_timeout(600)  # the map moves the pop-up into view
    place = title.bounding_box()
    assert place
    assert place["y"] >= field["y"] + field["height"]


def test_a_touch_on_the_map_opens_the_shop(open_page: OpenPage) -> None:
    page = open_page("/map/")
    hit = page.evaluate(
        "fetch('/map/search?q=早点铺', {headers: {Accept: 'application/json'}})"
        ".then(r => r.json()).then(r => r.hits.find(h => h.kind === 'storefront'))"
    )
    page.evaluate(f"roadchiefMap.setView([{hit['lat']}, {hit['lon']}], 18, {{animate: false}})")
    page.wait_for_load_state("networkidle")
    box = page.locator(".folium-map").bounding_box()
    assert box
    for _ in range(20):  # tiles are drawn after they came; the canvas tells nobody
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(250)
        if page.locator(".leaflet-popup").count():
            break
    expect(page.locator(".leaflet-popup")).to_contain_text("早点铺")


def test_the_administrator_walks_through_the_house(open_page: OpenPage, site: Site) -> None:
    people = json.loads((site.var_dir / "demo-people.json").read_text(encoding="utf-8"))
    admin = next(row for row in people if row["role"] == "admin")
    page = open_page("/sign-in?next=/admin/", width=390, height=844)
    page.get_by_label("登录名").fill(admin["login"])
    page.get_by_label("密码", exact=True).fill(admin["password"])
    page.get_by_label("动态验证码").fill(pyotp.TOTP(admin["totp"]).at(int(clock.now().timestamp())))
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="管理")).to_be_visible()
    for path in ("/admin/streets", "/admin/people", "/admin/imports", "/account"):
        page.goto(site.address + path)
        expect(page.locator("h1").first).to_be_visible()
        assert overhang_px(page) <= 0, path


def test_the_people_file_is_private(site: Site) -> None:
    path = Path(site.var_dir / "demo-people.json")
    assert path.stat().st_mode & 0o777 == 0o600
    rows = json.loads(path.read_text(encoding="utf-8"))
    for code in (310115004, 310115013):
        assert len({row["role"] for row in rows if row["subdistrict"] == code}) == 15
