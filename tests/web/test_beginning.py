"""An empty sub-district says what to do first, what comes next, and nothing once it is set up."""

import re
from datetime import timedelta

import pyotp
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from roadchief import beginning
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.lib import clock
from tests import makers
from tests.cast import PASSWORD, Cast, sign_in
from tests.conftest import WEIFANG


def missing(session: Session) -> list[str]:
    return [name for name, is_so in beginning.done(session, at=clock.now()).items() if not is_so]


def test_each_step_is_done_by_its_own_act(session: Session) -> None:
    here = makers.make_subdistrict(session, area=None)
    everything = ["border", "roads", "storefronts", "people", "charge", "plates", "patrol"]
    assert missing(session) == everything
    here.area = makers.WEIFANG_AREA
    segment = makers.make_segment(session)
    assert missing(session) == everything[2:]
    makers.make_storefront(session, segment)
    makers.make_post(session, role="admin")
    assert missing(session) == everything[3:], "the office alone walks no street"
    post = makers.make_post(session)
    assignment = makers.make_assignment(session, post, segment)
    assert missing(session) == everything[5:]
    assignment.ends_at = clock.now() - timedelta(days=1)
    session.flush()
    assert missing(session) == ["charge", *everything[5:]], "what is over does not count"


def test_the_office_is_led_from_step_to_step(
    client: FlaskClient, cast: Cast, database: Database
) -> None:
    sign_in(client, cast["admin"])
    page = client.get("/admin/").text
    assert "开街七步" in page
    assert "下一步：道路" in page
    assert "都有人负责" not in page, "nobody can answer for no segments"
    assert 'value="roads" selected' in client.get("/admin/imports").text
    assert 'value="boundaries" selected' in client.get("/admin/imports?what=boundaries").text
    assert 'value="roads" selected' in client.get("/admin/imports?what=nonsense").text
    with database.transaction(WEIFANG) as session:
        makers.make_segment(session)
    assert "下一步：铺位" in client.get("/admin/").text
    assert 'value="storefronts" selected' in client.get("/admin/imports").text
    assert "Seven steps" in client.get("/admin/?lang=en").text


def test_who_cannot_import_is_not_bothered(client: FlaskClient, cast: Cast) -> None:
    sign_in(client, cast["chief_l2"])
    assert "开街七步" not in client.get("/admin/").text


def test_a_first_second_factor_leads_to_work_and_a_new_one_back(
    client: FlaskClient, cast: Cast, database: Database, settings: Settings
) -> None:
    admin = cast["admin"]
    with database.transaction(WEIFANG) as session:
        person = session.merge(admin.person)
        person.totp_secret = person.totp_confirmed_at = None
    client.post("/sign-in", data={"login": admin.login, "password": PASSWORD})
    for leads in ("/start", "/account"):
        page = client.get("/account/second-factor").text
        secret = re.search(r"<code>([A-Z2-7]{32})</code>", page)
        assert secret is not None
        code = pyotp.TOTP(secret.group(1)).at(int(clock.now().timestamp()))
        answer = client.post("/account/second-factor", data={"code": code})
        assert answer.status_code == 302
        assert answer.headers["Location"] == leads
