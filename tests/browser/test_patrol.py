"""The day of a patroller in a real browser: camera, position, no signal, and back."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests import pictures
from tests.browser.widths import overhang_px
from tests.pwa.handset import Handset
from tests.pwa.street import Street, street

Phones = Callable[..., Handset]


@pytest.fixture(scope="module")
def laoshan(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(server, tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture
def phones(browser: Browser, laoshan: Street) -> Iterator[Phones]:
    """`phones()`: a new phone; it may not break the content policy nor raise."""
    made: list[Handset] = []

    def phone(address: str | None = None, **given: Any) -> Handset:
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, locale="zh-CN", **given
        )
        made.append(Handset(context, laoshan, address))
        return made[-1]

    yield phone
    for one in made:
        one.context.close()
    assert [line for one in made for line in one.trouble] == []


def test_times_are_those_of_the_streets_whatever_the_phone_is_set_to(phones: Phones) -> None:
    shown = []
    for zone in ("Asia/Shanghai", "America/New_York"):
        phone = phones(timezone_id=zone)
        phone.start()
        expect(phone.page.get_by_role("link", name="扫码打卡")).to_be_visible()
        words = phone.page.locator("header").first.inner_text()
        shown.append(re.findall(r"至 (\d\d:\d\d)", words))
        # The order of the list says why.
        expect(phone.page.get_by_text("沿路走：一侧去，另一侧回")).to_be_visible()
    assert shown[0] == shown[1] != []


def test_a_beat_is_walked_without_signal_and_arrives_whole(
    phones: Phones, laoshan: Street, tmp_path: Path
) -> None:
    phone, shop = phones(), laoshan.shops[0]
    phone.start()
    phone.context.set_offline(True)
    phone.arrive(shop)
    verdict = phone.page.locator(".verdict")
    expect(verdict).to_contain_text("已核验")
    expect(verdict).to_contain_text("米，定位精度 ±12 米，允许 42 米")
    # One line is bad: it wants a photo before it can be saved.
    phone.page.locator("button.tap.bad").nth(1).click()
    phone.page.get_by_role("button", name="其余都好").click()
    phone.page.get_by_role("button", name="完成，下一家").click()
    expect(phone.page.locator("#said")).to_contain_text("需要一张照片")
    (tmp_path / "p.jpg").write_bytes(pictures.jpeg(2400, 1800))
    phone.page.locator(".badpart input[type=file]").first.set_input_files(tmp_path / "p.jpg")
    expect(phone.page.locator(".badpart img")).to_be_visible()
    phone.finish()
    expect(phone.page.locator("#bar .status")).to_contain_text("未同步")
    records = phone.records()
    visit = next(one for one in records if one["kind"] == "check_in")
    sources = {photo["source"]: photo for photo in visit["item"]["photos"]}
    assert set(sources) == {"scan_frame", "camera"}
    assert max(sources["camera"]["width_px"], sources["camera"]["height_px"]) == 1600
    # Closed and opened again without signal: the shell and the outbox are there.
    phone.page.close()
    phone.page = phone.new_page()
    began = time.monotonic()
    phone.page.goto(f"{phone.address}/patrol/")
    expect(phone.page.get_by_role("link", name="扫码打卡")).to_be_visible()
    opened_s = time.monotonic() - began
    assert len(phone.records()) == len(records)
    assert phone.page.locator(".stops li").filter(has_text=shop.name).locator(".ok").count() == 1
    phone.context.set_offline(False)
    phone.settle()
    assert laoshan.count("SELECT count(*) FROM check_in WHERE id = :id", id=visit["id"]) == 1
    for photo in sources.values():
        stored = "SELECT count(*) FROM blob WHERE source_sha256 = :sha"
        assert laoshan.count(stored, sha=photo["sha256"]) == 1
    assert opened_s < 30, "half a second on a quiet machine"


@pytest.mark.parametrize(
    ("metres", "accuracy", "word"),
    [(0, 12, "已核验"), (30, 80, "待佐证"), (200, 12, "位置不符")],
)
def test_the_verdict_stands_at_once_with_metres(
    phones: Phones, laoshan: Street, metres: float, accuracy: float, word: str
) -> None:
    phone = phones()
    phone.start()
    phone.context.set_offline(True)
    phone.arrive(laoshan.shops[1], metres=metres, accuracy=accuracy)
    expect(phone.page.locator(".verdict b")).to_have_text(word)
    expect(phone.page.locator(".verdict")).to_contain_text("米")


def test_wrong_plates_are_refused_with_the_reason(phones: Phones, laoshan: Street) -> None:
    phone = phones()
    phone.start()
    phone.context.set_offline(True)
    host = laoshan.address.upper()
    hint = phone.page.locator(".hint")
    phone.scan(f"{host}/C/{laoshan.replaced_token}")
    expect(hint).to_contain_text("已更换或作废")
    from roadchief.codes import tokens

    for text, words in (
        (f"{host}/C/{tokens.mint()}", "不在本班名单里"),
        (f"HTTPS://EVIL.EXAMPLE/C/{laoshan.shops[0].token}", "指向别的网站"),
        ("weixin://pay/123", "不是码牌"),
    ):
        phone.go("")
        phone.scan(text)
        expect(hint).to_contain_text(words)
    assert [one["kind"] for one in phone.records()] in ([], ["shift_start"])


def test_number_and_pick_are_ways_without_a_camera(
    phones: Phones, laoshan: Street, tmp_path: Path
) -> None:
    phone, shop = phones(), laoshan.shops[2]
    phone.start()
    phone.context.set_offline(True)
    phone.stand_at(shop)
    phone.go("number")
    phone.page.get_by_role("textbox").fill("没有这个")
    phone.page.get_by_role("button", name="打卡").click()
    expect(phone.page.get_by_role("alert")).to_contain_text("没有这个编号")
    # Both numbers stand on the plate: the shop's, also its end alone, and the plate's own.
    for typed in ("531-2", shop.number.lower()):
        phone.page.get_by_role("textbox").fill(typed)
        phone.page.get_by_role("button", name="打卡").click()
        expect(phone.page.locator("#bar h1")).to_have_text(shop.name)
        phone.go("number")
    phone.page.get_by_role("textbox").fill(shop.token[:5].lower() + " " + shop.token[5:])
    phone.page.get_by_role("button", name="打卡").click()
    expect(phone.page.locator("#bar h1")).to_have_text(shop.name)
    phone.go("near")
    expect(phone.page.locator("fieldset.near label.row")).to_have_count(5)
    expect(phone.page.locator("fieldset.near label.row").first).to_contain_text(shop.name)
    phone.page.locator("fieldset.near input").first.check()
    phone.page.locator("select[name=because]").select_option("牌破损")
    phone.page.get_by_role("button", name="打卡").click()
    expect(phone.page.locator("#said")).to_contain_text("请拍一张照片")
    (tmp_path / "p.jpg").write_bytes(pictures.jpeg())
    phone.page.locator("input[name=photo]").set_input_files(tmp_path / "p.jpg")
    expect(phone.page.get_by_text("已拍好一张")).to_be_visible()
    phone.page.get_by_role("button", name="打卡").click()
    phone.measured(shop)
    phone.finish()
    visit = next(one for one in phone.records() if one["kind"] == "check_in")
    assert visit["item"]["body"]["how"] == "picked"
    assert visit["item"]["body"]["because"] == "牌破损"
    phone.context.set_offline(False)
    phone.settle()
    assert laoshan.count("SELECT count(*) FROM check_in WHERE id = :id", id=visit["id"]) == 1


def test_case_reason_handover_and_end_of_shift(
    phones: Phones, laoshan: Street, tmp_path: Path
) -> None:
    phone, shop = phones(), laoshan.shops[3]
    phone.start()
    phone.stand_at(shop)

    def save() -> None:
        phone.page.get_by_role("button", name="保存").click()
        expect(phone.page.get_by_role("link", name="扫码打卡")).to_be_visible()
        expect(phone.page.locator("#said")).to_contain_text("已保存")

    phone.go("finding")
    phone.page.locator("button.tile").first.click()
    (tmp_path / "p.jpg").write_bytes(pictures.jpeg(seed=5))
    phone.page.locator(".photos input[type=file]").first.set_input_files(tmp_path / "p.jpg")
    expect(phone.page.locator(".photos img")).to_be_visible()
    phone.page.locator("textarea[name=note]").fill("箱子堆到盲道上")
    save()
    phone.go(f"missed/{laoshan.shops[4].id}")
    phone.page.get_by_label("关着门").check()
    save()
    phone.go("handover")
    phone.page.locator("textarea[name=text]").fill("531 号答应今天收掉箱子")
    save()
    phone.settle()
    kinds = "SELECT count(*) FROM patrol_item WHERE kind = '{}'"
    for kind in ("finding", "missed", "handover"):
        assert laoshan.count(kinds.format(kind)) == 1, kind
    phone.go("summary")
    expect(phone.page.get_by_text("全部已发送到服务器")).to_be_visible()


def test_another_shop_is_told_without_signal_and_half_written_forms_outlive_the_battery(
    phones: Phones, laoshan: Street
) -> None:
    phone, shop = phones(), laoshan.shops[5]
    phone.start()
    phone.context.set_offline(True)
    phone.go(f"visit/{shop.id}")
    phone.page.get_by_role("link", name="这里换了店").click()
    phone.page.get_by_role("button", name="保存").click()
    expect(phone.page.locator("#said")).to_contain_text("请填写现在的店招或执照号码")
    phone.page.locator("input[name=sign]").fill("川味小馆")
    phone.page.locator("input[name=uscc]").fill("92310115ma1te5t0x")
    expect(phone.page.get_by_text("现在 17 位")).to_be_visible()
    phone.go("finding")
    phone.page.locator("button.tile").nth(3).click()
    phone.page.locator("textarea[name=note]").fill("说到一半")
    phone.page.close()  # the battery is empty
    phone.page = phone.new_page()
    phone.page.goto(f"{phone.address}/patrol/#/finding")
    expect(phone.page.locator("textarea[name=note]")).to_have_value("说到一半")
    expect(phone.page.locator("button.tile[aria-pressed=true]")).to_have_count(1)
    phone.page.get_by_role("button", name="清空重填").click()
    expect(phone.page.locator("button.tile[aria-pressed=true]")).to_have_count(0)
    phone.go(f"other/{shop.id}")
    expect(phone.page.locator("input[name=sign]")).to_have_value("川味小馆")
    phone.page.locator("input[name=uscc]").fill("92310115ma1te5t0x0")
    phone.page.get_by_role("button", name="保存").click()
    expect(phone.page.locator("#said")).to_contain_text("由街道核实")
    phone.context.set_offline(False)
    phone.settle()
    told = "SELECT count(*) FROM other_shop WHERE storefront_id = :shop AND uscc LIKE '%MA1TE5T0X0'"
    assert laoshan.count(told, shop=shop.id) == 1


def test_a_second_phone_shows_what_the_first_has_sent_and_a_half_filled_visit_is_marked(
    phones: Phones, laoshan: Street
) -> None:
    first = phones()
    first.start()
    first.visit(laoshan.shops[0])
    first.settle()
    first.arrive(laoshan.shops[1], metres=300)
    expect(first.page.get_by_role("button", name="选实际的店")).to_be_visible()
    first.go("")
    row = first.page.locator(".stops li").filter(has_text=laoshan.shops[1].name)
    expect(row).to_contain_text("填到一半，还没有保存")
    second = phones()
    second.start()
    done = second.page.locator(".stops li").filter(has_text=laoshan.shops[0].name)
    expect(done).to_contain_text("已核验")
    # The plate of another shop: the visit goes to the shop where one stands.
    first.go(f"visit/{laoshan.shops[1].id}")
    first.page.get_by_role("button", name="选实际的店").click()
    expect(first.page.locator("select[name=because]")).to_have_value("牌与店不符")
    first.go("")
    expect(row).not_to_contain_text("填到一半")


def test_signing_out_waits_for_the_outbox(phones: Phones, laoshan: Street) -> None:
    phone = phones()
    phone.start()
    phone.settle()
    phone.context.route("**/api/v1/sync", lambda route: route.abort())
    phone.page.evaluate("navigator.serviceWorker.controller !== null")
    phone.save("handover", {"segment_id": "01900000-0000-7000-8000-000000000000", "text": "x"})
    phone.go("me")
    phone.page.get_by_role("button", name="退出登录").click()
    expect(phone.page.get_by_role("alert")).to_contain_text("不能退出登录")
    # Nor by the house's own page, or by any form that ends the session.
    phone.page.goto(f"{phone.address}/account")
    phone.page.locator("form[action*='sign-out'] button").first.click()
    expect(phone.page.get_by_role("alert")).to_contain_text("不能退出登录")
    assert phone.page.evaluate("fetch('/api/v1/me').then((a) => a.json()).then((a) => !!a.person)")


def test_a_new_edition_takes_over_and_the_queue_stays(
    phones: Phones, laoshan: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    from roadchief.pwa import shell

    phone = phones()
    phone.start()
    phone.context.route("**/api/v1/sync", lambda route: route.abort())
    phone.save("handover_read", {"handover_id": "01900000-0000-7000-8000-000000000000"})
    before = {one["id"] for one in phone.records()}
    old = phone.page.evaluate("document.documentElement.dataset.edition")
    monkeypatch.setattr(shell, "edition", lambda: "ffffffffffff")
    phone.page.evaluate("navigator.serviceWorker.ready.then((r) => r.update()).then(() => true)")
    phone.page.get_by_role("button", name="有新版本").click()
    expect(phone.page.locator("html[data-edition=ffffffffffff]")).to_have_count(1)
    assert old != "ffffffffffff"
    assert before <= {one["id"] for one in phone.records()}


def test_an_older_store_is_carried_into_the_new_one(phones: Phones, laoshan: Street) -> None:
    phone = phones()
    phone.page.goto(f"{phone.address}/api/v1/time")
    kept = phone.page.evaluate(
        """async () => {
          const { openStore, STEPS } = await import('/static/patrol/store.js');
          const old = await openStore('trial', STEPS.slice(0, 1));
          const writing = old.transaction('items', 'readwrite');
          writing.objectStore('items').put({ id: 'a', person_id: 'p' });
          await new Promise((done) => { writing.oncomplete = done; });
          old.close();
          const fresh = await openStore('trial', STEPS);
          const reading = fresh.transaction('items').objectStore('items').getAll();
          await new Promise((done) => { reading.onsuccess = done; });
          return [fresh.version, reading.result.map((one) => one.id), [...fresh.objectStoreNames]];
        }"""
    )
    assert kept[0] == 2
    assert kept[1] == ["a"]
    assert "drafts" in kept[2]


def test_the_keyboard_is_never_lost(phones: Phones, laoshan: Street, tmp_path: Path) -> None:
    """A screen begins at its name; what is drawn anew leaves whoever works there in place."""
    phone, shop = phones(), laoshan.shops[5]
    phone.start()
    page, main = phone.page, phone.page.locator("#main")
    stop = page.locator(f".stops a[href='#/visit/{shop.id}']")
    stop.focus()
    phone.stand_at(shop, metres=40)  # the list is drawn anew: other distances
    expect(stop).to_contain_text(re.compile(r"[34]\d 米"))
    expect(stop).to_be_focused()
    page.locator("#bar .status").focus()
    page.evaluate("dispatchEvent(new Event('outbox-changed'))")
    expect(page.locator("#bar .status")).to_be_focused()
    page.keyboard.press("Enter")
    heading = page.locator("#bar h1")
    expect(heading).to_have_text("未同步")
    expect(heading).to_be_focused()
    expect(page).to_have_title("未同步 · 路长制巡查")
    # Every half minute the queue is drawn again.
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    page.evaluate("document.querySelector('#main').firstElementChild.id = 'before'")
    page.evaluate("dispatchEvent(new Event('sent'))")
    expect(page.locator("#before")).to_have_count(0)
    expect(page.locator("summary")).to_be_focused()
    expect(page.locator("details")).to_have_attribute("open", "")
    # The way past the bar leads past the bar, not to another screen.
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(main).to_be_focused()
    expect(heading).to_have_text("未同步")
    phone.go("")
    phone.arrive(shop)
    tap = page.locator("button.tap.bad").nth(1)
    tap.press("Enter")
    expect(page.locator("button.tap.bad").nth(1)).to_be_focused()
    page.get_by_role("button", name="完成，下一家").press("Enter")
    expect(page.locator("#said")).to_contain_text("需要一张照片")
    expect(page.locator(".badpart input").first).to_be_focused()
    leave = page.get_by_role("button", name="放弃这次打卡")
    leave.press("Enter")
    expect(page.get_by_role("dialog", name="放弃这次打卡")).to_be_visible()
    page.keyboard.press("Escape")
    expect(leave).to_be_focused()


@pytest.mark.parametrize("width", [360, 390, 768, 1440])
def test_no_screen_scrolls_sideways(phones: Phones, laoshan: Street, width: int) -> None:
    phone = phones()
    phone.page.set_viewport_size({"width": width, "height": 800})
    phone.start()
    shop = laoshan.shops[0]
    for path in ("", "scan", "number", "near", "finding", "handover", "summary", "queue", "me",
                 f"visit/{shop.id}", f"missed/{shop.id}"):  # fmt: skip
        phone.go(path)
        expect(phone.page.locator("#main > *").first).to_be_visible()
        wide = overhang_px(phone.page)
        assert wide <= 0, path
