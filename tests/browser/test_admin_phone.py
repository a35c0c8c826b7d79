"""The administrator's pages on a phone."""

from playwright.sync_api import expect

from tests.browser.conftest import Site
from tests.browser.test_cases import OpenPage, sign_in


def test_the_menu_of_a_phone_begins_with_where_one_is(open_page: OpenPage, site: Site) -> None:
    """An administrator's menu is three times as long as the phone is wide."""
    page = sign_in(open_page, site, "admin", "/admin/imports")
    menu = page.get_by_role("navigation").first
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        here = menu.locator("a[aria-current=page]")
        expect(here).to_have_text("导入")
        assert here.evaluate("one => one.getBoundingClientRect().right < innerWidth")
    page.goto(f"{site.address}/admin/streets/chiefs")
    expect(menu.locator("[aria-current=true]")).to_have_text("路段")


def test_what_is_chosen_between_is_round(open_page: OpenPage, site: Site) -> None:
    page = sign_in(open_page, site, "admin", "/admin/codes/mint")
    for width in (390, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        for box in (one.bounding_box() for one in page.get_by_role("radio").all()):
            assert box
            assert abs(box["width"] - box["height"]) < 1
