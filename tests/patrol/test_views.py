"""The chief's pages: scoped to the own segments, odd posts refused, few questions."""

import uuid
from datetime import timedelta
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from roadchief.accounts import roster as people
from roadchief.db import Database
from roadchief.lib import clock
from roadchief.patrol.chief import alerts
from roadchief.patrol.coverage import covering
from roadchief.patrol.doubts import weighing
from roadchief.patrol.phone import intake
from roadchief.patrol.plan_models import Absence, PatrolAlert, Review, Shift
from roadchief.patrol.planning import shifts
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG
from tests.patrol.conftest import Beat, make_beat
from tests.patrol.phone import actor, bad, photo

NOBODY = uuid.UUID("01900000-0000-7000-8000-000000000000")


@pytest.fixture
def street(database: Database, cast: Cast) -> Beat:
    """A street that the level-2 chief answers for, with one honest and one doubtful visit."""
    at = clock.now()
    with database.transaction(WEIFANG) as session:
        beat = make_beat(session, at=at)
        (post,) = people.running_posts(session, cast["chief_l2"].person.id, at=at)
        makers.make_assignment(session, post, beat.segment)
        beat.phone.at = at - timedelta(minutes=20)
        honest = beat.phone.check_in(
            beat.shops[0].id, given=beat.in_shift(), checklist=bad("WS01", "ZX02")
        )
        beat.phone.at = at
        doubtful = beat.phone.check_in(beat.shops[1].id, metres=300, given=beat.in_shift())
        items = [honest, doubtful]
        intake.take(session, items, by=actor(beat.person_id), at=at)
        beat.tasks = [item["id"] for item in items]
        for key in beat.tasks:
            weighing.weigh(session, uuid.UUID(key), at=at, draw=lambda: 0.999)
    return beat


@pytest.fixture
def chief(app: Flask, cast: Cast) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client, cast["chief_l2"]).status_code == 302
    return client


@pytest.fixture
def other(app: Flask, cast: Cast) -> FlaskClient:
    """A chief who answers for nothing here."""
    client = app.test_client()
    assert sign_in(client, cast["chief_l3"]).status_code == 302
    return client


def test_the_morning_says_what_was_seen_and_what_waits(street: Beat, chief: FlaskClient) -> None:
    page = chief.get("/chief/").text
    assert "33.3 %" in page
    assert "3 家中 1 家已到" in page
    assert "1 件" in page
    assert "从未到过" in page
    assert street.segment.name in page
    assert "33.3 %" in chief.get("/chief/?lang=en").text


def test_another_shop_is_shown_beside_what_is_on_record(
    street: Beat, chief: FlaskClient, other: FlaskClient, database: Database
) -> None:
    body = {"storefront_id": str(street.shops[2].id), "sign_name": "川味小馆", "note": "刚开张"}
    item = street.phone.item("other_shop", body, photos=[photo(b"sign")])
    with database.transaction(WEIFANG) as session:
        intake.take(session, [item], by=actor(street.person_id), at=street.at)
    path = f"/chief/other-shops/{street.shops[2].id}"
    page = chief.get(path).text
    for words in ("川味小馆", "刚开张", "空置铺位", "照片还没有传到"):
        assert words in page, words
    assert "按这个去登记" not in page  # a chief does not keep the register
    assert other.get(path).status_code == 404
    assert chief.get(f"/chief/other-shops/{NOBODY}").status_code == 404


def test_whoever_answers_for_nothing_sees_nothing(street: Beat, other: FlaskClient) -> None:
    page = other.get("/chief/").text
    assert "还没有由您负责的路段" in page
    assert street.segment.name not in page
    visit = street.tasks[1]
    for path in (f"/chief/reviews/{visit}", f"/chief/shifts/{street.shift.id}"):
        assert other.get(path).status_code == 404
    for path in (
        f"/chief/reviews/{visit}",
        f"/chief/shifts/{street.shift.id}/approve",
        f"/chief/week/shifts/{street.shift.id}/cancel",
    ):
        assert other.post(path, data={"decision": "approved", "because": "x"}).status_code == 404


def test_pages_ask_a_fixed_number_of_questions(
    street: Beat, chief: FlaskClient, database: Database, queries: Any
) -> None:
    paths = ["/chief/", "/chief/coverage", "/chief/report", "/chief/reviews", "/chief/week"]
    paths += [f"/chief/shifts/{street.shift.id}", f"/chief/reviews/{street.tasks[1]}"]

    def asked() -> list[int]:
        counts = []
        for path in paths:
            with queries() as seen:
                assert chief.get(path).status_code == 200, path
            counts.append(len(seen))
        return counts

    asked()
    before = asked()
    with database.transaction(WEIFANG) as session:
        segment = session.merge(street.segment)
        for number in range(30):
            makers.make_storefront(session, segment, measure_m=float(number))
    assert asked() == before
    assert max(before) <= 16


