"""The scanner with a camera from a file, its speed, its ways out, and nothing serious for axe."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import qrcode
from PIL import Image, ImageDraw, ImageFilter
from playwright.sync_api import Browser, expect

from roadchief.config import ROOT
from tests.conftest import CHROMIUM
from tests.pwa.handset import ARGUMENTS, Handset
from tests.pwa.street import Street, street

AXE = ROOT / "static" / "vendor" / "axe.min.js"
SHUT = """() => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', '%s'); };
}"""


@pytest.fixture(scope="module")
def laoshan(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(server, tmp_path_factory.mktemp("street")) as made:
        yield made


@pytest.fixture
def phone(browser: Browser, laoshan: Street) -> Iterator[Handset]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    made = Handset(context, laoshan)
    yield made
    context.close()
    assert made.trouble == []


def plate(text: str, *, modules_px: int = 4) -> Image.Image:
    """A plate on a wall: turned, a little blurred, in the middle of a dim picture."""
    code = qrcode.QRCode(
        version=None, error_correction=qrcode.constants.ERROR_CORRECT_H, box_size=modules_px
    )
    code.add_data(text)
    code.make()
    symbol = code.make_image().convert("RGB").rotate(7, expand=True, fillcolor="white")
    wall = Image.new("RGB", (640, 480), "#7d8479")
    ImageDraw.Draw(wall).rectangle((0, 400, 640, 480), fill="#59605a")
    wall.paste(symbol, ((640 - symbol.width) // 2, (480 - symbol.height) // 2))
    return wall.filter(ImageFilter.GaussianBlur(0.8))


def film(picture: Image.Image, path: Path) -> Path:
    """Motion JPEG: pictures one after the other, as the fake camera takes them."""
    frame = io.BytesIO()
    picture.save(frame, "JPEG", quality=88)
    path.write_bytes(frame.getvalue() * 10)
    return path


def test_a_plate_is_read_through_a_real_camera_pipeline(
    browser: Browser, laoshan: Street, tmp_path: Path
) -> None:
    """The browser's own capture device, fed from a file: nothing of the page is replaced."""
    shop = laoshan.shops[0]
    path = film(plate(laoshan.plate(shop)), tmp_path / "camera.mjpeg")
    with_camera = browser.browser_type.launch(
        executable_path=CHROMIUM,
        args=[
            *ARGUMENTS,
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={path}",
        ],
    )
    context = with_camera.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    phone = Handset(context, laoshan, camera=False)
    phone.start()
    context.set_offline(True)
    phone.stand_at(shop)
    phone.page.get_by_role("link", name="扫码打卡").click()
    phone.measured(shop)
    expect(phone.page.locator("#bar h1")).to_have_text(shop.name)
    expect(phone.page.locator(".verdict b")).to_have_text("已核验")
    with_camera.close()
    assert phone.trouble == []


def test_the_scanner_looks_often_enough(phone: Handset, laoshan: Street) -> None:
    """Decodes a second of 640 × 480, one after the other, on what else the machine does now."""
    frame = io.BytesIO()
    plate(laoshan.plate(laoshan.shops[0]), modules_px=3).save(frame, "PNG")
    phone.sign_in()
    found = phone.page.evaluate(
        """async (bytes) => {
          const { prepare } = await import('/static/patrol/scanner.js');
          const reader = await prepare();
          const picture = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
          const canvas = new OffscreenCanvas(picture.width, picture.height);
          canvas.getContext('2d').drawImage(picture, 0, 0);
          await reader.detect(canvas);
          let hits = 0;
          const began = performance.now();
          for (let look = 0; look < 30; look += 1) hits += (await reader.detect(canvas)).length;
          return [hits, 30000 / (performance.now() - began)];
        }""",
        list(frame.getvalue()),
    )
    assert found[0] == 30
    print(f"{found[1]:.1f} decodes a second")  # a figure to read, not a bar: machines are shared
    assert found[1] > 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotAllowedError", "没有授权"),
        ("NotFoundError", "没有找到相机"),
        ("NotReadableError", "别的程序占用"),
        ("AbortError", "相机打不开"),
    ],
)
def test_a_camera_that_fails_says_why_and_leaves_other_ways(
    phone: Handset, name: str, words: str
) -> None:
    phone.start()
    phone.page.evaluate(SHUT % name)
    phone.go("scan")
    expect(phone.page.locator(".hint")).to_contain_text(words)
    expect(phone.page.get_by_role("link", name="输编号")).to_be_visible()
    expect(phone.page.get_by_role("link", name="牌坏了")).to_be_visible()


