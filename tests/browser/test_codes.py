"""A plate from the phone's side: scanned, reported in two taps, mounted with photo and position."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Page, expect

from roadchief.config import ROOT
from roadchief.lib import clock
from tests import pictures
from tests.browser.conftest import Site
from tests.browser.widths import overhang_px

OpenPage = Callable[..., Page]
AXE = ROOT / "static" / "vendor" / "axe.min.js"
PHONE = {"width": 390, "height": 844}


def plates(site: Site) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(
        (site.var_dir / "demo-plates.json").read_text(encoding="utf-8")
    )
    return found


def path_of(row: dict[str, str]) -> str:
    return urlsplit(row["url"]).path


def sign_in(page: Page, site: Site, role: str) -> None:
    people = json.loads((site.var_dir / "demo-people.json").read_text(encoding="utf-8"))
    who = next(row for row in people if row["role"] == role)
    page.goto(site.address + "/sign-in")
    page.fill("[name=login]", who["login"])
    page.fill("[name=password]", who["password"])
    if who["totp"]:
        page.fill("[name=code]", pyotp.TOTP(who["totp"]).at(int(clock.now().timestamp())))
    page.locator("main form button").last.click()
    page.wait_for_url(lambda url: "/sign-in" not in url)


def serious(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    return [one["id"] for one in found if one["impact"] in {"serious", "critical"}]


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [360, 1440])
def test_a_citizen_scans_and_reports_the_plate_in_two_taps(
    open_page: OpenPage, site: Site, script: bool, width: int
) -> None:
    row = next(one for one in plates(site) if one["state"] == "active" and one["name"])
    page = open_page(path_of(row), width=width, java_script_enabled=script)
    expect(page.locator("h1")).to_have_text(row["name"])
    if script:
        assert serious(page) == []
        assert overhang_px(page) <= 0
    page.get_by_text("码牌有问题？").click()
    page.get_by_role("button", name="被贴纸遮住或替换").click()
    expect(page.locator("h1")).to_contain_text("谢谢")


def test_a_copy_seen_far_away_is_told_so(open_page: OpenPage, site: Site) -> None:
    row = next(one for one in plates(site) if one["state"] == "active" and one["name"])
    page = open_page(
        path_of(row),
        **PHONE,
        permissions=["geolocation"],
        geolocation={"longitude": 121.40, "latitude": 31.10, "accuracy": 20},
    )
    page.get_by_role("button", name="我在门口").click()
    expect(page.locator("form.here [role=status]")).to_contain_text("请勿付款")


def test_the_office_replaces_a_plate_and_a_hanging_one_is_not_mounted_again(
    open_page: OpenPage, site: Site, tmp_path: Path
) -> None:
    """The replaced shop of the demo gets one more plate; its door is where the phone stands."""
    page = open_page("/", width=1440, height=900)
    sign_in(page, site, "operator")
    page.goto(site.address + "/admin/codes")
    assert serious(page) == []
    page.goto(site.address + "/admin/codes/plates?state=damaged")
    page.locator("ul.rows a").first.click()
    page.fill("#why", "右下角开裂")
    page.get_by_role("button", name="生成新码牌").click()
    expect(page.locator("h1")).to_contain_text("更换")
    assert serious(page) == []

    phone = open_page("/", **PHONE)
    sign_in(phone, site, "patroller")
    old = next(one for one in plates(site) if one["state"] == "damaged")
    phone.goto(site.address + path_of(old))
    expect(phone.locator("main")).to_contain_text("报损")
    photo = tmp_path / "door.jpg"
    photo.write_bytes(pictures.jpeg(seed=9))
    phone.goto(site.address + path_of(old) + "/mount")
    assert serious(phone) == []
    phone.set_input_files("#photo", photo)
    phone.fill("#because", "重新安装")
    with phone.expect_response(lambda answer: answer.request.method == "POST") as answered:
        phone.get_by_role("button", name="绑定").click()
    # A plate that hangs already is not mounted again: it is told why, and nothing changes.
    assert answered.value.status == 409