def test_evidence_stands_side_by_side_and_is_decided_once(
    street: Beat, chief: FlaskClient, database: Database
) -> None:
    visit = street.tasks[1]
    listing = chief.get("/chief/reviews").text
    assert f"/chief/reviews/{visit}" in listing
    page = chief.get(f"/chief/reviews/{visit}").text
    assert "位置不符" in page
    assert "离门前线 300 米" in page
    path = f"/chief/reviews/{visit}"
    assert chief.post(path, data={"decision": "refused"}).status_code == 422
    assert chief.post(path, data={"decision": "nonsense", "because": "x"}).status_code == 422
    assert chief.post(path, data={"decision": "sent_back", "because": "请说明"}).status_code == 302
    assert chief.post(path, data={"decision": "approved"}).status_code == 302
    assert chief.post(path, data={"decision": "approved"}).status_code == 409
    with database.transaction(WEIFANG) as session:
        assert session.get_one(Review, (WEIFANG, uuid.UUID(visit))).state == "approved"
    assert "50" not in chief.get("/chief/reviews?state=waiting&page=2").text[:200]


def test_an_approved_visit_counts_a_refused_one_does_not(street: Beat, chief: FlaskClient) -> None:
    visit = street.tasks[1]
    chief.post(f"/chief/reviews/{visit}", data={"decision": "approved"})
    assert "3 家中 2 家已到" in chief.get("/chief/").text


def test_an_alert_needs_a_reason(street: Beat, chief: FlaskClient, database: Database) -> None:
    with database.transaction(WEIFANG) as session:
        alerts.raise_due(session, at=street.shift.starts_at + timedelta(minutes=30))
        alert = session.scalars(select(PatrolAlert.id)).one()
    assert "迟到" in chief.get("/chief/").text
    path = f"/chief/alerts/{alert}/close"
    assert chief.post(path, data={}).status_code == 422
    assert chief.post(path, data={"because": "停电"}).status_code == 302
    assert chief.post(path, data={"because": "停电"}).status_code == 409


def test_a_closed_shift_is_approved_with_its_summary(
    street: Beat, chief: FlaskClient, database: Database
) -> None:
    path = f"/chief/shifts/{street.shift.id}"
    assert chief.post(f"{path}/approve").status_code == 409
    with database.transaction(WEIFANG) as session:
        close = street.phone.item("shift_close", {}, **street.in_shift())
        intake.take(session, [close], by=actor(street.person_id), at=clock.now())
    page = chief.get(path).text
    assert "位置不符 1" in page
    assert chief.post(f"{path}/approve").status_code == 302
    assert chief.post(f"{path}/approve").status_code == 409


def test_a_week_is_laid_once_and_changed_by_hand(
    street: Beat, chief: FlaskClient, database: Database
) -> None:
    monday = clock.local_date(clock.now() + timedelta(days=14))
    day = monday.isoformat()
    for _ in range(2):
        assert chief.post("/chief/week/lay", data={"on": day}).status_code == 302
    with database.transaction(WEIFANG) as session:
        rows = session.scalars(select(Shift).where(Shift.starts_at > clock.now())).all()
        assert len(rows) == 1  # one segment: the second walk of the week has nothing left
        planned = rows[0]
    page = chief.get(f"/chief/week?on={day}").text
    assert "周建国" in page
    assert "处空缺" in page
    sent = {
        "person": str(street.person_id),
        "segment": [str(street.segment.id)],
        "on": day,
        "from": "08:00",
        "to": "10:00",
    }
    assert chief.post("/chief/week/shifts", data=sent).status_code == 302
    for odd in ({"from": "x"}, {"to": "07:00"}, {"segment": []}, {"segment": ["x"]}, {"on": "x"}):
        assert chief.post("/chief/week/shifts", data=sent | odd).status_code == 422, odd
    assert chief.post("/chief/week/shifts", data=sent | {"person": str(NOBODY)}).status_code == 404
    path = f"/chief/week/shifts/{planned.id}/cancel"
    assert chief.post(path, data={}).status_code == 422
    assert chief.post(path, data={"because": "会议"}).status_code == 302
    assert chief.post(path, data={"because": "会议"}).status_code == 409


def test_a_week_is_laid_for_ones_own_streets_alone(
    street: Beat, other: FlaskClient, chief: FlaskClient, database: Database
) -> None:
    day = clock.local_date(clock.now() + timedelta(days=14)).isoformat()
    assert other.post("/chief/week/lay", data={"on": day}).status_code == 302
    planned = select(Shift).where(Shift.starts_at > clock.now())
    with database.transaction(WEIFANG) as session:
        assert session.scalars(planned).all() == []
    sent = {"person": str(street.person_id), "from": day, "to": day, "because": "住院"}
    assert chief.post("/chief/week/absences", data=sent).status_code == 302
    assert chief.post("/chief/week/lay", data={"on": day}).status_code == 302
    with database.transaction(WEIFANG) as session:
        assert session.scalars(planned).all()
    assert "住院" not in other.get(f"/chief/week?on={day}").text


def test_nobody_approves_the_own_shift(street: Beat, database: Database) -> None:
    with database.transaction(WEIFANG) as session, pytest.raises(shifts.OwnShift):
        shifts.approve(session, street.shift, by=street.person_id, at=street.at)


