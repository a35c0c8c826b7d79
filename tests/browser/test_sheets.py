"""Map sheets and dashboards as people use them: drawn, touched, walked by keyboard, printed."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import select, text

from roadchief.accounts.models import Person, Post
from roadchief.db import new_id
from roadchief.lib import clock, geo
from roadchief.patrol.models import PatrolItem, Track
from roadchief.patrol.planning import shifts
from roadchief.streets.models import RoadSegment, Storefront
from tests.browser.conftest import Site
from tests.browser.widths import overhang_px
from tests.conftest import WEIFANG
from tests.maps.test_duty_layers import visit

WIDTHS = [390, 1440]
SHEETS = ["coverage", "cases", "hot", "compare", "patrol", "stations"]
PAGES = [*SHEETS, "segment", "morning", "district", "districts"]
# Whatever is pressed; links inside a table of a desk are text.
CONTROLS = "main :is(button, input:not([type=hidden]), select, summary, a[role=button], .rows a)"
SMALL = f"""() => [...document.querySelectorAll({json.dumps(CONTROLS)})]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.outerHTML.slice(0, 120), one.getBoundingClientRect().height])
  .filter(([, height]) => height < 43.5)"""
LAST_SEEN = """
SELECT f.name, (SELECT max(c.occurred_at) FROM check_in c LEFT JOIN review w ON w.id = c.id
    WHERE c.storefront_id = f.id AND c.purpose <> 'self_check'
    AND coalesce(w.state, '') NOT IN ('refused', 'removed')
    AND (c.outcome = 'verified' OR w.state = 'approved')) AS last_at
