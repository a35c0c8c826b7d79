"""Drawing on a map: by pointer, by keyboard, and without any script."""

import json
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from roadchief.lib import clock
from tests.browser.conftest import Site

OpenPage = Callable[..., Page]
LIST = "/admin/streets/storefronts"


@pytest.fixture(scope="module")
def signed_in(browser: Browser, site: Site) -> Any:
    """The administrator's cookies: a code of the second factor is good once."""
    people = json.loads((site.var_dir / "demo-people.json").read_text(encoding="utf-8"))
    admin = next(row for row in people if row["role"] == "admin")
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(f"{site.address}/sign-in")
    page.get_by_label("登录名").fill(admin["login"])
    page.get_by_label("密码", exact=True).fill(admin["password"])
    # The next half minute's code: this one may have been used by another test just now.
    code = pyotp.TOTP(admin["totp"]).at(int(clock.now().timestamp()) + 30)
    page.get_by_label("动态验证码").fill(code)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))
    state = context.storage_state()
    context.close()
    return state


def first_shop(open_page: OpenPage, state: Any, **given: Any) -> Page:
    page = open_page(f"{LIST}?q=桂香", storage_state=state, **given)
    page.locator(".rows a.grow").first.click()
    expect(page.locator("#zone-zone")).to_be_visible()
    return page


def kind_of(page: Page, field: str) -> str:
    return str(json.loads(page.locator(field).input_value())["type"])


def test_a_duty_zone_is_drawn_saved_and_reset(open_page: OpenPage, signed_in: Any) -> None:
    page = first_shop(open_page, signed_in, width=1440, height=1000)
    page.wait_for_load_state("networkidle")
    before = page.locator("#zone-zone").input_value()
    page.get_by_role("button", name="画新的").first.click()
    box = page.locator(".drawmap.on").first.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for right, down in ((-20, -20), (20, -20), (20, 20), (-20, 20), (-20, -20)):
        page.mouse.click(x + right, y + down)
        page.wait_for_timeout(400)  # two quick clicks are a double click
    assert page.locator("#zone-zone").input_value() != before
    assert kind_of(page, "#zone-zone") == "Polygon"
    page.get_by_role("button", name="保存责任区").click()
    expect(page.locator(".notice.ok")).to_contain_text("责任区已保存")
    page.get_by_role("button", name="恢复为自动计算").click()
    expect(page.locator(".notice.ok")).to_contain_text("恢复")


def test_a_front_is_drawn_with_the_keyboard(open_page: OpenPage, signed_in: Any) -> None:
    page = first_shop(open_page, signed_in, width=390, height=844)
    page.locator("summary", has_text="门面与侧").click()
    fold = page.locator("details", has_text="门面与侧")
    area = fold.locator(".drawmap.on")
    corner = fold.get_by_role("button", name="在地图中心加一个角点")
    expect(corner).to_be_visible()
    corner.press("Enter")
    area.focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_timeout(500)  # the map glides
    corner.press("Enter")
    assert kind_of(page, "#front-front") == "LineString"
    # The doors around are looked at, they are no stops on the way from the map to its buttons.
    expect(area.locator("path.leaflet-interactive").nth(5)).to_be_attached()
    area.focus()
    for _ in range(3):  # closer, farther, the first button
        page.keyboard.press("Tab")
    expect(fold.get_by_role("button", name="画新的")).to_be_focused()


def test_the_forms_work_without_script(open_page: OpenPage, signed_in: Any) -> None:
    page = first_shop(open_page, signed_in, width=390, height=844, java_script_enabled=False)
    expect(page.locator(".drawmap").first).to_be_hidden()
    page.get_by_role("button", name="保存责任区").click()
    expect(page.locator(".notice.ok")).to_contain_text("责任区已保存")
    page.get_by_role("button", name="恢复为自动计算").click()
    expect(page.locator(".notice.ok")).to_contain_text("恢复")