def test_leave_is_noted_with_a_stand_in(
    street: Beat, chief: FlaskClient, cast: Cast, database: Database
) -> None:
    sent = {
        "person": str(street.person_id),
        "stand_in": str(cast["patroller"].person.id),
        "from": "2026-12-01",
        "to": "2026-12-03",
        "because": "年假",
    }
    assert chief.post("/chief/week/absences", data=sent).status_code == 302
    assert chief.post("/chief/week/absences", data=sent).status_code == 409
    assert "年假" in chief.get("/chief/week?on=2026-12-02").text
    for odd in ({"to": "2026-11-01"}, {"from": "x"}, {"stand_in": str(street.person_id)}):
        assert chief.post("/chief/week/absences", data=sent | odd).status_code == 422
    with database.transaction(WEIFANG) as session:
        assert len(session.scalars(select(Absence)).all()) == 1


@pytest.mark.parametrize("month", ["x", "2026-13", "1999-01", "2026-11-01", "\x00"])
def test_an_odd_month_is_refused(chief: FlaskClient, month: str) -> None:
    assert chief.get("/chief/report", query_string={"month": month}).status_code == 422


def this_month() -> str:
    """Said, because on the 1st the report is of the month before."""
    return f"?month={clock.local(clock.now()):%Y-%m}"


def test_the_month_as_page_table_and_a4(street: Beat, chief: FlaskClient) -> None:
    month = this_month()
    page = chief.get(f"/chief/report{month}").text
    assert "33.3 %" in page
    assert "占道堆物" in page
    table = chief.get(f"/chief/report.csv{month}")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.headers["Cache-Control"] == "no-store"
    name = f"patrol-{month.removeprefix('?month=')}.csv"
    assert table.headers["Content-Disposition"] == f"attachment; filename={name}"
    assert table.text.count("\n") == 4
    assert "店0" in table.text
    sheet = chief.get(f"/chief/report.pdf{month}")
    assert sheet.mimetype == "application/pdf"
    document = pypdfium2.PdfDocument(BytesIO(sheet.data))
    words = "".join(page.get_textpage().get_text_range() for page in document)
    assert "巡查月报" in words
    assert "33.3 %" in words
    assert [round(side) for side in document[0].get_size()] == [595, 842]


def test_the_table_is_the_same_however_it_comes(
    street: Beat, chief: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions of one or all at once, and byte for byte what spreadsheets have opened so far."""
    with database.transaction(WEIFANG) as session:
        segment = session.merge(street.segment)
        shop = makers.make_storefront(session, segment, name='甲,"乙"\n丙')
    whole = chief.get(f"/chief/report.csv{this_month()}")
    monkeypatch.setattr(covering, "PORTION", 1)
    assert chief.get(f"/chief/report.csv{this_month()}").data == whole.data
    assert int(whole.headers["Content-Length"]) == len(whole.data)
    lines = whole.data.decode().split("\r\n")
    assert lines[0] == "\ufeff月份,路段,铺位,地址,状态,最近一次有效到访"
    assert len(lines) == 6
    assert lines[-1] == ""
    odd = next(line for line in lines if "乙" in line)
    month = clock.local_date(street.at).isoformat()[:7]
    assert odd == f'{month},{segment.name},"甲,""乙""\n丙",{shop.address},未到,'
    assert chief.get("/chief/report.csv?month=2020-01").data.decode().count("\r\n") == 1


def test_a_shop_named_like_a_formula_stays_text(
    street: Beat, chief: FlaskClient, database: Database
) -> None:
    with database.transaction(WEIFANG) as session:
        makers.make_storefront(session, session.merge(street.segment), name="=1+1")
    assert "'=1+1" in chief.get(f"/chief/report.csv{this_month()}").text
    assert chief.get("/chief/report.pdf").status_code == 200


@pytest.mark.parametrize(
    "query", ["days=0", "days=x", "days=9999", "page=0", "page=99999999999", "days=%00"]
)
def test_odd_questions_are_refused(chief: FlaskClient, query: str) -> None:
    assert chief.get(f"/chief/coverage?{query}").status_code == 422


def test_a_new_version_of_the_checklist_is_published_once(
    app: Flask, cast: Cast, street: Beat, database: Database
) -> None:
    client = app.test_client()
    sign_in(client, cast["operator"])
    assert "rc-standard-2026.1" in client.get("/chief/forms").text
    sent = {"for": "P", "version": "2026-12", "item": ["WS01", "ZX02"]}
    assert client.post("/chief/forms", data=sent).status_code == 302
    assert client.post("/chief/forms", data=sent).status_code == 409
    page = client.get("/chief/forms?for=P").text
    assert "现行版本 2026-12，2 项" in page
    for odd in ({"item": []}, {"item": ["ZP03"]}, {"version": ""}, {"for": "X"}):
        assert client.post("/chief/forms", data=sent | odd | {}).status_code in (409, 422), odd
    assert "自查" in client.get("/chief/forms?for=M").text
    chief = app.test_client()
    sign_in(chief, cast["chief_l2"])
    assert chief.get("/chief/forms").status_code == 403
