"""Hiding parts of a photo, by mouse, by keys, by finger and without script, in a real browser."""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import redirect, render_template_string, request
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from roadchief import blobs
from roadchief.accounts.signin import public
from roadchief.app import create_app
from roadchief.db import Database
from roadchief.lib import clock
from roadchief.web import blobs as web_blobs
from roadchief.web import tenant_transaction
from tests import makers, pictures
from tests.browser.widths import overhang_px
from tests.conftest import WEIFANG, make_settings

PAGE = """{% extends "base.html" %}
{% block head %}<link rel="stylesheet" href="{{ asset('css/photos.css') }}">{% endblock %}
{% from "parts/marks.html" import csrf %}
{% block main %}<form class="card" method="post">{{ csrf() }}
{% include "parts/blur.html" %}<button class="main">好</button></form>{% endblock %}
{% block scripts %}
<script src="{{ asset('js/blur.js') }}" nonce="{{ csp_nonce() }}" defer></script>
{% endblock %}"""
Open = Callable[..., Page]


@pytest.fixture
def tool(fresh_url: str, tmp_path: Path, browser: Browser) -> Iterator[Open]:
    """A page of one photo with the tool, as packages make it; what it makes is shown in turn."""
    settings = make_settings(fresh_url, tmp_path)
    database = Database(settings)
    app = create_app(settings, database)
    with database.transaction(WEIFANG) as session:
        first = blobs.store(
            session, pictures.jpeg(1200, 900), by=None, at=makers.NOON, settings=settings
        )

    @public("a test")
    def hide(blob_id: uuid.UUID) -> str | Response:
        with tenant_transaction(WEIFANG) as session:
            blob = blobs.get(session, blob_id)
            if request.method == "GET":
                return render_template_string(PAGE, blob=blob)
            boxes = web_blobs.boxes_from(request.form)
            copy = blobs.blurred(session, blob, boxes, by=None, at=clock.now(), settings=settings)
        return redirect(f"/test/{copy.id}")

    app.add_url_rule("/test/<uuid:blob_id>", view_func=hide, methods=["GET", "POST"])
    web = make_server("127.0.0.1", 0, app, threaded=True)
    address = f"http://127.0.0.1:{web.server_port}"
    app.extensions["roadchief.settings"] = replace(settings, public_url=address)
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    contexts: list[Any] = []
    trouble: list[str] = []

    def open_(width: int = 1200, **given: Any) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 1000}, locale="zh-CN", **given
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
        page.goto(f"{address}/test/{first.id}")
        page.locator(".blur-stage img").evaluate("image => image.decode()")
        return page

    yield open_
    for context in contexts:
        context.close()
    web.shutdown()
    thread.join()
    web.server_close()
    database.engine.dispose()
    assert trouble == []


def shades(page: Page, left: float, top: float, width: float, height: float) -> int:
    """How many colours a part of the shown photo has, as fractions of it."""
    frame = page.locator(".blur-stage img").bounding_box()
    assert frame
    clip = {
        "x": frame["x"] + left * frame["width"],
        "y": frame["y"] + top * frame["height"],
        "width": width * frame["width"],
        "height": height * frame["height"],
    }
    colours = pictures.opened(page.screenshot(clip=clip, full_page=True)).convert("RGB")
    return len({tuple(v // 16 for v in one) for _n, one in colours.getcolors(1 << 22)})


def test_a_part_is_drawn_with_the_mouse_and_gone(tool: Open) -> None:
    page = tool()
    before = shades(page, 0.32, 0.32, 0.2, 0.2)
    frame = page.locator(".blur-stage").bounding_box()
    assert frame
    page.mouse.move(frame["x"] + 0.3 * frame["width"], frame["y"] + 0.3 * frame["height"])
    page.mouse.down()
    page.mouse.move(frame["x"] + 0.5 * frame["width"], frame["y"] + 0.5 * frame["height"], steps=4)
    page.mouse.move(frame["x"] + 0.55 * frame["width"], frame["y"] + 0.55 * frame["height"])
    page.mouse.up()
    expect(page.locator(".blur-box")).to_have_count(1)
    expect(page.locator("[name=left]").first).to_have_value("30.0")
    page.mouse.click(frame["x"] + 5, frame["y"] + 5)  # a touch alone marks nothing
    expect(page.locator(".blur-box")).to_have_count(1)
    address = page.url
    page.get_by_role("button", name="好").click()
    page.wait_for_url(lambda url: url != address)
    page.locator(".blur-stage img").evaluate("image => image.decode()")
    assert shades(page, 0.32, 0.32, 0.2, 0.2) < before / 3


def test_a_part_is_moved_sized_and_removed_with_keys(tool: Open) -> None:
    page = tool()
    page.get_by_role("button", name="添加范围").focus()
    page.keyboard.press("Enter")
    box = page.locator(".blur-box")
    expect(box).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("已添加 1")
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    values = [page.locator(f"[name={name}]").first.input_value() for name in web_blobs.BOX_FIELDS]
    assert values == ["42.0", "39.0", "21.0", "19.0"]
    page.keyboard.press("Delete")
    expect(box).to_have_count(0)
    expect(page.get_by_role("button", name="添加范围")).to_be_focused()


def test_a_part_stays_inside_the_photo(tool: Open) -> None:
    page = tool()
    page.get_by_role("button", name="添加范围").click()
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    expect(page.locator("[name=left]").first).to_have_value("80.0")


def test_fingers_draw_on_a_phone(tool: Open) -> None:
    page = tool(width=390, has_touch=True, is_mobile=True)
    assert overhang_px(page) <= 0
    frame = page.locator(".blur-stage").bounding_box()
    assert frame
    touch = page.context.new_cdp_session(page)
    for kind, at in (("touchStart", 0.2), ("touchMove", 0.4), ("touchMove", 0.6)):
        spot = {"x": frame["x"] + at * frame["width"], "y": frame["y"] + at * frame["height"]}
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [spot]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator(".blur-box")).to_have_count(1)
    expect(page.locator("[name=width]").first).to_have_value("40.0")
    assert page.evaluate("scrollY") == 0
    # Clicked: on a busy machine a made-up tap lasts long enough to count as a long press.
    page.get_by_role("button", name="删除", exact=True).click()
    expect(page.locator(".blur-box")).to_have_count(0)
    expect(page.get_by_role("button", name="删除", exact=True)).to_be_hidden()


def test_numbers_do_it_without_script(tool: Open) -> None:
    page = tool(java_script_enabled=True)
    context = page.context.browser.new_context(java_script_enabled=False, locale="zh-CN")  # type: ignore[union-attr]
    plain = context.new_page()
    plain.goto(page.url)
    for name, value in zip(web_blobs.BOX_FIELDS, ("10", "10", "30", "30"), strict=True):
        plain.locator(f"[name={name}]").first.fill(value)
    plain.get_by_role("button", name="好").click()
    assert plain.url != page.url
    assert plain.locator(".blur-stage img").count() == 1
    context.close()
