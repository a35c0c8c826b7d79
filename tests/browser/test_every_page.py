"""Every kind of page on a phone, walked by its links: WCAG AA, a finger's 44 px, no sideways
scroll, and large type that is large everywhere."""

import re
from collections import deque
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from roadchief.config import ROOT
from tests.browser.conftest import Site
from tests.browser.test_cases import AXE, OpenPage, plate, sign_in

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
# Who walks where: each page once, by somebody whose own it is.
WALKS = {
    "": r"/$|/report|/follow|/sign-in$|/code$|/c/|/C/|/api/|/map/($|\?|seg|stations|search|data)",
    "merchant": r"/merchant/|/notices",
    "patroller": r"/patrol/|/C/",
    "officer": r"/desk/",
    "chief_l2": r"/chief/|/map/(coverage|cases|hot|compare|patrol)",
    "admin": r"/admin/|/account",
}
FEWEST = {"": 12, "merchant": 3, "patroller": 2, "officer": 4, "chief_l2": 12, "admin": 35}
FILES = re.compile(r"\.\w+($|\?)|[?&](lang|type|save)=|/save/")
LINKS = """() => [...document.links].filter((one) => !one.download && !one.type)
  .map((one) => one.pathname + one.search)"""
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations']}"
BROKEN = f"""() => axe.run({RULES}).then((found) => found.violations.flatMap((one) =>
  one.nodes.map((node) => one.id + ' ' + node.target.join(' '))))"""
# A pin stands where its place is, and its case is in the list too; a word in running text is text.
SMALL = """() => {
  const pressed = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
  const inText = (one) => one.tagName === 'A' && getComputedStyle(one).display === 'inline' &&
    [...one.parentElement.childNodes].some((n) => n.nodeType === 3 && /\\p{L}{2}/u.test(n.data));
  const sized = (one) =>
    ['checkbox', 'radio', 'file'].includes(one.type) && one.closest('label') || one;
  const exempt = (one) => one.closest('.skip, .leaflet-marker-pane') || inText(one);
  return [...document.querySelectorAll(pressed)]
    .filter((one) => one.checkVisibility() && !exempt(one))
    .map((one) => [one.outerHTML.slice(0, 120), sized(one).getBoundingClientRect()])
    .filter(([, box]) => box.width < 43.5 || box.height < 43.5)
    .map(([words, box]) => `${Math.round(box.width)}x${Math.round(box.height)} ${words}`);
}"""
TINY = """() => {
  const found = new Set(), walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement, size = parseFloat(getComputedStyle(one).fontSize);
    if (walk.currentNode.data.trim() && size < 17 && one.checkVisibility() && !one.closest('svg'))
      found.add(`${size}px ${one.outerHTML.slice(0, 90)}`);
  }
  return [...found];
}"""
# The rows of a list are alike: a dozen are enough.
SHORTER = """() => document.querySelectorAll('ul.rows, tbody, fieldset').forEach((one) =>
  [...one.children].slice(12).forEach((row) => row.remove()))"""
SIDEWAYS = "() => document.documentElement.scrollWidth - innerWidth"


def kind(path: str) -> str:
    return re.sub(r"/(c|C|follow)/[^/?]+", r"/\1/…", ID.sub("…", path.split("?")[0]))


def walk(page: Page, site: Site, starts: list[str], where: str) -> Iterator[str]:
    """Opens one page of each kind that the links lead to."""
    waiting, seen = deque(starts), set[str]()
    while waiting:
        path = waiting.popleft()
        if kind(path) in seen or not re.match(where, path) or FILES.search(path):
            continue
        seen.add(kind(path))
        page.set_viewport_size({"width": 360, "height": 780})
        page.goto(site.address + path, wait_until="load")
        waiting.extend(page.evaluate(LINKS))
        yield path


def faults(page: Page) -> list[str]:
    """What is wrong with this page on a phone, as it came and with large type."""
    page.evaluate(SHORTER)
    wrong = [f"axe: {one}" for one in page.evaluate(BROKEN)]
    wrong += [f"small: {one}" for one in page.evaluate(SMALL)]
    if page.evaluate(SIDEWAYS) > 0:
        wrong.append("sideways")
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("document.documentElement.classList.add('large')")
    wrong += [f"tiny: {one}" for one in page.evaluate(TINY)]
    if page.evaluate(SIDEWAYS) > 0:
        wrong.append("sideways in large type")
    return wrong


@pytest.mark.parametrize("role", WALKS, ids=lambda role: role or "nobody")
def test_every_page_can_be_used_on_a_phone(open_page: OpenPage, site: Site, role: str) -> None:
    code = plate(site)
    starts = ["/", "/report?s=310115004", "/sign-in", "/follow/", "/code", "/api/docs", "/map/data"]
    starts += ["/map/search?q=桂香", f"/c/{code}", f"/C/{code}/mount", "/notices", "/account"]
    starts += ["/merchant/", "/patrol/", "/desk/", "/chief/", "/map/coverage", "/admin/"]
    page = sign_in(open_page, site, role, "/account") if role else open_page("/")
    page.add_init_script(AXE.read_text(encoding="utf-8"))
    page.route("**/tiles/**", lambda asked: asked.abort())  # no words on them, and much work
    page.emulate_media(reduced_motion="reduce")  # colours are looked at when they are there
    wrong, opened = list[str](), 0
    for path in walk(page, site, starts, WALKS[role]):
        opened += 1
        wrong += [f"{path}: {one}" for one in faults(page)]
    assert not wrong, "\n".join(wrong)
    assert opened >= FEWEST[role]


def test_every_size_of_type_grows_with_large_type() -> None:
    """The cause of small words in the large type: sizes that stand in bare pixels."""
    sheets = [*(ROOT / "static" / "css").glob("*.css"), ROOT / "static" / "patrol" / "patrol.css"]
    bare = re.compile(r"font-size: [0-9.]+px")
    assert [path.name for path in sheets if bare.search(path.read_text(encoding="utf-8"))] == []


def test_the_phone_app_keeps_large_type(open_page: OpenPage) -> None:
    page = open_page("/patrol/#/me", width=360, height=780)
    page.get_by_role("button", name="大字版").click()
    expect(page.get_by_role("button", name="标准字号")).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="标准字号")).to_be_visible()
    assert page.evaluate(TINY) == []
    assert page.evaluate(SIDEWAYS) <= 0
