"""Three journeys of a case in a real browser, and the citizen's three taps on 360 px."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page, expect

from roadchief.config import ROOT
from roadchief.lib import clock
from tests import pictures
from tests.browser.conftest import Site
from tests.browser.widths import overhang_px

OpenPage = Callable[..., Page]
HERE = 310115004
AXE = ROOT / "static" / "vendor" / "axe.min.js"


def person(site: Site, role: str) -> dict[str, Any]:
    people = json.loads((site.var_dir / "demo-people.json").read_text(encoding="utf-8"))
    return next(row for row in people if row["role"] == role and row["subdistrict"] == HERE)


def plate(site: Site, address: str | None = None) -> str:
    rows = json.loads((site.var_dir / "demo-plates.json").read_text(encoding="utf-8"))
    live = [row for row in rows if row["state"] == "active"]
    chosen = [row for row in live if address is None or row["address"] == address]
    return str(chosen[0]["url"]).rsplit("/", 1)[1]


SIGNED_IN: dict[tuple[str, str], Any] = {}


def sign_in(open_page: OpenPage, site: Site, role: str, start: str) -> Page:
    """Through the door once a role: a code is good once, so later pages take the cookies along."""
    key = (site.address, role)
    if key not in SIGNED_IN:
        page = open_page("/sign-in?next=/account", width=1280, height=900)
        for _ in range(3):
            _enter(page, person(site, role))
            if "/sign-in" not in page.url:
                break
            page.wait_for_timeout(31_000)  # somebody used this half minute's code
        SIGNED_IN[key] = page.context.storage_state()
    return open_page(start, width=1280, height=900, storage_state=SIGNED_IN[key])


def _enter(page: Page, one: dict[str, Any]) -> None:
    page.get_by_label("登录名").fill(one["login"])
    page.get_by_label("密码", exact=True).fill(one["password"])
    if one["totp"]:
        code = pyotp.TOTP(one["totp"]).at(int(clock.now().timestamp()))
        page.get_by_label("动态验证码").fill(code)
    page.get_by_role("button", name="登录").click()
    page.wait_for_load_state("networkidle")


def photo(tmp_path: Path, seed: int) -> Path:
    path = tmp_path / f"{seed}.jpg"
    path.write_bytes(pictures.jpeg(seed=seed))
    return path


def send(page: Page, category: str, words: str) -> str:
    """Through the form; returns the case's number from the receipt."""
    page.locator(".tile").filter(has_text=category).first.click()
    page.get_by_label("说两句（可选）").fill(words)
    page.get_by_role("button", name="提交，拿回执号").click()
    done = page.get_by_role("heading", name="已提交")
    none_of_these = page.get_by_role("button", name="都不是，继续提交")
    expect(done.or_(none_of_these)).to_be_visible()  # one of the two pages comes
    if none_of_these.is_visible():
        none_of_these.click()
    expect(done).to_be_visible()
    line = page.locator(".receipt .sub").filter(has_text="案件").first.inner_text()
    return line.split("·")[0].replace("案件", "").strip()


def open_case(page: Page, site: Site, number: str) -> None:
    page.goto(f"{site.address}/desk/?q={number}")
    page.locator(".queue a").first.click()
    expect(page.get_by_role("heading", name=f"#{number}")).to_be_visible()


def act(page: Page, verb: str, **fields: str) -> None:
    """Open a move by its words, fill what it asks, press."""
    box = page.locator(".acts details").filter(
        has=page.locator("summary", has_text=verb).filter(has_text=verb)
    )
    chosen = box.first
    if chosen.get_attribute("open") is None:
        chosen.locator("summary").click()
    for label, value in fields.items():
        if label == "photos":
            chosen.locator("input[type=file]").set_input_files(value)
        elif label == "kind":
            chosen.locator("select[name=kind]").select_option(value)
        else:
            chosen.locator(f"[name={label}]").fill(value)
    chosen.locator("button.wide").click()
    expect(page.locator(".notice.ok")).to_be_visible()