FROM storefront f WHERE f.segment_id = :segment AND f.closed_at IS NULL
"""
Enter = Callable[..., Page]


@pytest.fixture(scope="module")
def walk(site: Site) -> uuid.UUID:
    """A shift of yesterday with its track and three visits."""
    at = clock.now() - timedelta(days=1)
    with site.database.transaction(WEIFANG) as session:
        segment = session.scalars(
            select(RoadSegment).where(RoadSegment.name == "崂山路（张杨路—向城路）")
        ).one()
        shops = session.scalars(
            select(Storefront).where(Storefront.segment_id == segment.id).limit(3)
        ).all()
        wanted = select(Person).join(Post, Post.person_id == Person.id)
        person = session.scalars(wanted.where(Post.role == "patroller").limit(1)).one()
        until = at + timedelta(hours=2)
        shift = shifts.plan(
            session,
            person_id=person.id,
            segments=[segment],
            starts_at=at,
            ends_at=until,
            by=None,
            at=at,
        )
        for number, shop in enumerate(shops):
            outcome = ("verified", "weak", "contradicted")[number]
            visit(session, shop, at + timedelta(minutes=number), outcome, shift.id)
        who = {"person_id": person.id, "device_id": person.id}
        item = {"subdistrict_id": WEIFANG, "id": new_id()}
        session.add(
            PatrolItem(
                kind="track", body_sha256=b"x", seq=1, received_at=at, answer={}, **item, **who
            )
        )
        session.flush()
        points = [
            [n * 20_000, lat, lon, 5] for n, (lon, lat) in enumerate(segment.line.coords, start=1)
        ]
        length_m = round(geo.length_m(segment.line))
        span = {"starts_at": at, "ends_at": until, "shift_id": shift.id}
        row = item | span | {"person_id": person.id, "points": points, "walked_m": length_m}
        session.add(Track(**row))
        return shift.id


@pytest.fixture(scope="module")
def states(browser: Browser, site: Site) -> Callable[[str], Any]:
    """Somebody signed in, once for this file: a code of the second factor is good once."""
    inside: dict[str, Any] = {}

    def state(role: str) -> Any:
        if role not in inside:
            rows = json.loads((site.var_dir / "demo-people.json").read_text(encoding="utf-8"))
            who = next(r for r in rows if r["role"] == role and r["subdistrict"] == WEIFANG)
            context = browser.new_context(locale="zh-CN")
            page = context.new_page()
            for _ in range(3):
                page.goto(site.address + "/sign-in?next=/chief/")
                page.get_by_label("登录名").fill(who["login"])
                page.get_by_label("密码", exact=True).fill(who["password"])
                now = int(clock.now().timestamp())
                if who["totp"]:
                    page.get_by_label("动态验证码").fill(pyotp.TOTP(who["totp"]).at(now))
                page.get_by_role("button", name="登录").click()
                page.wait_for_load_state()
                if "/sign-in" not in page.url:
                    break
                page.wait_for_timeout((31 - now % 30) * 1000)  # somebody used this code
            assert "/sign-in" not in page.url
            inside[role] = context.storage_state()
            context.close()
        return inside[role]

    return state


@pytest.fixture
def enter(open_page: Callable[..., Page], states: Callable[[str], Any]) -> Iterator[Enter]:
    """`enter("/map/coverage", "operator", width=390)`; the console must stay silent."""
    said: list[str] = []

    def go(path: str, role: str = "operator", **given: Any) -> Page:
        page = open_page(path, storage_state=states(role), **given)
        page.on("console", lambda one: one.type == "error" and said.append(one.text))
        return page

    yield go
    assert said == []


def address(name: str, walk: uuid.UUID, site: Site) -> str:
    if name == "patrol":
        return f"/map/patrol/{walk}"
    if name == "segment":
        with site.database.transaction(WEIFANG) as session:
            wanted = select(RoadSegment.id).where(RoadSegment.name == "崂山路（张杨路—向城路）")
            return f"/map/segments/{session.scalars(wanted).one()}"
    places = {"morning": "/chief/", "district": "/chief/district", "districts": "/chief/districts"}
    return places.get(name, f"/map/{name}")


def role_of(name: str) -> str:
    return "auditor" if name == "districts" else "operator"


def drawn(page: Page, name: str) -> None:
    """Waits until what the page is about is to be seen."""
    if name in SHEETS:
        expect(page.locator(".folium-map[data-drawn]")).to_be_visible()
        expect(page.locator("[data-loading]")).to_be_empty()
    if name in [*SHEETS, "segment"]:
        expect(page.locator("canvas.leaflet-tile").first).to_be_visible()
    elif name == "morning":
        expect(page.locator("[data-chiefmap] canvas").first).to_be_visible()
    elif name == "district":
        expect(page.locator("svg.radar")).to_be_visible()
        expect(page.locator("svg.spark").first).to_be_visible()
    expect(page.locator("h1")).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_drawn_fits_and_can_be_pressed(
    enter: Enter, site: Site, walk: uuid.UUID, name: str, width: int
) -> None:
    page = enter(address(name, walk, site), role_of(name), width=width, height=844)
    drawn(page, name)
    assert overhang_px(page) <= 0
    assert page.evaluate(SMALL) == []
    # What is wider than the page scrolls in a box of its own, which the keyboard reaches.
    loose = """() => [...document.querySelectorAll("main .scroll")]
      .filter((one) => one.scrollWidth > one.clientWidth && one.tabIndex < 0)
      .map((one) => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(loose) == []


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_fit_for_paper(enter: Enter, site: Site, walk: uuid.UUID, name: str) -> None:
    page = enter(address(name, walk, site), role_of(name), width=794, height=1123)  # A4
    drawn(page, name)
    page.emulate_media(media="print")
    expect(page.locator("h1")).to_be_visible()
    assert overhang_px(page) <= 0
    for hidden in (".topbar nav", ".foot", ".leaflet-control-zoom", "main form"):
        for one in page.locator(hidden).all():
            expect(one).to_be_hidden()
    if name in SHEETS:
        box = page.locator(".folium-map").bounding_box()
        assert box
        assert box["height"] > 300
        expect(page.locator("[data-rows]")).to_be_visible()
        # The list comes below the map, not over it.
        rows = page.locator(".maplist").bounding_box()
        assert rows
        assert rows["y"] >= box["y"] + box["height"] - 1
    painted = """() => {
      const shown = [...document.querySelectorAll(".mapbox canvas.leaflet-tile")];
      return shown.length && shown.every((one) => getComputedStyle(one).opacity === "1"); }"""
    if name in SHEETS:
        page.wait_for_function(painted)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    if name in SHEETS:  # the streets are on the paper too, and all of the map is
        assert page.evaluate(painted)
        box = page.locator(".folium-map").bounding_box()
        assert box
        assert box["width"] <= 681
        frame = page.locator(".mapbox").bounding_box()
        assert frame
        assert abs(frame["height"] - box["height"]) < 2
        legend = page.locator(".legend").bounding_box()
        assert legend
        assert legend["y"] >= frame["y"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(page.pdf(format="A4")) > 10_000
    if name in SHEETS:  # what the signs mean stands beside them
        expect(page.locator(".legend li").first).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SHEETS)
def test_a_row_shows_its_place_and_the_sign_opens_it(
    enter: Enter, site: Site, walk: uuid.UUID, name: str, width: int
) -> None:
    page = enter(address(name, walk, site), width=width, height=844)
    drawn(page, name)
    rows = page.locator("[data-rows] > li[data-row]").filter(has=page.locator("button.show"))
    if name == "hot" and not rows.count():
        pytest.skip("the demo has no hot spot today")
    row = rows.first
    words = row.locator("b").first.inner_text()
    row.get_by_role("button", name="在图上看").click()
    bubble = page.locator(".leaflet-popup")
    expect(bubble).to_contain_text(words)
    inside(bubble, page)
    page.keyboard.press("Escape")
    expect(bubble).to_have_count(0)
    signs = page.locator(".dropsign")
    if signs.count():
        # By the keyboard: a sign is a button with a name.
        sign = signs.first
        expect(sign).to_have_attribute("role", "button")
        assert sign.get_attribute("aria-label")
        sign.focus()
        page.keyboard.press("Enter")
        expect(page.locator(".leaflet-popup h3")).to_be_visible()


def inside(one: Locator, page: Page) -> None:
    """Wholly within the map, once it stands still."""
    page.wait_for_timeout(500)
    box, around = one.bounding_box(), page.locator(".folium-map").bounding_box()
    assert box
    assert around
    assert box["x"] >= around["x"] - 1
    assert box["x"] + box["width"] <= around["x"] + around["width"] + 1
    assert box["y"] >= around["y"] - 1


@pytest.mark.parametrize("name", SHEETS)
def test_the_keyboard_reaches_the_list(
    enter: Enter, site: Site, walk: uuid.UUID, name: str
) -> None:
    page = enter(address(name, walk, site), width=1440)
    drawn(page, name)
    if name == "hot" and not page.locator("[data-rows] :is(a, button)").count():
        pytest.skip("the demo has no hot spot today")
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("Boolean(document.activeElement.closest('[data-rows]'))"):
            break
    else:
        raise AssertionError("never in the list")
    outline = page.evaluate(
        "(() => { const s = getComputedStyle(document.activeElement);"
        " return s.outlineStyle !== 'none' || s.boxShadow !== 'none'; })()"
    )
    assert outline


@pytest.mark.parametrize("width", WIDTHS)
def test_the_slider_goes_back_in_time(
    enter: Enter, site: Site, walk: uuid.UUID, width: int
) -> None:
    page = enter("/map/cases", width=width, height=844)
    drawn(page, "cases")
    before = page.locator("[data-says]").inner_text()
    page.locator("input[type=range]").focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    then = clock.local_date(clock.now() - timedelta(days=3)).isoformat()
    expect(page.locator("form[data-slider] output")).to_have_text(then)
    expect(page.locator("input[name=day]")).to_have_value(then)
    expect(page.locator("[data-says]")).to_contain_text(then)
    assert page.locator("[data-says]").inner_text() != before
    expect(page.locator("[data-loading]")).to_be_empty()
    told = page.evaluate(f"fetch('/map/cases.json?day={then}').then((one) => one.json())")
    assert told["says"] == page.locator("[data-says]").inner_text()
    assert page.locator("[data-rows] > li[data-row]").count() == len(told["rows"])
    # The same day by its address, without script's help.
    page.goto(f"{site.address}/map/cases?day={then}")
    expect(page.locator("[data-says]")).to_have_text(told["says"])


def test_a_chief_finds_the_oldest_unvisited_shop_of_any_segment_in_two_clicks(
    enter: Enter, site: Site
) -> None:
    """First click: the map of the own streets. Second: the segment. The shop stands on top."""
    page = enter("/chief/", "chief_l2", width=390, height=844)
    page.get_by_role("button", name="大地图和列表").click()
    links = page.locator("[data-rows] a.line")
    expect(links.first).to_be_visible()
    own = [(one.inner_text(), str(one.get_attribute("href"))) for one in links.all()]
    assert own
    for number, (name, href) in enumerate(own):
        page.goto(site.address + "/chief/")
        page.get_by_role("button", name="大地图和列表").click()  # one
        page.locator("[data-rows] a.line").nth(number).click()  # two
        opened = page.locator("#opened")
        expect(opened.get_by_role("heading")).to_have_text(name)
        segment = uuid.UUID(href[-36:])
        with site.database.transaction(WEIFANG) as session:
            shops = session.execute(text(LAST_SEEN), {"segment": segment}).all()
        first = opened.locator("li").first
        if not shops:
            expect(first).to_have_text("没有铺位")
            continue
        box = first.bounding_box()
        assert box
        never = {one.name or "空置铺位" for one in shops if one.last_at is None}
        longest = min(
            (one for one in shops if one.last_at), key=lambda one: one.last_at, default=None
        )
        words = first.locator("b").first.inner_text()
        if never:
            assert words in never
            expect(first).to_contain_text("从未到过")
        else:
            assert longest
            assert words == (longest.name or "空置铺位")


def test_the_morning_map_leads_to_the_segment_in_one(enter: Enter) -> None:
    page = enter("/chief/", "chief_l2", width=1440)
    signs = page.locator(".chiefsign")
    expect(signs.first).to_be_visible()
    name = str(signs.first.get_attribute("aria-label")).split("，")[0]
    signs.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#opened h2")).to_have_text(name)


PARTS = ".dropsign span, .strip :is(a, .side), .legend .word"
CLIPPED = f"""() => [...document.querySelectorAll({json.dumps(PARTS)})]
  .filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 160))"""


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [*SHEETS, "segment"])
def test_no_sign_or_word_is_cut_off(
    enter: Enter, site: Site, walk: uuid.UUID, name: str, width: int, lang: str
) -> None:
    page = enter(address(name, walk, site) + f"?lang={lang}", width=width, height=844)
    drawn(page, name)
    if page.locator("details.legend:not([open])").count():
        page.locator("details.legend summary").click()
    assert page.evaluate(CLIPPED) == []
    box = page.locator("details.legend").bounding_box()
    zoom = page.locator(".leaflet-control-zoom").bounding_box()
    assert box
    assert zoom
    assert box["x"] + box["width"] <= zoom["x"] or box["y"] + box["height"] <= zoom["y"]