def test_a_camera_that_shows_nothing_is_noticed(phone: Handset) -> None:
    """As in some in-app browsers: permission given, stream there, no picture ever."""
    phone.start()
    phone.page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}); }"
    )
    phone.go("scan")
    expect(phone.page.locator(".hint")).to_contain_text("没有画面", timeout=6000)


def test_a_still_photo_is_read_too(phone: Handset, laoshan: Street, tmp_path: Path) -> None:
    shop = laoshan.shops[3]
    phone.start()
    phone.context.set_offline(True)
    phone.page.evaluate(SHUT % "NotReadableError")
    phone.stand_at(shop)
    phone.go("scan")
    expect(phone.page.locator(".hint")).to_contain_text("占用")
    still = phone.page.locator("input[type=file][capture]")
    Image.new("RGB", (900, 600), "#888").save(tmp_path / "wall.jpg")
    still.set_input_files(tmp_path / "wall.jpg")
    expect(phone.page.locator(".hint")).to_contain_text("没有读到码")
    plate(laoshan.plate(shop), modules_px=6).save(tmp_path / "plate.jpg")
    still.set_input_files(tmp_path / "plate.jpg")
    expect(phone.page.locator("#bar h1")).to_have_text(shop.name)


def test_a_changed_reader_is_refused(phone: Handset) -> None:
    phone.sign_in()
    said = phone.page.evaluate(
        """async () => {
          const real = fetch;
          globalThis.fetch = async (address, ...rest) => {
            const answer = await real(address, ...rest);
            if (!String(address).endsWith('.wasm')) return answer;
            const bytes = new Uint8Array(await answer.arrayBuffer());
            bytes[1000] ^= 1;
            return new Response(bytes);
          };
          const { prepare } = await import('/static/patrol/scanner.js');
          return prepare().then(() => 'loaded', (error) => error.message);
        }"""
    )
    assert "another version" in said


def test_a_plate_opened_by_another_program_leads_into_the_app(
    phone: Handset, laoshan: Street
) -> None:
    """WeChat or the phone's camera scans it; there is no signal; the app takes over."""
    shop = laoshan.shops[1]
    phone.start()
    phone.context.set_offline(True)
    phone.stand_at(shop)
    phone.page.goto(f"{phone.address}/C/{shop.token}")
    expect(phone.page.locator("#bar h1")).to_have_text(shop.name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_screen(
    browser: Browser, laoshan: Street, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="zh-CN", color_scheme=scheme
    )
    phone = Handset(context, laoshan)
    phone.start()
    phone.page.evaluate(AXE.read_text(encoding="utf-8"))
    shop = laoshan.shops[2]
    serious = []
    paths = ["", "scan", "number", "near", "finding", "handover", "summary", "queue", "me",
             f"visit/{shop.id}", f"missed/{shop.id}"]  # fmt: skip
    for path in paths:
        phone.go(path)
        phone.page.wait_for_timeout(250)
        found = phone.page.evaluate(
            "axe.run({resultTypes: ['violations']}).then(r => r.violations)"
        )
        serious += [
            (path, one["id"], [node["target"] for node in one["nodes"]][:3])
            for one in found
            if one["impact"] in {"serious", "critical"}
        ]
    context.close()
    assert serious == []


def test_buttons_are_as_large_as_a_thumb(phone: Handset, laoshan: Street) -> None:
    phone.start()
    phone.stand_at(laoshan.shops[0])
    for path in ("", "near", "finding", "queue", "me", "summary", f"visit/{laoshan.shops[0].id}"):
        phone.go(path)
        phone.page.wait_for_timeout(200)
        small = phone.page.evaluate(
            """() => [...document.querySelectorAll('a[href], button, summary, select')]
              .filter((one) => one.checkVisibility() && !one.matches('.skip'))
              .map((one) => [one.textContent.trim(), one.getBoundingClientRect()])
              .filter(([, box]) => box.width < 44 || box.height < 44)
              .map(([text, box]) => `${text} ${box.width}x${box.height}`)"""
        )
        assert small == [], path


def test_english_is_whole(browser: Browser, laoshan: Street) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    phone = Handset(context, laoshan)
    phone.sign_in()
    phone.page.locator("#main button.main").first.click()
    expect(phone.page.get_by_role("link", name="Scan plate")).to_be_visible()
    for path in ("scan", "number", "near", "queue", "me", "summary"):
        phone.go(path)
        phone.page.wait_for_timeout(200)
        left = phone.page.evaluate(
            """() => [...document.querySelectorAll('#main button, #main .sub, h1, h2, legend')]
              .map((one) => one.textContent)
              .filter((text) => /[\\u4e00-\\u9fff]/.test(text))
              .filter((text) => !/路|陈|中文|patroller/.test(text))"""
        )
        assert left == [], path
    context.close()
