"""A citizen's way by mail in a real browser: confirm, read, answer, stop; and to report again."""

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update
from werkzeug.serving import make_server

from roadchief.accounts import deliveries
from roadchief.accounts.notice_models import Notice
from roadchief.app import create_app
from roadchief.config import ROOT, Settings
from roadchief.db import Database
from roadchief.issues import cases, handling, opening
from roadchief.issues.models import Case
from roadchief.lib import clock
from tests.accounts.receivers import Mailbox
from tests.browser.widths import overhang_px
from tests.conftest import WEIFANG, make_settings
from tests.issues import ground
from tests.issues.ground import CENTRE, World

AXE = ROOT / "static" / "vendor" / "axe.min.js"


@dataclass
class Post:
    """A served street with a mail server: `last()` is the newest mail after all were sent."""

    address: str
    database: Database
    settings: Settings
    mailbox: Mailbox
    world: World

    def link(self, purpose: str) -> str:
        with self.database.transaction(WEIFANG) as session:
            ids = session.scalars(select(Notice.id).where(Notice.to.is_(None)).order_by(Notice.id))
            waiting = list(ids)
        for notice_id in waiting:
            deliveries.deliver(self.database, WEIFANG, notice_id, self.settings)
        found = re.search(rf"http\S+/mail/{purpose}/\S+", self.mailbox.letters[-1].get_content())
        assert found
        return found[0]

    def close(self) -> None:
        at = clock.now()
        with self.database.transaction(WEIFANG) as session:
            case = cases.locked(session, session.scalars(select(Case.id)).one())
            opening.open_case(session, case, who=CENTRE, at=at)
            opening.dispatch(session, case, who=CENTRE, to=self.world.squad.id, at=at)
            handling.accept(session, case, who=self.world.unit, at=at)
            photo = ground.make_photo(session)
            handling.submit(
                session, case, who=self.world.unit, at=at, words="已搬走", photo_ids=(photo,)
            )
            handling.close(
                session, case, who=CENTRE, at=at, kind="fixed_by_unit", words="现场已恢复"
            )


@pytest.fixture
def post(fresh_url: str, tmp_path: Path) -> Iterator[Post]:
    mailbox = Mailbox()
    mailbox.open()
    settings = replace(
        make_settings(fresh_url, tmp_path),
        smtp_host="127.0.0.1",
        smtp_port=mailbox.port,
        smtp_security="none",
        mail_from="lz@weifang.example.cn",
    )
    database = Database(settings)
    with database.transaction(WEIFANG) as session:
        world = ground.build(session)
    app = create_app(settings, database)
    web = make_server("127.0.0.1", 0, app, threaded=True)
    address = f"http://127.0.0.1:{web.server_port}"
    settings = replace(settings, public_url=address)
    app.extensions["roadchief.settings"] = settings
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    yield Post(address, database, settings, mailbox, world)
    web.shutdown()
    thread.join()
    web.server_close()
    database.engine.dispose()
    mailbox.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Callable[[], Page]]:
    contexts = []

    def make() -> Page:
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


def sound(page: Page) -> None:
    """Nothing hangs out of a phone's page, and a screen reader can use it."""
    assert overhang_px(page) <= 0
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def report(page: Page, post: Post) -> None:
    page.goto(f"{post.address}/report?s={WEIFANG}&category=ZX02&storefront={post.world.shop.id}")
    page.get_by_text("留联系方式，可收到结果").click()
    page.get_by_label("手机号或邮箱").fill("li@example.cn")
    page.get_by_role("button", name="提交，拿回执号").click()
    expect(page.get_by_role("heading", name="已提交")).to_be_visible()


def test_from_the_first_mail_to_the_last(post: Post, phone: Callable[[], Page]) -> None:
    own, reader = phone(), phone()  # the mail is read where no receipt was ever opened
    report(own, post)
    expect(own.get_by_text("l***@example.cn 尚未确认")).to_be_visible()
    sound(own)
    reader.goto(post.link("confirm"))
    sound(reader)
    reader.get_by_role("button", name="确认，我要收到进展").click()
    expect(reader.get_by_role("heading", name="邮箱已确认")).to_be_visible()
    sound(reader)
    post.close()
    reader.goto(post.link("case"))
    sound(reader)
    reader.get_by_label("说明（可选）").fill("下午又堆上了")
    reader.get_by_role("button", name="没有解决，重新打开继续处理").click()
    expect(reader.get_by_text("重新打开", exact=True)).to_be_visible()
    reader.goto(post.link("stop"))
    sound(reader)
    reader.get_by_role("button", name="停发此案件的邮件").click()
    expect(reader.get_by_role("heading", name="已停发")).to_be_visible()
    own.reload()
    expect(own.get_by_role("button", name="恢复邮件")).to_be_visible()


def test_what_comes_back_is_reported_again(post: Post, phone: Callable[[], Page]) -> None:
    page = phone()
    report(page, post)
    receipt = page.url
    post.close()
    with post.database.transaction(WEIFANG) as session:
        session.execute(update(Case).values(ended_at=Case.ended_at - timedelta(days=20)))
    page.goto(receipt)
    sound(page)
    page.get_by_role("button", name="再次反映").click()
    expect(page.get_by_role("heading", name="再次反映")).to_be_visible()
    expect(page.get_by_label("在哪里")).to_have_value("崂山路527号")
    sound(page)
    page.get_by_role("button", name="提交，拿回执号").click()
    expect(page.get_by_text("再次反映：原案件")).to_be_visible()
    page.goto(receipt)
    expect(page.get_by_text("此后再次反映：案件")).to_be_visible()
