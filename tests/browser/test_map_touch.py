"""A touch on what stands beside the street: stations and permit areas say whether they are open."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]
STATION = (31.22905, 121.51905)  # the demo's 崂山路党群服务站


def touch(page: Page, lat: float, lon: float) -> None:
    """Bring the place into the middle and touch it, until the tiles are drawn there."""
    for _ in range(20):
        page.evaluate(f"roadchiefMap.setView([{lat}, {lon}], 18, {{animate: false}})")
        page.wait_for_timeout(300)
        box = page.locator(".folium-map").bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_timeout(300)
        if page.locator(".leaflet-popup .mark").count():
            return
        page.evaluate("roadchiefMap.closePopup()")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_station_tells_its_hours(open_page: OpenPage, width: int) -> None:
    page = open_page("/map/", width=width)
    touch(page, *STATION)
    bubble = page.locator(".leaflet-popup")
    expect(bubble).to_contain_text("崂山路党群服务站")
    expect(bubble).to_contain_text("开放时间：周一至周日 8:30–20:30")
    expect(bubble.locator(".mark")).to_contain_text("开放")


def test_the_sheet_shows_permits_and_the_office_phone(open_page: OpenPage) -> None:
    page = open_page("/map/", width=390)
    page.get_by_role("link", name="崂山路（向城路—潍坊路）").click()
    expect(page.locator("#permits")).to_contain_text("崂山路外摆位")
    expect(page.locator("#permits")).to_contain_text("周一–周五 17:00–22:00")
    expect(page.locator("a[href^='tel:021-5']").first).to_be_visible()


def test_the_legend_names_every_state(open_page: OpenPage) -> None:
    page = open_page("/map/")
    for word in ("有路长", "代理", "空缺", "已停用", "服务站"):
        expect(page.locator(".legend")).to_contain_text(word)


def test_a_shop_is_found_and_read_by_the_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page("/map/", width=390)
    field = page.get_by_role("searchbox")
    field.press_sequentially("桂香")
    expect(page.locator(".hit").first).to_be_visible()
    field.press("Tab")
    expect(page.locator(".hit").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_be_focused()
    expect(page.locator(".hit")).to_have_count(0)
    field.press("Enter")
    expect(page.locator(".hit").first).to_be_visible()
    field.press("Tab")
    page.keyboard.press("Enter")
    bubble = page.locator(".leaflet-popup")
    expect(bubble.locator("h3")).to_contain_text("桂香")
    expect(bubble).to_be_focused()
    page.keyboard.press("Escape")
    expect(bubble).to_have_count(0)
    expect(page.locator(".folium-map")).to_be_focused()
