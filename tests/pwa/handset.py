"""A phone in a test: Chromium with a camera that shows what we draw, a position, a store."""

import base64
import io
import itertools
import json
from typing import Any

import qrcode
from playwright.sync_api import BrowserContext, Page, expect

from tests.cast import PASSWORD, Player
from tests.pwa.street import Shop, Street

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--disable-quic",
]  # fmt: skip
# getUserMedia gives a canvas: the test swaps what hangs before the lens.
CAMERA = """
(() => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1280, 720];
  const pen = canvas.getContext("2d");
  let picture = null, tick = 0;
  window.hangUp = (address) => {
    if (!address) { picture = null; return; }
    const next = new Image();
    next.onload = () => { picture = next; };
    next.src = address;
  };
  setInterval(() => {
    pen.fillStyle = "#8a9088";
    pen.fillRect(0, 0, 1280, 720);
    pen.fillStyle = (tick += 1) % 2 ? "#fff" : "#eee";
    pen.fillRect(0, 0, 40, 40);
    if (picture) pen.drawImage(picture, 460, 180, 360, 360);
  }, 50);
  const devices = navigator.mediaDevices;
  if (devices) devices.getUserMedia = async () => canvas.captureStream(15);
})();
"""
_little = itertools.count()


def symbol(text: str) -> str:
    """A plate's symbol as a data address."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_H, box_size=8, border=4)
    code.add_data(text)
    code.make()
    data = io.BytesIO()
    code.make_image().save(data, "PNG")
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()


def sign_in(page: Page, address: str, player: Player) -> None:
    page.goto(f"{address}/sign-in?next=/patrol/")
    page.locator("input[name=login]").fill(player.login)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("form[action*='sign-in'] button[type=submit], form button.main").first.click()
    page.wait_for_url("**/patrol/**")


class Handset:
    """One phone of one person, walking `street`, perhaps through a bad wire."""

    def __init__(
        self,
        context: BrowserContext,
        street: Street,
        address: str | None = None,
        *,
        camera: bool = True,
    ) -> None:
        self.context, self.street = context, street
        self.address = address or street.address
        context.grant_permissions(["geolocation", "camera"], origin=self.address)
        if camera:
            context.add_init_script(CAMERA)
        self.trouble: list[str] = []
        self.page = self.new_page()

    def new_page(self) -> Page:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on(
            "console",
            lambda said: (
                self.trouble.append(said.text) if "Content Security Policy" in said.text else None
            ),
        )
        return page

    def sign_in(self, role: str = "patroller") -> None:
        sign_in(self.page, self.address, self.street.cast[role])

    def wait_for_worker(self) -> None:
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        expect(self.page.locator("#bar .status")).to_be_visible()

    def start(self) -> None:
        """Sign in, wait until the shell is on the phone, take the shift along."""
        self.sign_in()
        self.wait_for_worker()
        self.begin()

    def begin(self) -> None:
        self.page.locator("#main button.main").filter(has_text="开始").or_(
            self.page.locator("#main button.main").filter(has_text="继续")
        ).first.click()
        scan = self.page.get_by_role("link", name="扫码打卡")
        unread = self.page.get_by_role("button", name="我已读")
        expect(scan.or_(unread).first).to_be_visible()
        while unread.count():  # what the shift before left for us
            unread.first.click()
            self.page.wait_for_timeout(200)
        expect(scan).to_be_visible()

    def stand_at(self, shop: Shop, *, accuracy: float = 12, metres: float = 0) -> None:
        """A metre to and fro, for no phone stands still."""
        south = (next(_little) % 3 - 1) * 1e-6
        self.context.set_geolocation(
            {
                "longitude": shop.lon - 0.00006,
                "latitude": shop.lat + metres / 110900 + south,
                "accuracy": accuracy,
            }
        )

    def go(self, path: str) -> None:
        self.page.evaluate("path => { location.hash = '#/' + path; }", path)

    def scan(self, text: str) -> None:
        """Hold the camera before a symbol."""
        self.page.evaluate("address => hangUp(address)", symbol(text))
        self.page.get_by_role("link", name="扫码打卡").first.click()

    def arrive(self, shop: Shop, **given: float) -> None:
        """From the list to the verdict, by the camera."""
        self.stand_at(shop, **given)
        self.scan(self.street.plate(shop))
        self.measured(shop, **given)

    def measured(self, shop: Shop, **given: float) -> None:
        """The phone reports its place now and then, until the verdict stands."""
        self.page.locator(".verdict").wait_for()
        for _ in range(60):
            if not self.page.locator(".verdict.measuring").count():
                return
            self.stand_at(shop, **given)
            self.page.wait_for_timeout(200)
        raise AssertionError("no verdict within 12 seconds")

    def finish(self) -> None:
        """The rest is good, done, back to the list."""
        self.page.get_by_role("button", name="其余都好").click()
        self.page.get_by_role("button", name="完成，下一家").click()
        expect(self.page.locator("#said")).to_contain_text("已保存")

    def visit(self, shop: Shop, **given: float) -> None:
        self.arrive(shop, **given)
        self.finish()

    def waiting(self) -> int:
        return int(self.page.locator("#bar .status").get_attribute("data-waiting") or 0)

    def records(self) -> list[dict[str, Any]]:
        """What waits in this phone's outbox."""
        found = self.page.evaluate(
            "import('/static/patrol/outbox.js').then((box) => box.all())"
            ".then((all) => JSON.stringify(all))"
        )
        return list(json.loads(found))

    def save(self, kind: str, body: dict[str, Any], picture: bytes | None = None) -> str:
        """An act written by the app's own code, without its screens."""
        return str(
            self.page.evaluate(
                """async ([kind, body, picture]) => {
                  const { record } = await import('/static/patrol/day.js');
                  const { sha256 } = await import('/static/patrol/ids.js');
                  const photos = [];
                  if (picture) {
                    const letters = Array.from(atob(picture), (one) => one.charCodeAt(0));
                    const bytes = new Uint8Array(letters).buffer;
                    const taken_at = new Date().toISOString();
                    photos.push({ sha256: await sha256(bytes), type: 'image/jpeg', bytes, taken_at,
                      source: 'camera', width_px: 640, height_px: 480 });
                  }
                  return (await record(kind, body, photos)).id;
                }""",
                [kind, body, base64.b64encode(picture).decode() if picture else None],
            )
        )

    def send(self) -> str:
        """Ask the app to send now; says how that went."""
        return str(
            self.page.evaluate(
                "import('/static/patrol/app.js').then((app) => app.send({ loud: true }))"
                ".then((answer) => answer.state)"
            )
        )

    def settle(self, timeout: float = 20000) -> None:
        """Send until nothing waits."""
        self.page.evaluate(
            "import('/static/patrol/app.js').then((app) => app.send({ loud: true }))"
        )
        expect(self.page.locator("#bar .status")).to_have_attribute(
            "data-waiting", "0", timeout=timeout
        )
