"""The office's pages: constant queries, minting to delivery, refusals."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from roadchief import jobs as queue
from roadchief.codes import jobs, sealing
from roadchief.codes.models import Plate, PrintBatch
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.streets.models import Road
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG


@pytest.fixture
def road(database: Database, cast: Cast) -> Road:
    with database.transaction(WEIFANG) as session:
        road = makers.make_road(session)
        segment = makers.make_segment(session, road)
        for number in range(1, 7):
            makers.make_storefront(session, segment, house_number=f"{number}号")
    return road


def mint(client: FlaskClient, on: Road, **given: str) -> Any:
    form = {"what": "road", "road": str(on.id), "layout": "plate", "sheet": ""}
    return client.post("/admin/codes/mint", data=form | given)


def test_from_mint_to_delivery(
    client: FlaskClient,
    cast: Cast,
    road: Road,
    database: Database,
    settings: Settings,
    session: Session,
) -> None:
    sign_in(client, cast["operator"])
    assert client.get("/admin/codes/mint").status_code == 200
    batch_page = mint(client, road).location
    waiting = client.get(batch_page)
    assert waiting.headers["Refresh"] == "2"
    batch = session.scalars(select(PrintBatch)).one()
    queued = session.execute(
        text("SELECT args FROM procrastinate_jobs WHERE task_name = 'codes.print'")
    ).scalars()
    assert {"subdistrict_id": WEIFANG, "batch_id": str(batch.id)} in list(queued)
    queue.provide(database, settings)
    jobs.print_batch(WEIFANG, str(batch.id))
    session.expire_all()
    assert (batch.state, batch.report["read_back"], batch.report["plates"]) == ("ready", 6, 6)
    assert set(session.scalars(select(Plate.state))) == {"printed"}
    pdf = client.get(batch_page + "/plates")
    assert pdf.data.startswith(b"%PDF")
    listed = client.get(batch_page + "/list.csv")
    assert listed.get_data(as_text=True).count("崂山路") == 12  # address and road, six times
    assert client.post(batch_page + "/delivered").status_code == 302
    session.expire_all()
    assert set(session.scalars(select(Plate.state))) == {"delivered"}
    assert not sealing.folder(settings, WEIFANG, batch.id).exists()
    assert client.get(batch_page + "/plates").status_code == 409
    assert client.post(batch_page + "/delivered").status_code == 409
    assert mint(client, road).status_code == 422


def test_signs_say_who_answers_and_are_flagged_when_that_changes(
    client: FlaskClient, cast: Cast, road: Road, session: Session
) -> None:
    sign_in(client, cast["operator"])
    assert mint(client, road, layout="sign").status_code == 302
    plate = session.scalars(select(Plate)).one()
    assert plate.kind == "sign"
    session.execute(text("UPDATE plate SET state = 'active'"))
    assert "公示牌已过期" not in client.get("/admin/codes").get_data(as_text=True)
    segment = session.get_one(makers.RoadSegment, (WEIFANG, plate.segment_id))
    post = makers.make_post(session, cast["chief_l2"].person)
    makers.make_assignment(session, post, segment)
    session.flush()
    said = client.get("/admin/codes").get_data(as_text=True)
    assert "公示牌已过期" in said
    assert "周建国" in said


def test_signs_of_a_long_street_are_compared_in_one_question(
    client: FlaskClient, cast: Cast, road: Road, session: Session, queries: Callable[[], Any]
) -> None:
    sign_in(client, cast["operator"])
    for _ in range(4):
        makers.make_segment(session, road)
    with queries() as seen:
        assert mint(client, road, layout="sign").status_code == 302
    assert sum("running AS MATERIALIZED" in one for one in seen.statements) == 1
    session.execute(text("UPDATE plate SET state = 'active'"))
    with queries() as seen:
        client.get("/admin/codes")
    assert sum("running AS MATERIALIZED" in one for one in seen.statements) == 1


@pytest.mark.parametrize(
    "form",
    [
        {"layout": "gold"},
        {"sheet": "a0"},
        {"road": "x"},
        {"road": "01900000-0000-7000-8000-000000000000"},
        {"what": "blank", "count": "0"},
        {"what": "blank", "count": "999999999999999"},
        {"what": "blank", "count": "drei"},
    ],
)
def test_an_odd_order_is_refused_and_mints_nothing(
    client: FlaskClient, cast: Cast, road: Road, session: Session, form: dict[str, str]
) -> None:
    sign_in(client, cast["operator"])
    assert mint(client, road, **form).status_code in {404, 422}
    assert session.scalars(select(Plate)).all() == []


def test_a_host_that_is_too_long_is_refused_before_anything_is_minted(
    client: FlaskClient, cast: Cast, road: Road, session: Session
) -> None:
    from dataclasses import replace

    extensions = client.application.extensions
    extensions["roadchief.settings"] = replace(
        extensions["roadchief.settings"], public_url="https://road-chief.weifang-xincun.gov.cn"
    )
    sign_in(client, cast["operator"])
    page = client.get("/admin/codes/mint")
    assert page.status_code == 422
    assert "最多 21 个" in page.get_data(as_text=True)
    assert mint(client, road).status_code == 422
    assert session.scalars(select(Plate)).all() == []


def test_a_stopped_print_run_says_why_and_goes_on(
    client: FlaskClient,
    cast: Cast,
    road: Road,
    database: Database,
    settings: Settings,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from roadchief.codes import printing
    from roadchief.codes.reading import WrongSymbol

    sign_in(client, cast["operator"])
    batch_page = mint(client, road).location
    batch = session.scalars(select(PrintBatch)).one()
    right = printing.make_pdf

    def wrong(*_arguments: object, **_named: object) -> None:
        raise WrongSymbol(
            page=3, number="WF-000003", found="?", reason_zh="与另一块互换", reason_en="swapped"
        )

    monkeypatch.setattr(printing, "make_pdf", wrong)
    with pytest.raises(WrongSymbol):
        jobs.run(database, settings, WEIFANG, batch.id)
    assert "WF-000003" in client.get(batch_page).get_data(as_text=True)
    assert client.get(batch_page + "/plates").status_code == 409
    monkeypatch.setattr(printing, "make_pdf", right)
    assert client.post(batch_page + "/again").status_code == 302
    jobs.run(database, settings, WEIFANG, batch.id)
    session.expire_all()
    assert batch.state == "ready"


def test_lists_ask_a_constant_number_of_questions(
    client: FlaskClient, cast: Cast, road: Road, session: Session, queries: Any
) -> None:
    sign_in(client, cast["operator"])
    counts: dict[str, list[int]] = {}
    for _round in range(2):
        for address in ("/admin/codes", "/admin/codes/plates", "/admin/codes/plates?q=崂山"):
            with queries() as seen:
                assert client.get(address).status_code == 200
            counts.setdefault(address, []).append(len(seen))
        if _round == 0:
            mint(client, road)
            mint(client, road, what="blank", count="9")
    assert all(first == second for first, second in counts.values()), json.dumps(counts)


def test_a_plate_is_replaced_from_its_page(
    client: FlaskClient, cast: Cast, road: Road, session: Session
) -> None:
    sign_in(client, cast["operator"])
    mint(client, road)
    plate = session.scalars(select(Plate).order_by(Plate.number)).first()
    assert plate is not None
    address = f"/admin/codes/plates/{plate.id}"
    assert client.post(address + "/replace", data={"because": "x"}).status_code == 409
    session.execute(text("UPDATE plate SET state = 'active' WHERE id = :id"), {"id": plate.id})
    assert client.post(address + "/replace", data={"because": ""}).status_code == 422
    assert client.post(address + "/replace", data={"because": "开裂"}).status_code == 302
    session.expire_all()
    assert plate.state == "damaged"
    new = session.scalars(select(Plate).where(Plate.replaces_id == plate.id)).one()
    assert (new.storefront_id, new.state) == (plate.storefront_id, "generated")
    assert client.get(address).status_code == 200
    sign_in(client, cast["auditor"])
    assert client.post(address + "/act", data={"act": "retire"}).status_code == 403
