"""The office finds a merchant, names a shopkeeper and lets a shop to it, on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.test_cases import person, sign_in
from tests.browser.test_pages import AXE
from tests.browser.widths import overhang_px

OpenPage = Callable[..., Page]
SMALL = """() => [...document.querySelectorAll('main a, main button, main summary, main input')]
  .filter(one => one.offsetParent && one.type !== 'hidden')
  .map(one => [one.innerText || one.name, one.getBoundingClientRect().height])
  .filter(([_word, height]) => height < 44)"""


def serious(page: Page) -> list[object]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    return [one["id"] for one in found if one["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_a_merchant_is_found_and_gets_a_shopkeeper(
    open_page: OpenPage, site: Site, width: int, height: int
) -> None:
    page = sign_in(open_page, site, "chief_general", "/admin/merchants")
    page.set_viewport_size({"width": width, "height": height})
    page.get_by_role("searchbox").fill("面馆" if width < 500 else "水果")
    page.get_by_role("searchbox").press("Enter")
    page.wait_for_url("**q=*")
    assert overhang_px(page) <= 0
    assert serious(page) == []
    page.locator("main .rows a").first.click()
    page.locator("#who-who").fill(person(site, "merchant")["login"])
    page.get_by_role("button", name="查找").click()
    row = page.locator("main li").filter(has_text=person(site, "merchant")["login"]).last
    row.get_by_role("button", name="指定").click()
    expect(page.locator("#keepers")).to_contain_text(person(site, "merchant")["login"])
    assert overhang_px(page) <= 0
    assert serious(page) == []
    if width < 500:
        assert page.evaluate(SMALL) == []
