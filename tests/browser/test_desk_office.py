"""The office's pages in a real browser: texts for replies, and what stands still."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.test_cases import AXE, OpenPage, sign_in
from tests.browser.widths import overhang_px


def serious(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    return [one["id"] for one in found if one["impact"] in {"serious", "critical"}]


def test_a_text_for_replies_is_filled_by_one_touch(open_page: OpenPage, site: Site) -> None:
    page = sign_in(open_page, site, "operator", "/desk/?tab=open")
    page.locator("[data-queue] td a").first.click()
    form = page.locator("#do-contact")
    form.locator("summary").first.click()
    form.locator("details.replies summary").click()
    form.locator("a[data-reply]").first.click()
    field = form.locator("textarea")
    expect(field).to_be_focused()
    words = field.input_value()
    assert words
    assert "{" not in words
    assert "reply=" not in page.url  # no page was fetched for it
    field.fill(f"{words} 谢谢")
    form.get_by_role("button").last.click()
    expect(page.get_by_text("谢谢").first).to_be_visible()


@pytest.mark.parametrize("path", ["/admin/replies", "/admin/pipes"])
def test_pages_of_the_office_are_within_reach_of_all(
    open_page: OpenPage, site: Site, path: str
) -> None:
    page = sign_in(open_page, site, "operator", path)
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert overhang_px(page) <= 0, width
    assert serious(page) == []


def test_a_pin_of_the_desk_answers_the_keyboard(open_page: OpenPage, site: Site) -> None:
    page = sign_in(open_page, site, "operator", "/desk/?tab=open")
    pin = page.locator("[data-deskmap] .leaflet-marker-icon").first
    expect(pin).to_have_attribute("title", re.compile(r"#\d{4}-\d{4}"))
    pin.press("Enter")
    expect(page.locator("[data-queue] tr[aria-selected=true] a").first).to_be_focused()


def test_the_queue_and_a_case_are_printed_without_what_is_pressed(
    open_page: OpenPage, site: Site
) -> None:
    page = sign_in(open_page, site, "operator", "/desk/?tab=open")
    case = page.locator("[data-queue] td a").first
    address = case.get_attribute("href")
    page.emulate_media(media="print")
    expect(case).to_be_visible()
    pressed = "main :is(button, input, select, nav, [role=button]), .topbar nav, .foot"
    assert [one.inner_text() for one in page.locator(pressed).all() if one.is_visible()] == []
    page.goto(f"{site.address}{address}")
    expect(page.locator(".timeline li").first).to_be_visible()
    assert [one.inner_text() for one in page.locator(pressed).all() if one.is_visible()] == []
    expect(page.get_by_text("公开文字")).to_be_hidden()


def test_sheet_and_round_list_are_downloaded(open_page: OpenPage, site: Site) -> None:
    page = sign_in(open_page, site, "operator", "/desk/?tab=open")
    for box in page.locator("[data-queue] input[name=case]").all()[:3]:
        box.check()
    with page.expect_download() as coming:
        page.get_by_role("button", name="巡办清单").click()
    assert coming.value.suggested_filename.startswith("round-")
    assert coming.value.path().read_bytes().startswith(b"%PDF")
    page.locator("[data-queue] td a").first.click()
    with page.expect_download() as coming:
        page.get_by_role("button", name="案件单").click()
    assert coming.value.suggested_filename.startswith("case-")
    assert coming.value.path().read_bytes().startswith(b"%PDF")