def test_three_taps_after_the_scan_on_a_small_screen(open_page: OpenPage, site: Site) -> None:
    taps = 0
    page = open_page(f"/C/{plate(site)}", width=360, height=640)
    page.locator("main a[href*='/report']").first.click()
    taps += 1
    page.locator(".tile").filter(has_text="安全隐患").click()
    taps += 1
    page.get_by_role("button", name="提交，拿回执号").click()
    taps += 1
    expect(page.get_by_role("heading", name="已提交")).to_be_visible()
    assert taps == 3
    assert overhang_px(page) <= 0


def test_a_citizen_reports_and_the_merchant_fixes(
    open_page: OpenPage, site: Site, tmp_path: Path
) -> None:
    keeper = sign_in(open_page, site, "merchant", "/merchant/")
    expect(keeper.get_by_role("heading", name="我的店铺")).to_be_visible()
    address = keeper.locator("main p .sub").first.inner_text().split(" · ")[0].strip()
    citizen = open_page(f"/report?plate={plate(site, address)}", width=360, height=640)
    number = send(citizen, "占道堆物", "门口堆了很多箱子，我是楼上李先生")
    centre = sign_in(open_page, site, "operator", "/desk/")
    open_case(centre, site, number)
    act(centre, "去核实")
    act(centre, "立案")
    keeper.reload()
    card = keeper.locator(".card").filter(has_text=f"#{number}").first
    expect(card).to_be_visible()
    assert "李先生" not in keeper.content()
    card.locator("input[type=file]").set_input_files(photo(tmp_path, 1))
    card.get_by_role("button", name="已整改，传照片").click()
    expect(keeper.locator(".notice.ok")).to_be_visible()
    open_case(centre, site, number)
    act(centre, "去核查")
    act(centre, "结案", kind="fixed_by_merchant", words="商户已清空")
    citizen.reload()
    expect(citizen.get_by_text("商户已清空")).to_be_visible()
    citizen.get_by_role("button", name="解决了", exact=True).click()
    expect(citizen.locator(".notice.ok")).to_have_text("已收到，谢谢。")


def test_a_citizen_a_department_and_a_case_that_comes_back(
    open_page: OpenPage, site: Site, tmp_path: Path
) -> None:
    citizen = open_page("/report", width=360, height=640)
    citizen.get_by_text("更多类别").click()
    citizen.get_by_text("无序设摊", exact=False).first.click()
    citizen.get_by_label("在哪里", exact=False).fill("崂山路501号")
    citizen.get_by_role("button", name="提交，拿回执号").click()
    if citizen.get_by_role("button", name="都不是，继续提交").count():
        citizen.get_by_role("button", name="都不是，继续提交").click()
    line = citizen.locator(".receipt .sub").filter(has_text="案件").first.inner_text()
    number = line.split("·")[0].replace("案件", "").strip()
    centre = sign_in(open_page, site, "operator", "/desk/")
    open_case(centre, site, number)
    act(centre, "去核实")
    act(centre, "立案")
    unit = sign_in(open_page, site, "officer", "/desk/")
    chief = sign_in(open_page, site, "chief_l2", "/desk/")
    for seed in (2, 3):
        open_case(unit, site, number)
        act(unit, "接收")
        act(unit, "现场处置完成", words="摊贩已劝离", photos=str(photo(tmp_path, seed)))
        open_case(chief, site, number)
        act(chief, "去核查")
        act(chief, "结案", kind="fixed_by_unit", words="现场已恢复")
        citizen.reload()
        expect(citizen.get_by_text("现场已恢复").first).to_be_visible()
        if seed == 2:
            citizen.get_by_label("说明（可选）").fill("晚上又来了")
            citizen.get_by_role("button", name="没有解决，重新打开继续处理").click()
            expect(citizen.locator(".notice.ok")).to_have_text("案件已重新打开，会继续处理。")
        else:
            citizen.get_by_role("button", name="解决了", exact=True).click()
            expect(citizen.locator(".notice.ok")).to_have_text("已收到，谢谢。")
    open_case(chief, site, number)
    expect(chief.get_by_text("晚上又来了")).to_be_visible()
    expect(chief.get_by_text("重新打开").first).to_be_visible()


