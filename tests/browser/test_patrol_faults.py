"""Bad wires, killed browsers, two tabs, two people: nothing lost, nothing twice."""

import json
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, expect

from roadchief.lib import clock
from tests import pictures
from tests.conftest import CHROMIUM
from tests.pwa.handset import ARGUMENTS, Handset
from tests.pwa.street import Street, street
from tests.pwa.wire import Fault, Wire

Phones = Callable[..., Handset]
NOWHERE = "01900000-0000-7000-8000-000000000000"


@pytest.fixture(scope="module")
def laoshan(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(server, tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture
def phones(browser: Browser, laoshan: Street) -> Iterator[Phones]:
    made: list[Handset] = []

    def phone(address: str | None = None) -> Handset:
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
        made.append(Handset(context, laoshan, address))
        return made[-1]

    yield phone
    for one in made:
        one.context.close()
    assert [line for one in made for line in one.trouble] == []


@pytest.fixture
def wire(laoshan: Street) -> Iterator[Wire]:
    made = Wire(laoshan.port)
    yield made
    made.close()


def missed(street: Street, place: int = 0) -> dict[str, Any]:
    shop = street.shops[place]
    return {"storefront_id": str(shop.id), "because": "closed", "note": "", "fix": None}


def only(wire: Wire, fault: Fault, *, path: str, times: int) -> None:
    """The next so many requests to `path` meet the fault."""
    left = [times]

    def rule(line: str) -> Fault | None:
        if path in line and not line.startswith("GET") and left[0] > 0:
            left[0] -= 1
            return fault
        return None

    wire.rule = rule


def stored_once(street: Street, ids: list[str]) -> None:
    """Acknowledged ⊆ stored, no id twice, one event an item."""
    kept = street.items()
    assert len(kept) == len(set(kept))
    assert set(ids) <= set(kept)
    for one in ids:
        events = "SELECT count(*) FROM event WHERE subject_id = :id AND name = 'patrol.missed'"
        assert street.count(events, id=one) <= 1


def retry(phone: Handset) -> None:
    """As after a pause: everything may go out again."""
    for _ in range(8):
        phone.send()
        if not phone.records():
            return
        phone.page.wait_for_timeout(150)
    raise AssertionError(phone.records())


@pytest.mark.parametrize(
    "fault",
    [Fault("lose"), Fault("cut", after=40), Fault("reset", after=0), Fault("portal")],
    ids=["answer lost after commit", "request cut", "reset", "portal answers 200"],
)
def test_a_bad_wire_loses_nothing_and_doubles_nothing(
    phones: Phones, laoshan: Street, wire: Wire, fault: Fault
) -> None:
    phone = phones(wire.address)
    phone.start()
    retry(phone)
    only(wire, fault, path="/api/v1/sync", times=2)
    ids = [phone.save("missed", missed(laoshan, place)) for place in range(3)]
    for _ in range(3):
        phone.send()
    assert len(wire.faults) == 2
    retry(phone)
    stored_once(laoshan, ids)


def test_a_photo_cut_at_half_and_a_lost_receipt_end_well(
    phones: Phones, laoshan: Street, wire: Wire
) -> None:
    phone = phones(wire.address)
    phone.start()
    retry(phone)
    shop = laoshan.shops[1]
    picture = pictures.jpeg(seed=uuid.uuid4().int % 10**6)  # no test before has sent it
    # As long as it lasts: the app sends by itself, too, and may have done so before we ask.
    only(wire, Fault("cut", after=len(picture) // 2), path="/api/v1/blobs", times=99)
    body = {
        "check_in_id": None, "storefront_id": str(shop.id), "segment_id": None,
        "item": "WS01", "note": "箱子", "fix": None, "inspection_code": None,
    }  # fmt: skip
    saved = phone.save("finding", body, picture)
    phone.send()
    record = next(one for one in phone.records() if one["id"] == saved)
    assert record["state"] == "photos", "the item is there, its photo waits"
    stored = "SELECT count(*) FROM blob WHERE source_sha256 = :sha"
    sha = record["item"]["photos"][0]["sha256"]
    assert laoshan.count(stored, sha=sha) == 0
    only(wire, Fault("lose"), path="/api/v1/blobs", times=99)
    phone.send()
    assert laoshan.count(stored, sha=sha) == 1
    assert any(one["id"] == saved for one in phone.records())
    wire.rule = lambda _line: None
    retry(phone)
    assert laoshan.count(stored, sha=sha) == 1
    stored_once(laoshan, [saved])


def test_two_tabs_send_each_item_once(phones: Phones, laoshan: Street) -> None:
    phone = phones()
    phone.start()
    retry(phone)
    phone.context.set_offline(True)
    ids = [phone.save("missed", missed(laoshan)) for _ in range(5)]
    phone.context.set_offline(False)
    other = phone.new_page()
    other.goto(f"{phone.address}/patrol/")
    other.locator("#bar .status").wait_for()
    send = "import('/static/patrol/app.js').then((app) => { app.send({ loud: true }); })"
    phone.page.evaluate(send)
    other.evaluate(send)
    expect(other.locator("#bar .status")).to_have_attribute("data-waiting", "0", timeout=15000)
    stored_once(laoshan, ids)
    seqs = "SELECT count(DISTINCT seq) FROM patrol_item WHERE id = ANY(CAST(:ids AS uuid[]))"
    assert laoshan.count(seqs, ids=ids) == len(ids)


def test_a_tab_that_looks_on_sees_at_once_what_another_has_sent(
    phones: Phones, laoshan: Street
) -> None:
    phone = phones()
    phone.start()
    retry(phone)
    phone.context.route("**/api/v1/sync", lambda route: route.abort())
    mine = phone.save("missed", missed(laoshan))
    other = phone.new_page()
    # It may look, not send: as a page that lost the race for the lock does.
    other.add_init_script("navigator.locks.request = async (name, how, work) => work(null);")
    other.goto(f"{phone.address}/patrol/")
    count = other.locator("#bar .status")
    expect(count).to_have_attribute("data-waiting", "1")
    phone.context.unroute("**/api/v1/sync")
    retry(phone)
    # Long before it would count again by itself, half a minute later.
    expect(count).to_have_attribute("data-waiting", "0", timeout=10_000)
    stored_once(laoshan, [mine])


def test_an_item_waits_for_its_own_person(phones: Phones, laoshan: Street) -> None:
    phone = phones()
    phone.start()
    retry(phone)
    phone.context.set_offline(True)
    mine = phone.save("missed", missed(laoshan))
    # The session ends while the item waits; somebody else signs in. Before the signal is back:
    # the app sends by itself as soon as it is.
    phone.context.clear_cookies()
    phone.context.set_offline(False)
    phone.sign_in("segment_chief")
    expect(phone.page.locator("#bar .status")).to_have_attribute("data-waiting", "1")
    phone.send()
    assert [one["id"] for one in phone.records()] == [mine]
    assert mine not in laoshan.items()
    phone.go("queue")
    expect(phone.page.locator(".notice")).to_contain_text("别人的")
    phone.context.clear_cookies()
    phone.sign_in("patroller")
    expect(phone.page.locator("#bar .status")).to_have_attribute("data-waiting", "0")
    stored_once(laoshan, [mine])


def test_a_session_that_ended_keeps_the_queue(phones: Phones, laoshan: Street) -> None:
    phone = phones()
    phone.start()
    retry(phone)
    phone.context.clear_cookies()
    mine = phone.save("missed", missed(laoshan))
    assert phone.send() == "sign_in"
    expect(phone.page.locator("#bar .status")).to_contain_text("请登录")
    assert [one["id"] for one in phone.records()] == [mine]
    phone.sign_in("patroller")
    expect(phone.page.locator("#bar .status")).to_have_attribute("data-waiting", "0")
    stored_once(laoshan, [mine])


def test_the_same_id_with_another_body_is_shown_and_repaired(
    phones: Phones, laoshan: Street
) -> None:
    phone = phones()
    phone.start()
    retry(phone)
    phone.context.set_offline(True)
    mine = phone.save("missed", missed(laoshan))
    record = next(one for one in phone.records() if one["id"] == mine)
    other = record["item"] | {"body": missed(laoshan, 3)}
    said = phone.context.request.post(
        f"{phone.address}/api/v1/sync", data={"items": [other]}
    ).json()
    assert said["answers"][0]["status"] == "stored"
    phone.context.set_offline(False)
    beside = phone.save("missed", missed(laoshan, 2))
    phone.send()
    left = phone.records()
    assert [(one["id"], one["state"]) for one in left] == [(mine, "attention")]
    assert beside in laoshan.items()
    phone.go(f"queue/{mine}")
    phone.page.get_by_role("button", name="修改后重发").click()
    expect(phone.page.locator("#bar .status")).to_have_attribute("data-waiting", "0")


def test_a_full_phone_says_so_and_keeps_what_is_on_the_screen(
    phones: Phones, laoshan: Street, tmp_path: Path
) -> None:
    phone = phones()
    devtools = phone.context.new_cdp_session(phone.page)
    room = {"origin": phone.address, "quotaSize": 4_000_000}
    devtools.send("Storage.overrideQuotaForOrigin", room)
    phone.start()
    retry(phone)
    phone.context.set_offline(True)
    ids = []
    with pytest.raises(Error, match="storage full"):
        for place in range(60):
            one = os.urandom(300_000)  # the disk packs what repeats
            ids.append(phone.save("missed", missed(laoshan, place % 6), one))
    assert [one["id"] for one in phone.records()] == ids, "what was saved is there, and no half"
    phone.go("finding")
    phone.page.locator("button.tile").first.click()
    Image.effect_noise((1600, 1200), 90).save(tmp_path / "p.jpg", quality=95)
    phone.page.locator(".photos input[type=file]").first.set_input_files(tmp_path / "p.jpg")
    expect(phone.page.locator(".photos img").first).to_be_visible()
    phone.page.locator("textarea[name=note]").fill("写了半天的说明")
    phone.page.get_by_role("button", name="保存").click()
    # Not the sentence that the half-written form found no room: saving itself was refused.
    expect(phone.page.locator("#said")).to_contain_text("这一条没有保存")
    expect(phone.page.locator("textarea[name=note]")).to_have_value("写了半天的说明")
    # With room again the same press saves, and everything arrives.
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": phone.address})
    phone.page.wait_for_timeout(1000)
    phone.page.get_by_role("button", name="保存").click()
    expect(phone.page.get_by_role("link", name="扫码打卡")).to_be_visible()
    assert len(phone.records()) == len(ids) + 1


@pytest.mark.parametrize(
    ("wall", "seconds"),
    [("Date.now() + 3600e3", 3600), ("Date.UTC(2010, 0, 1)", None)],
    ids=["an hour fast", "2010"],
)
def test_a_wrong_clock_is_measured_not_punished(
    phones: Phones, laoshan: Street, wall: str, seconds: int | None
) -> None:
    phone = phones()
    # The wall clock alone is wrong; the steady clock runs on.
    phone.context.add_init_script(
        f"""(() => {{
          const Real = Date, shift = ({wall}) - Real.now();
          globalThis.Date = class extends Real {{
            constructor(...given) {{ super(...(given.length ? given : [Real.now() + shift])); }}
            static now() {{ return Real.now() + shift; }}
          }};
        }})();"""
    )
    phone.page.close()
    phone.page = phone.new_page()
    phone.start()
    mine = phone.save("missed", missed(laoshan, 4))
    phone.settle()
    sent = phone.page.evaluate(
        """async (id) => {
          const { receipts } = await import('/static/patrol/outbox.js');
          const found = (await receipts()).find((one) => one.id === id);
          return [found.item.times.offset_ms, found.answer.occurred_at];
        }""",
        mine,
    )
    if seconds:
        assert abs(sent[0] / 1000 + seconds) < 3
    late_s = (clock.now() - datetime.fromisoformat(sent[1])).total_seconds()
    assert abs(late_s) < 20, "the server knows when it really was"


def test_an_export_holds_everything_and_shows_nothing(
    phones: Phones, laoshan: Street, tmp_path: Path
) -> None:
    phone = phones()
    phone.start()
    retry(phone)
    phone.context.route("**/api/v1/sync", lambda route: route.abort())
    phone.save("handover", {"segment_id": NOWHERE, "text": "不该让人看见的话"}, pictures.jpeg())
    phone.go("queue")
    phone.page.get_by_role("button", name="导出加密文件").click()
    phone.page.locator("dialog input").fill("一条足够长的口令")
    with phone.page.expect_download() as waiting:
        phone.page.locator("dialog").get_by_role("button", name="导出").click()
    path = tmp_path / "export.json"
    waiting.value.save_as(path)
    assert "不该让人看见" not in path.read_text()
    inside = phone.page.evaluate(
        """async ([text, phrase]) => {
          const { unseal } = await import('/static/patrol/sealing.js');
          const found = await unseal(text, phrase);
          return [found.items.map((one) => one.item.body.text), found.photos.length];
        }""",
        [path.read_text(), "一条足够长的口令"],
    )
    assert inside == [["不该让人看见的话"], 1]
    assert len(phone.records()) == 1, "an export takes nothing away"


def test_five_photo_items_survive_a_killed_browser(
    browser: Browser, laoshan: Street, tmp_path: Path
) -> None:
    """SIGKILL, no goodbye; opened again without signal; then everything arrives."""
    profile = tmp_path / "profile"
    phone = Handset(launch(browser, profile), laoshan)
    phone.start()
    retry(phone)
    phone.context.set_offline(True)
    ids = [
        phone.save("missed", missed(laoshan, place), pictures.jpeg(1600, 1200, seed=place))
        for place in range(5)
    ]
    sizes = sorted(one["item"]["photos"][0]["bytes"] for one in phone.records())
    kill(profile)
    phone = Handset(launch(browser, profile, offline=True), laoshan)
    phone.page.goto(f"{phone.address}/patrol/")
    expect(phone.page.locator("#bar .status")).to_have_attribute("data-waiting", "5")
    assert [one["id"] for one in phone.records()] == ids
    held = phone.page.evaluate(
        """async (ids) => {
          const { photosOf } = await import('/static/patrol/outbox.js');
          const found = (await Promise.all(ids.map(photosOf))).flat();
          return found.map((photo) => photo.bytes.byteLength).sort((a, b) => a - b);
        }""",
        ids,
    )
    assert held == sizes
    phone.context.set_offline(False)
    phone.sign_in()  # a killed browser may have forgotten whom it served
    phone.settle(timeout=40000)
    phone.context.close()
    stored_once(laoshan, ids)
    photos = "SELECT count(*) FROM item_photo WHERE item_id = :id"
    assert [laoshan.count(photos, id=one) for one in ids] == [1] * 5


def launch(browser: Browser, profile: Path, *, offline: bool = False) -> BrowserContext:
    return browser.browser_type.launch_persistent_context(
        str(profile),
        executable_path=CHROMIUM,
        args=ARGUMENTS,
        offline=offline,
        viewport={"width": 390, "height": 844},
        locale="zh-CN",
    )


def kill(profile: Path) -> None:
    """End the browser of this profile, and no other, the hard way."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            words = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f"--user-data-dir={profile}" in words:
            os.kill(int(folder.name), signal.SIGKILL)


def test_replaying_everything_changes_nothing(phones: Phones, laoshan: Street) -> None:
    phone = phones()
    phone.start()
    for place in range(3):
        phone.save("missed", missed(laoshan, place))
    retry(phone)
    tables = ("patrol_item", "check_in", "missed_visit", "event", "shift", "procrastinate_jobs")
    prints = {name: fingerprint(laoshan, name) for name in tables}
    bodies = phone.page.evaluate(
        """async () => {
          const { receipts } = await import('/static/patrol/outbox.js');
          const items = (await receipts()).map((one) => one.item);
          const send = async () => (await (await fetch('/api/v1/sync', { method: 'POST',
            headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ items }) })).json()).answers;
          return JSON.stringify([...(await send()), ...(await send())].map((one) => one.status));
        }"""  # noqa: E501
    )
    assert set(json.loads(bodies)) == {"already_stored"}
    assert {name: fingerprint(laoshan, name) for name in tables} == prints


def fingerprint(street: Street, table: str) -> int:
    sql = f"SELECT coalesce(sum(hashtext(t::text)::bigint), 0) FROM {table} t"
    return street.count(sql)
