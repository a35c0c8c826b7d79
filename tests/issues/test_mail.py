"""Mail to citizens: proven, told of each step, stopped; with a real mail server on loopback."""

import re
import uuid
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from roadchief.accounts import deliveries, mail_addresses
from roadchief.accounts.notice_models import Delivery, MailAddress, Notice
from roadchief.app import create_app
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.issues import cases, categories, handling, merging, opening
from roadchief.issues.citizens import feedback
from roadchief.issues.mail import links as mail_links
from roadchief.issues.mail import messages, subscribing, told
from roadchief.issues.models import Case
from roadchief.issues.voices import Rating, Receipt
from roadchief.lib import clock
from tests.accounts.receivers import Mailbox, posting_to
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG
from tests.issues import ground
from tests.issues.ground import CENTRE, World
from tests.issues.test_citizen_pages import code_of, form

LI = "li@example.cn"


@pytest.fixture
def posted(settings: Settings, mailbox: Mailbox) -> Settings:
    """With a mail server; people reach us by https."""
    return posting_to(mailbox, settings)


@pytest.fixture
def world(database: Database) -> World:
    with database.transaction(WEIFANG) as session:
        return ground.build(session)


@pytest.fixture
def client(posted: Settings, database: Database, world: World) -> FlaskClient:
    app = create_app(replace(posted, public_url="http://127.0.0.1:8000"), database)
    app.config.update(TESTING=False, WTF_CSRF_ENABLED=False)
    return app.test_client()


def post_all(database: Database, posted: Settings) -> None:
    with database.transaction(WEIFANG) as session:
        ids = session.scalars(select(Notice.id).order_by(Notice.at, Notice.id)).all()
    for notice_id in ids:
        deliveries.deliver(database, WEIFANG, notice_id, posted)


def links_of(letter: EmailMessage) -> dict[str, str]:
    """The paths in a mail by their purpose."""
    text = letter.get_content()
    return {
        found[2]: found[1]
        for found in re.finditer(r"https://lz\.example\.cn(/mail/(\w+)/\S+)", text)
    }


def report(client: FlaskClient, world: World, **given: object) -> str:
    answer = client.post("/report", data=form(world, **({"confirmed": "1", "contact": LI} | given)))
    assert answer.status_code == 303
    return code_of(answer)