FIND = """async ([person, shop, note]) => {
  const id = () => crypto.randomUUID().replace(/^(.{14})./, "$17");
  const item = { id: id(), kind: "finding", person_id: person, device_id: id(), seq: 1,
    shift_id: null, nonce: null, app_version: "test",
    times: { wall: new Date().toISOString(), mono_ms: null, session: "t", offset_ms: null,
      uncertainty_ms: null, offset_age_ms: null },
    body: { check_in_id: null, storefront_id: shop, segment_id: null, item: "WS03", note,
      fix: null, inspection_code: null }, photos: [] };
  const answer = await fetch("/api/v1/sync", { method: "POST",
    headers: { "Content-Type": "application/json" }, body: JSON.stringify({ items: [item] }) });
  return answer.json();
}"""


def test_a_patrols_finding_is_a_case_on_the_desk(open_page: OpenPage, site: Site) -> None:
    walker = sign_in(open_page, site, "patroller", "/account")
    walker.wait_for_load_state("networkidle")
    hits = walker.evaluate(
        f"fetch('/map/search?q=崂山路53&s={HERE}', {{headers: {{Accept: 'application/json'}}}})"
        ".then(r => r.json()).then(r => r.hits.filter(h => h.kind === 'storefront'))"
    )
    person_id = walker.evaluate("fetch('/api/v1/me').then(r => r.json()).then(r => r.person.id)")
    note = "巡查所见三只黑色垃圾袋"
    said = walker.evaluate(FIND, [person_id, hits[0]["id"], note])
    assert said["answers"][0]["status"] == "stored", said
    page = sign_in(open_page, site, "operator", "/desk/")
    page.goto(f"{site.address}/desk/?q=黑色垃圾袋")
    page.locator(".queue a").first.click()
    expect(page.get_by_text(note).first).to_be_visible()
    expect(page.locator("dd").get_by_text("巡查", exact=True)).to_be_visible()


def test_the_queue_by_keyboard_and_beside_its_map(open_page: OpenPage, site: Site) -> None:
    page = sign_in(open_page, site, "operator", "/desk/")
    page.goto(f"{site.address}/desk/?tab=open")
    expect(page.locator(".queue tbody tr").first).to_be_visible()
    page.keyboard.press("j")
    expect(page.locator(".queue tr[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("x")
    expect(page.locator(".queue tr[aria-selected=true] input")).to_be_checked()
    page.locator("[data-deskmap] canvas").first.wait_for()
    assert page.locator("[data-deskmap] .leaflet-marker-icon").count() > 5


@pytest.mark.parametrize("width", [360, 390, 1440])
def test_pages_do_not_scroll_sideways_and_axe_is_quiet(
    open_page: OpenPage, site: Site, width: int
) -> None:
    page = open_page("/report", width=width, height=844)
    for path in ("/report", f"/report?plate={plate(site)}", "/follow/"):
        page.goto(site.address + path)
        assert overhang_px(page) <= 0, path
        quiet(page)
    desk = sign_in(open_page, site, "operator", "/desk/")
    desk.set_viewport_size({"width": width, "height": 844})
    desk.goto(site.address + "/desk/")
    desk.locator(".queue a").first.wait_for()
    for path in ("/desk/", "/desk/figures", desk.locator(".queue a").first.get_attribute("href")):
        desk.goto(site.address + str(path))
        assert overhang_px(desk) <= 0, path
        quiet(desk)


def quiet(page: Page) -> None:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    serious = [
        (one["id"], [node["target"] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in {"serious", "critical"}
    ]
    assert serious == [], page.url