def test_signs_stand_in_the_middle_of_their_streets(enter: Enter) -> None:
    """Not at the crossings, where those of several streets would hide each other."""
    page = enter("/map/coverage", width=1440)
    drawn(page, "coverage")
    places = page.locator(".dropsign").evaluate_all(
        "(all) => all.map((one) => { const b = one.querySelector('span').getBoundingClientRect();"
        " return [b.x, b.y, b.right, b.bottom]; })"
    )
    assert len(places) > 8
    hidden = [
        (one, other)
        for number, one in enumerate(places)
        for other in places[:number]
        if abs(one[0] - other[0]) < 8 and abs(one[1] - other[1]) < 8
    ]
    assert hidden == []


def test_an_address_with_a_key_opens_that_place(enter: Enter) -> None:
    page = enter("/map/coverage", width=1440)
    drawn(page, "coverage")
    row = page.locator("[data-rows] > li[data-row]").nth(2)
    key, name = row.get_attribute("data-row"), row.locator("b").first.inner_text()
    page.goto(page.url + f"#{key}")
    page.reload()
    expect(page.locator(".leaflet-popup h3")).to_have_text(name)


def test_shops_show_when_they_were_seen_as_the_map_comes_near(enter: Enter) -> None:
    """Squares of visits are drawn, and a touch on the segment's sheet still tells the shop."""
    page = enter("/map/coverage", width=1440)
    drawn(page, "coverage")
    with page.expect_response(lambda one: "/tiles/check_ins/" in one.url and one.status == 200):
        page.get_by_role("button", name="在图上看").first.click()