def proven(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> uuid.UUID:
    """A case whose reporter confirmed; the mailbox is empty again."""
    code = report(client, world)
    post_all(database, posted)
    assert client.post(links_of(mailbox.letters[-1])["confirm"]).status_code == 303
    post_all(database, posted)
    mailbox.letters.clear()
    with database.transaction(WEIFANG) as session:
        return feedback.by_code(session, code).case_id


def close(database: Database, world: World, case_id: uuid.UUID) -> None:
    at = clock.now()
    with database.transaction(WEIFANG) as session:
        case = cases.locked(session, case_id)
        if case.state == "reported":
            opening.open_case(session, case, who=CENTRE, at=at)
            opening.dispatch(session, case, who=CENTRE, to=world.squad.id, at=at)
        handling.accept(session, case, who=world.unit, at=at)
        photo = ground.make_photo(session, seed=case.closings + 1)
        handling.submit(session, case, who=world.unit, at=at, words="已清走", photo_ids=(photo,))
        handling.close(session, case, who=CENTRE, at=at, kind="fixed_by_unit", words="现场已恢复")


def test_the_first_mail_asks_and_says_nothing_of_the_report(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    code = report(client, world, words="我是301室王阿姨，看 http://evil.example")
    page = client.get(f"/follow/{code}").get_data(as_text=True)
    assert "l***@example.cn" in page
    assert "尚未确认" in page
    post_all(database, posted)
    (letter,) = mailbox.letters
    whole = "\n".join([*letter.values(), letter.get_content()])  # headers as they read
    for secret in ("王阿姨", "evil", "崂山路", code, "?k="):
        assert secret not in whole
    assert letter["Auto-Submitted"] == "auto-generated"
    assert set(links_of(letter)) == {"confirm", "stop"}


def test_opening_the_link_confirms_nothing_and_the_button_does(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    report(client, world)
    post_all(database, posted)
    path = links_of(mailbox.letters[0])["confirm"]
    for _ in range(3):  # a scanner, however often
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    with database.transaction(WEIFANG) as session:
        assert session.scalars(select(Receipt.contact_proven_at)).one() is None
    assert client.post(path).status_code == 303
    assert client.post(path).status_code == 303
    assert "邮箱已确认" in client.get(path).get_data(as_text=True)
    post_all(database, posted)
    assert len(mailbox.letters) == 2  # one welcome, however often confirmed
    assert "已收到您的反映" in mailbox.letters[1].get_content()


def test_before_the_button_no_step_is_told(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    code = report(client, world)
    with database.transaction(WEIFANG) as session:
        case_id = feedback.by_code(session, code).case_id
    close(database, world, case_id)
    post_all(database, posted)
    assert len(mailbox.letters) == 1
    client.post(links_of(mailbox.letters[0])["confirm"])
    post_all(database, posted)
    assert "真的解决了吗" in mailbox.letters[1].get_content()  # where it stands now


def test_each_step_is_told_once_in_one_thread_with_a_way_out(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    report(client, world)
    post_all(database, posted)
    first = mailbox.letters[0]
    client.post(links_of(first)["confirm"])
    with database.transaction(WEIFANG) as session:
        case_id = session.scalars(select(Case.id)).one()
    close(database, world, case_id)
    for _ in range(2):
        post_all(database, posted)
    texts = [letter.get_content() for letter in mailbox.letters[1:]]
    for words in ("已收到", "已告知商户", "已派给责任单位", "责任单位已接收", "已结案"):
        assert sum(words in text for text in texts) == 1, words
    assert "工作人员：现场已恢复" in texts[-1]
    assert "崂山路527号" in texts[-1]
    for letter in mailbox.letters[1:]:
        assert letter["References"] == letter["In-Reply-To"] == first["Message-ID"]
        assert letter["Message-ID"] != first["Message-ID"]
        assert letter["Subject"] == mailbox.letters[1]["Subject"]
        assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert letter["List-Unsubscribe"] == f"<https://lz.example.cn{links_of(letter)['stop']}>"


def test_a_long_link_in_a_header_stays_whole(
    client: FlaskClient, database: Database, posted: Settings, world: World
) -> None:
    from roadchief.accounts import envelopes, mailing
    from roadchief.accounts.wording import Told

    envelope = envelopes.Envelope("/mail/case/x", "/mail/stop/" + "a" * 150, "停", "case.1")
    letter = mailing.Letter(uuid.uuid4(), LI, Told("题", "文", None), clock.now(), envelope)
    raw = mailing.compose(letter, posted).as_bytes()
    assert b"List-Unsubscribe: <https://lz.example.cn/mail/stop/" + b"a" * 150 + b">\r\n" in raw
    plain = mailing.compose(letter, replace(posted, public_url="http://127.0.0.1:8000"))
    assert plain["List-Unsubscribe-Post"] is None  # RFC 8058 asks for https


def test_the_story_opens_from_the_mail_and_takes_one_answer(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    close(database, world, case_id)
    post_all(database, posted)
    path = links_of(mailbox.letters[-1])["case"]
    stranger = client.application.test_client()
    page = stranger.get(path).get_data(as_text=True)
    assert "真的解决了吗" in page
    assert "纸箱堆在盲道上" not in page  # a forwarded mail shows what is public, no more
    assert stranger.post(path, data={"closing": "1"}).status_code == 422
    assert stranger.post(path, data={"solved": "0", "closing": "9"}).status_code == 409
    answer = stranger.post(path, data={"solved": "0", "closing": "1", "words": "还在"})
    assert answer.status_code == 303
    assert stranger.post(path, data={"solved": "0", "closing": "1"}).status_code == 409
    with database.transaction(WEIFANG) as session:
        assert session.get_one(Case, (WEIFANG, case_id)).state == "reopened"
        assert len(session.scalars(select(Rating)).all()) == 1
    post_all(database, posted)
    assert "重新打开" in mailbox.letters[-1].get_content()
    assert stranger.get("/follow/" + _code(database)).status_code == 200
    assert "密码" in stranger.get("/follow/" + _code(database)).get_data(as_text=True)


def _code(database: Database) -> str:
    with database.transaction(WEIFANG) as session:
        return session.scalars(select(Receipt.code)).one()


def test_one_click_stops_and_the_page_does_too(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    with database.transaction(WEIFANG) as session:
        case = cases.locked(session, case_id)
        opening.open_case(session, case, who=CENTRE, at=clock.now())
    post_all(database, posted)
    stop = links_of(mailbox.letters[-1])["stop"]
    client.application.config["WTF_CSRF_ENABLED"] = True  # mail programs have no cookie of ours
    server = client.application.test_client()
    assert "停发此案件" in server.get(stop).get_data(as_text=True)
    answer = server.post(stop, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert server.post(stop).status_code == 200
    client.application.config["WTF_CSRF_ENABLED"] = False
    mailbox.letters.clear()
    close_from_merchant(database, world, case_id)
    post_all(database, posted)
    assert mailbox.letters == []
    code = _code(database)
    assert "已停发" in client.get(f"/follow/{code}").get_data(as_text=True)
    assert client.post(f"/follow/{code}/mail/on").status_code == 303
    with database.transaction(WEIFANG) as session:
        assert session.scalars(select(Receipt.mail_stopped_at)).one() is None


def close_from_merchant(database: Database, world: World, case_id: uuid.UUID) -> None:
    with database.transaction(WEIFANG) as session:
        case = cases.locked(session, case_id)
        opening.dispatch(session, case, who=CENTRE, to=world.squad.id, at=clock.now())
    close(database, world, case_id)


def test_a_stop_catches_what_is_still_on_its_way(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    close(database, world, case_id)
    with database.transaction(WEIFANG) as session:
        receipt = session.scalars(select(Receipt)).one()
        subscribing.stop(session, cases.find(session, case_id), receipt, at=clock.now())
    post_all(database, posted)
    assert mailbox.letters == []
    with database.transaction(WEIFANG) as session:
        ended = set(session.scalars(select(Delivery.trouble).where(Delivery.state != "sent")))
    assert ended == {"stopped"}


def test_never_again_is_for_all_cases(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    report(client, world)
    post_all(database, posted)
    stop = links_of(mailbox.letters[0])["stop"]
    assert "不会再有邮件" in client.post(stop, data={"all": "1"}).get_data(as_text=True)
    report(client, world, words="另一件")
    post_all(database, posted)
    assert len(mailbox.letters) == 1
    with database.transaction(WEIFANG) as session:
        assert mail_addresses.why_off(session, "LI@example.cn", posted) == "refused"
        assert mail_addresses.switch_on(session, LI, posted)
        assert not mail_addresses.switch_on(session, LI, posted)


def test_nobody_is_bombed(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    code = report(client, world)
    for number in range(5):
        report(client, world, words=f"第{number}件", contact=LI.upper())
        client.post(f"/follow/{code}/mail/prove")
    post_all(database, posted)
    assert len(mailbox.letters) == posted.mail_proofs_per_hour
    with database.transaction(WEIFANG) as session:
        kept = session.scalars(select(MailAddress.key)).all()
        assert LI.encode() not in b"".join(kept)
        hour = timedelta(hours=1)
        moved = update(MailAddress).values(hour_at=MailAddress.hour_at - hour)
        session.execute(moved)
    for _ in range(5):
        client.post(f"/follow/{code}/mail/prove")
    post_all(database, posted)
    assert len(mailbox.letters) == posted.mail_proofs_per_day


@pytest.mark.parametrize(
    ("answer", "off"),
    [
        ("550 5.1.1 no such user", True),
        ("550 no such user", True),
        ("550 5.7.1 we do not like you", False),
        ("552 5.2.2 mailbox full", False),
        ("554 5.7.1 spam", False),
        ("450 4.2.0 later", False),
    ],
)
def test_a_box_that_is_gone_is_not_written_to_again(
    client: FlaskClient,
    database: Database,
    posted: Settings,
    mailbox: Mailbox,
    world: World,
    answer: str,
    off: bool,
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    mailbox.at_rcpt.append(answer)
    with database.transaction(WEIFANG) as session:
        case = cases.locked(session, case_id)
        opening.open_case(session, case, who=CENTRE, at=clock.now())
    post_all(database, posted)
    with database.transaction(WEIFANG) as session:
        assert (mail_addresses.why_off(session, LI, posted) == "bounced") == off
    close_from_merchant(database, world, case_id)
    post_all(database, posted)
    assert bool(mailbox.letters) != off


def test_the_language_is_that_of_the_report(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    client.get("/report?lang=en")
    case_id = proven(client, database, posted, mailbox, world)
    close(database, world, case_id)
    post_all(database, posted)
    text = mailbox.letters[-1].get_content()
    assert "Is it really solved?" in text
    assert "No more mail about this case" in text
    assert mailbox.letters[-1]["Subject"].startswith("News of case ")


def test_another_address_is_proven_anew_and_the_old_one_is_told(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    code = _code(database)
    old = mail_links_of(database, posted)
    given = {"contact": "wang@example.cn"}
    assert client.post(f"/follow/{code}/mail/contact", data=given).status_code == 303
    close(database, world, case_id)
    post_all(database, posted)
    assert sorted((one["To"], one["Subject"][:5]) for one in mailbox.letters) == [
        (LI, mailbox.letters[0]["Subject"][:5]),
        ("wang@example.cn", mailbox.letters[-1]["Subject"][:5]),
    ]
    assert client.get(old).status_code == 404  # the old address's links are dead
    bad = client.post(f"/follow/{code}/mail/contact", data={"contact": "a@b c<x>"})
    assert bad.status_code == 422
    assert client.post(f"/follow/{code}/mail/contact", data={"contact": ""}).status_code == 303
    with database.transaction(WEIFANG) as session:
        assert session.scalars(select(Receipt.contact)).one() is None


def mail_links_of(database: Database, posted: Settings) -> str:
    with database.transaction(WEIFANG) as session:
        receipt = session.scalars(select(Receipt)).one()
        return mail_links.path("case", receipt, at=clock.now(), settings=posted)


def test_a_link_is_for_one_purpose_and_nothing_odd_breaks_it(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    report(client, world)
    post_all(database, posted)
    links = links_of(mailbox.letters[0])
    token = links["confirm"].rsplit("/", 1)[1]
    for purpose in ("case", "stop"):
        for method in ("get", "post"):
            assert getattr(client, method)(f"/mail/{purpose}/{token}").status_code == 404
    for odd in ("x", "é", "%00", "a" * 5000, token[:-1], token + "A", token.swapcase()):
        for purpose in ("confirm", "case", "stop"):
            assert client.get(f"/mail/{purpose}/{odd}").status_code == 404
            assert client.post(f"/mail/{purpose}/{odd}").status_code == 404
    assert (
        client.application.test_client().post(f"/follow/{_code(database)}/mail/on").status_code
        == 404
    )


def test_hiding_ends_the_mail(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    close(database, world, case_id)
    client.post(f"/follow/{_code(database)}/hide")
    post_all(database, posted)
    assert mailbox.letters == []


def test_followers_and_people_of_a_copy_hear_once_each(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    at = clock.now()
    with database.transaction(WEIFANG) as session:
        case = cases.locked(session, case_id)
        for contact in ("f@example.cn", LI, "g@example.cn"):
            handed = feedback.follow(session, case, at=at, settings=posted, contact=contact)
            if contact != "g@example.cn":
                handed.receipt.contact_proven_at = at
        copy = ground.file_case(session, world, at=at, words="同一堆纸箱")
        mine = feedback.hand_receipt(
            session, copy, kind="reporter", at=at, settings=posted, contact="copy@example.cn"
        )
        mine.receipt.contact_proven_at = at
        opening.open_case(session, case, who=CENTRE, at=at)
        merging.merge(session, copy, into=case.id, who=CENTRE, at=at, words="同一件")
        number, own = case.number, copy.number
    with database.transaction(WEIFANG) as session:
        case = cases.locked(session, case_id)
        opening.dispatch(session, case, who=CENTRE, to=world.squad.id, at=at)
    post_all(database, posted)
    heard = [
        (one["To"], one["Subject"]) for one in mailbox.letters if "责任单位" in one.get_content()
    ]
    assert sorted(heard) == [
        ("copy@example.cn", f"案件 {own} 的进展"),
        ("f@example.cn", f"案件 {number} 的进展"),
        (LI, f"案件 {number} 的进展"),
    ]


def test_people_of_a_copy_hear_nothing_of_a_private_master(
    database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    messages.wire()
    private = next(
        code
        for code, kind in categories.known().items()
        if code not in categories.public_codes() and kind.reportable
    )
    at = clock.now()
    with database.transaction(WEIFANG) as session:
        master = ground.file_case(session, world, at=at, category=private)
        copy = ground.file_case(session, world, at=at)
        mine = feedback.hand_receipt(
            session, copy, kind="reporter", at=at, settings=posted, contact=LI
        )
        mine.receipt.contact_proven_at = at
        merging.merge(session, copy, into=master.id, who=CENTRE, at=at, words="同一件")
        cases.move(session, master, "inspect", who=CENTRE, at=at)
        handling.close(session, master, who=CENTRE, at=at, kind="no_action", words="家里的事")
    post_all(database, posted)
    assert [one for one in mailbox.letters if "家里的事" in one.get_content()] == []
    assert any("并入" in one.get_content() for one in mailbox.letters)


def test_without_a_mail_server_nothing_is_promised_or_kept(
    database: Database, settings: Settings, world: World
) -> None:
    with database.transaction(WEIFANG) as session:
        case = ground.file_case(session, world)
        feedback.hand_receipt(
            session, case, kind="reporter", at=clock.now(), settings=settings, contact=LI
        )
        assert session.scalars(select(Notice)).all() == []


def test_a_held_case_is_told_of_once_somebody_has_looked(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    with database.transaction(WEIFANG) as session:
        case = cases.locked(session, case_id)
        case.held = True
        cases.move(session, case, "inspect", who=CENTRE, at=clock.now())
        assert case.held
        officer = cases.Who("centre", world.officer)
        opening.open_case(session, case, who=officer, at=clock.now())
        assert not case.held
    post_all(database, posted)
    assert "已告知商户" in mailbox.letters[-1].get_content()


def test_the_desk_sees_what_arrived_and_what_did_not(
    client: FlaskClient,
    database: Database,
    posted: Settings,
    mailbox: Mailbox,
    world: World,
    cast: Cast,
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    mailbox.at_rcpt.append("550 5.1.1 no such user")
    with database.transaction(WEIFANG) as session:
        case = cases.locked(session, case_id)
        opening.open_case(session, case, who=CENTRE, at=clock.now())
    post_all(database, posted)
    close_from_merchant(database, world, case_id)
    post_all(database, posted)
    with database.transaction(WEIFANG) as session:
        case = cases.find(session, case_id)
        states = [(one.zh, one.state_zh, one.amiss) for one in told.mails_of(session, case)]
        assert told.readers_of(session, case) == told.Readers(1, 1, 0)
    assert ("已告知商户，请其先行整改", "未送达", True) in states
    assert ("请确认邮箱", "已发出", False) in states
    assert ("已结案", "未发：该邮箱已停用", False) in states
    sign_in(client, cast["operator"])
    page = client.get(f"/desk/cases/{case_id}").get_data(as_text=True)
    assert "▲ 未送达（SMTP 550）" in page
    assert LI not in page


def test_after_a_long_outage_the_newest_says_where_it_stands(
    client: FlaskClient, database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    case_id = proven(client, database, posted, mailbox, world)
    close(database, world, case_id)
    with database.transaction(WEIFANG) as session:
        old = update(Notice).where(Notice.kind == "issues.citizen")
        session.execute(old.values(at=Notice.at - subscribing.STALE - timedelta(minutes=1)))
    post_all(database, posted)
    assert ["已结案" in one.get_content() for one in mailbox.letters] == [True]


def test_whoever_typed_it_for_somebody_is_not_asked(
    database: Database, posted: Settings, mailbox: Mailbox, world: World
) -> None:
    messages.wire()
    with database.transaction(WEIFANG) as session:
        case = ground.file_case(session, world, category="YJ01")
        handed = feedback.hand_receipt(
            session,
            case,
            kind="reporter",
            at=clock.now(),
            settings=posted,
            contact=LI,
            typist=world.officer,
        )
        handed.receipt.contact_proven_at = clock.now()
        cases.move(session, case, "inspect", who=CENTRE, at=clock.now())
        handling.close(
            session, case, who=CENTRE, at=clock.now(), kind="no_action", words="已转规划"
        )
    post_all(database, posted)
    text = mailbox.letters[-1].get_content()
    assert "已转规划" in text
    assert "解决了吗" not in text
