"""A merchant checks the own shop on a phone: two taps, or a few more; a draft stays."""

import json
from collections.abc import Callable

import pyotp
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site
from tests.browser.widths import overhang_px

OpenPage = Callable[..., Page]
DRAFTS = "Object.keys(localStorage).filter((key) => key.startsWith('self-check-'))"


def enter(open_page: OpenPage, site: Site, role: str, path: str, **given: object) -> Page:
    people = json.loads((site.var_dir / "demo-people.json").read_text(encoding="utf-8"))
    who = next(one for one in people if one["role"] == role and one["subdistrict"] == 310115004)
    page = open_page("/sign-in", **given)
    page.fill("[name=login]", who["login"])
    page.fill("[name=password]", who["password"])
    if who["totp"]:
        page.fill("[name=code]", pyotp.TOTP(who["totp"]).now())
    page.locator("main form button").first.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(site.address + path)
    return page


def test_a_week_in_two_taps_and_a_fault_in_a_few(open_page: OpenPage, site: Site) -> None:
    page = enter(open_page, site, "merchant", "/merchant/", width=390, height=844)
    page.locator("section", has_text="每周自查").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="每周自查")).to_be_visible()
    expect(page.get_by_text("店招右侧灯箱有一个字不亮")).to_be_visible()
    page.get_by_role("button", name="全部正常，提交").click()
    expect(page.get_by_text("自查完成，谢谢。")).to_be_visible()
    # Something is wrong: choose, say, and lose the network in between.
    page.get_by_text("有不正常的，点这里勾选").click()
    page.get_by_label("门前地面有垃圾、烟蒂").check()
    page.get_by_role("button", name="下一步").click()
    # Without network no script comes either: it must be there before the network goes.
    page.wait_for_load_state("load")
    page.get_by_label("说明（可选）").fill("隔壁装修的灰")
    page.context.set_offline(True)
    page.get_by_role("button", name="提交自查").click()
    expect(page.get_by_text("现在没有网络")).to_be_visible()
    page.context.set_offline(False)
    page.reload()
    expect(page.get_by_label("说明（可选）")).to_have_value("隔壁装修的灰")
    page.get_by_role("button", name="提交自查").click()
    expect(page.get_by_text("自己查出的问题不会记在您的账上")).to_be_visible()
    expect(page.get_by_text("隔壁装修的灰")).to_be_visible()
    page.wait_for_load_state("load")
    assert page.evaluate(DRAFTS) == []
    assert overhang_px(page) <= 0


def test_what_is_typed_before_the_script_is_there_is_kept(open_page: OpenPage, site: Site) -> None:
    """On a slow phone the words come first."""
    page = enter(open_page, site, "merchant", "/merchant/", width=390, height=844)
    page.locator("section", has_text="每周自查").get_by_role("link").first.click()
    held: list[Route] = []
    page.route("**/self-check.js*", lambda route: held.append(route))
    page.get_by_text("有不正常的，点这里勾选").click()
    page.get_by_label("门前地面有垃圾、烟蒂").check()
    page.get_by_role("button", name="下一步").click(no_wait_after=True)
    page.get_by_label("说明（可选）").fill("隔壁装修的灰")
    for route in held:
        route.continue_()
    page.unroute("**/self-check.js*")
    page.wait_for_load_state("load")
    page.reload()
    expect(page.get_by_label("说明（可选）")).to_have_value("隔壁装修的灰")


def test_words_outlive_a_sending_that_fails(open_page: OpenPage, site: Site) -> None:
    """A phone may believe that it has network where nothing goes through."""
    page = enter(open_page, site, "merchant", "/merchant/", width=390, height=844)
    page.locator("section", has_text="每周自查").get_by_role("link").first.click()
    page.get_by_text("有不正常的，点这里勾选").click()
    page.get_by_label("门前地面有垃圾、烟蒂").check()
    page.get_by_role("button", name="下一步").click()
    page.wait_for_load_state("load")
    sheet = page.url
    page.get_by_label("说明（可选）").fill("下水道返味")
    page.route(
        "**/merchant/self-checks/*",
        lambda route: route.fulfill(status=502, content_type="text/html", body="gateway"),
        times=1,
    )
    page.get_by_role("button", name="提交自查").click()
    expect(page.get_by_text("gateway")).to_be_visible()
    page.goto(sheet)
    expect(page.get_by_label("说明（可选）")).to_have_value("下水道返味")


def test_it_works_without_script(open_page: OpenPage, site: Site) -> None:
    page = enter(
        open_page, site, "merchant", "/merchant/", width=390, height=844, java_script_enabled=False
    )
    page.locator("section", has_text="每周自查").get_by_role("link").first.click()
    page.get_by_role("button", name="全部正常，提交").click()
    expect(page.get_by_text("自查完成，谢谢。")).to_be_visible()