def test_the_strip_leads_to_the_shop_by_the_keyboard(enter: Enter, site: Site, walk: Any) -> None:
    page = enter(address("segment", walk, site), "chief_l2", width=390, height=844)
    cell = page.locator(".strip a").first
    words = str(cell.get_attribute("aria-label"))
    cell.focus()
    page.keyboard.press("Enter")
    target = page.locator(":target")
    expect(target).to_be_in_viewport()
    assert target.locator("b").first.inner_text() in words


@pytest.mark.parametrize("name", [*SHEETS, "segment", "morning"])
def test_large_type_is_large_and_fits(enter: Enter, site: Site, walk: uuid.UUID, name: str) -> None:
    page = enter(address(name, walk, site) + "?type=large", width=390, height=844)
    drawn(page, name)
    assert float(page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")) >= 22
    assert overhang_px(page) <= 0


def test_what_a_shop_tells_is_wholly_seen_on_a_phone(
    enter: Enter, site: Site, walk: uuid.UUID
) -> None:
    """Nothing lies over it: neither the legend nor the buttons of the map."""
    page = enter(address("segment", walk, site), "chief_l2", width=390, height=844)
    drawn(page, "segment")
    with site.database.transaction(WEIFANG) as session:
        wanted = select(Storefront).join(RoadSegment, RoadSegment.id == Storefront.segment_id)
        wanted = wanted.where(
            RoadSegment.name == "崂山路（张杨路—向城路）", Storefront.name.is_not(None)
        )
        shop = session.scalars(wanted.limit(1)).one()
        lon, lat, name = shop.door.x, shop.door.y, shop.name
    page.evaluate(f"roadchiefMap.setView([{lat}, {lon}], 18, {{animate: false}})")
    bubble = page.locator(".leaflet-popup")
    around = page.locator(".folium-map").bounding_box()
    assert around
    for _ in range(20):
        page.mouse.click(around["x"] + around["width"] / 2, around["y"] + around["height"] / 2)
        page.wait_for_timeout(500)
        if bubble.locator("h3").count():
            break
    expect(bubble.locator("h3")).to_have_text(str(name))
    expect(bubble.locator(".mark").first).to_be_visible()
    inside(bubble, page)
    box = bubble.bounding_box()
    assert box
    assert box["y"] + box["height"] <= around["y"] + around["height"] + 1
    over = """(at) => Boolean(document.elementFromPoint(at[0], at[1])?.closest(".leaflet-popup"))"""
    for x in (0.1, 0.5, 0.9):
        for y in (0.1, 0.45, 0.8):
            place = [box["x"] + box["width"] * x, box["y"] + box["height"] * y]
            assert page.evaluate(over, place), (x, y)
