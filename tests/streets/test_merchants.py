"""Merchants and who may act for them: found, looked at, named, invited, let out, chosen again."""

import uuid
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text

from roadchief.accounts.models import Person
from roadchief.db import Database
from roadchief.errors import Refusal
from roadchief.streets import merchants, shopkeepers, tenancies
from roadchief.streets.models import Merchant, Tenancy
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, YANGJING

CODE = "91350203M0001QAY9B"  # invented; its second check character fails: doubtful, never refused
AT = makers.NOON
DAY = date(2026, 1, 1)


@pytest.fixture
def admin(app: Flask, cast: Cast) -> FlaskClient:
    return signed_in(app, cast, "admin")


def signed_in(app: Flask, cast: Cast, role: str) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client, cast[role]).status_code == 302
    return client


def make_merchant(database: Database, name: str = "桂香餐饮店", **given: Any) -> Merchant:
    with database.transaction(WEIFANG) as session:
        return tenancies.open_merchant(session, name=name, **given)


def let(database: Database, merchant: Merchant, sign: str, *, ended: bool = False) -> uuid.UUID:
    with database.transaction(WEIFANG) as session:
        shop = makers.make_storefront(session, name=None)
        row = tenancies.start(session, shop, merchant, sign_name=sign, on=DAY, by=None, at=AT)
        if ended:
            tenancies.end(session, row, shop, on=DAY, by=None, at=AT, because="租约到期")
        return uuid.UUID(str(shop.id))


@pytest.mark.parametrize(
    "asked",
    [
        "桂香",
        "gxcy",
        "香餐",
        "老街早点",
        "ljzd",
        CODE,
        CODE.lower(),
        "9135020",
        "  桂香  餐饮 ",
        "桂香 店",
    ],
)
def test_a_merchant_is_found_by_name_sign_initials_and_code(
    admin: FlaskClient, database: Database, asked: str
) -> None:
    found, other = make_merchant(database, uscc=CODE), make_merchant(database, "兰州面馆")
    let(database, found, "老街早点")
    page = admin.get("/admin/merchants", query_string={"q": asked}).text
    assert f"/admin/merchants/{found.id}" in page
    assert f"/admin/merchants/{other.id}" not in page


@pytest.mark.parametrize(
    "asked", ["%%", "__", "\\", "\x00 \x01\x02Q~", "桂", "9" * 500, "'; --", "ZZ", "🀄"]
)
def test_an_odd_search_finds_nothing_and_breaks_nothing(
    admin: FlaskClient, database: Database, asked: str
) -> None:
    found = make_merchant(database, uscc=CODE)
    answer = admin.get("/admin/merchants", query_string={"q": asked, "page": "99999999"})
    assert answer.status_code == 200
    assert f"/admin/merchants/{found.id}" not in answer.text


def test_the_list_is_paged_and_asks_a_fixed_number_of_questions(
    admin: FlaskClient, database: Database, queries: Any
) -> None:
    with database.transaction(WEIFANG) as session:
        for number in range(120):
            tenancies.open_merchant(session, name=f"桂香{number:03d}号店")
    counts = []
    for query in ({}, {"page": "2"}, {"q": "桂香"}, {"q": "桂香", "page": "3"}):
        with queries() as seen:
            text_ = admin.get("/admin/merchants", query_string=query).text
        counts.append((text_.count("/admin/merchants/"), len(seen)))
    assert [count for count, _ in counts] == [50, 50, 50, 20]
    assert max(asked for _, asked in counts) <= 8, counts


def test_one_merchant_shows_shops_now_and_before_and_who_acts(
    admin: FlaskClient, database: Database, cast: Cast, queries: Any
) -> None:
    row = make_merchant(database, uscc=CODE, phone="021-58301234")
    here, before = let(database, row, "桂香一店"), let(database, row, "桂香旧店", ended=True)
    path = f"/admin/merchants/{row.id}"
    person = cast["merchant"].person.id
    assert admin.post(f"{path}/keepers", data={"person": str(person)}).status_code == 302
    with queries() as seen:
        page = admin.get(path).text
    assert len(seen) <= 12, seen.statements
    for wanted in (str(here), str(before), "桂香旧店", "租约到期", cast["merchant"].login, CODE):
        assert wanted in page
    assert "信用代码存疑" in page
    assert "in doubt" in admin.get(f"{path}?lang=en").text


def test_a_person_is_named_once_and_let_go_once(
    admin: FlaskClient, database: Database, cast: Cast
) -> None:
    row = make_merchant(database)
    path, person = f"/admin/merchants/{row.id}", cast["merchant"].person
    shop = let(database, row, "桂香")
    assert admin.post(f"{path}/keepers", data={"person": str(person.id)}).status_code == 302
    assert admin.post(f"{path}/keepers", data={"person": str(person.id)}).status_code == 409
    with database.transaction(WEIFANG) as session:
        assert shopkeepers.runs(session, person_id=person.id, storefront_id=shop)
        (keeper,) = merchants.keepers(session, row.id)
    leave = f"/admin/keepers/{keeper.row.id}/dismiss"
    assert admin.post(leave, data={}).status_code == 422
    assert admin.post(leave, data={"because": "离职"}).status_code == 302
    assert admin.post(leave, data={"because": "离职"}).status_code == 409
    assert "离职" in admin.get(path).text
    with database.transaction(WEIFANG) as session:
        assert not shopkeepers.runs(session, person_id=person.id, storefront_id=shop)


def test_from_a_person_to_the_merchants(admin: FlaskClient, database: Database, cast: Cast) -> None:
    row, other = make_merchant(database), make_merchant(database, "兰州面馆")
    person = cast["merchant"].person
    path = f"/admin/merchants?person={person.id}"
    assert path in admin.get(f"/admin/people/{person.id}").text
    assert "现在不代表任何商户" in admin.get(path).text
    admin.post(f"/admin/merchants/{row.id}/keepers", data={"person": str(person.id)})
    page = admin.get(path).text
    assert str(row.id) in page
    assert str(other.id) not in page
    assert admin.get("/admin/merchants?person=x").status_code == 422
    assert admin.get(f"/admin/merchants?person={uuid.uuid4()}").status_code == 404


def test_naming_brings_the_post_where_the_actor_may_appoint(
    app: Flask, admin: FlaskClient, database: Database, cast: Cast
) -> None:
    row = make_merchant(database)
    path = f"/admin/merchants/{row.id}"
    with database.transaction(WEIFANG) as session:
        person = makers.make_person(session, "王桂香")
    sent = {"person": str(person.id)}
    assert "无商户岗位" in admin.get(path, query_string={"who": "王桂"}).text
    refused = signed_in(app, cast, "chief_general").post(f"{path}/keepers", data=sent)
    assert refused.status_code == 422
    assert "商户岗位" in refused.text
    with database.transaction(WEIFANG) as session:
        assert merchants.keepers(session, row.id) == []
    assert admin.post(f"{path}/keepers", data=sent).status_code == 302
    with database.transaction(WEIFANG) as session:
        (found,) = merchants.candidates(session, "王桂", at=AT.replace(year=2027))
        assert found.is_merchant


def test_the_retired_are_neither_offered_nor_named(admin: FlaskClient, database: Database) -> None:
    row = make_merchant(database)
    with database.transaction(WEIFANG) as session:
        person = makers.make_person(session, "王桂香", state="retired")
    path = f"/admin/merchants/{row.id}"
    assert person.login not in admin.get(path, query_string={"who": "王桂"}).text
    assert admin.post(f"{path}/keepers", data={"person": str(person.id)}).status_code == 409


def test_an_invited_shopkeeper_is_a_merchant_and_nothing_else(
    admin: FlaskClient, database: Database
) -> None:
    row = make_merchant(database)
    path = f"/admin/merchants/{row.id}"
    sent = {"name": "王桂香", "login": "13800001234", "phone": "13800001234"}
    answer = admin.post(f"{path}/keepers/invite", data=sent)
    assert answer.status_code == 200
    assert f'href="{path}"' in answer.text
    assert "/invitation" in answer.text
    assert admin.post(f"{path}/keepers/invite", data=sent).status_code == 409
    assert admin.post(f"{path}/keepers/invite", data={"name": "x"}).status_code == 422
    with database.transaction(WEIFANG) as session:
        (one,) = merchants.keepers(session, row.id)
        assert (one.login, one.state) == ("13800001234", "invited")


def test_a_known_merchant_is_chosen_for_a_storefront(
    admin: FlaskClient, database: Database
) -> None:
    row = make_merchant(database, uscc=CODE)
    with database.transaction(WEIFANG) as session:
        shop = makers.make_storefront(session, name=None)
    path = f"/admin/streets/storefronts/{shop.id}/tenancies"
    assert f"{path}/new" in admin.get(f"/admin/streets/storefronts/{shop.id}").text
    assert f"merchant={row.id}" in admin.get(f"{path}/new", query_string={"q": CODE}).text
    assert "桂香餐饮店" in admin.get(f"{path}/new", query_string={"merchant": str(row.id)}).text
    sent = {"merchant_id": str(row.id), "sign": "桂香二店", "on": "2026-02-01"}
    assert admin.post(path, data=sent).status_code == 302
    with database.transaction(WEIFANG) as session:
        ((tenancy, _shop),) = merchants.shops(session, row.id)
        assert tenancy.sign_name == "桂香二店"
        assert len(session.scalars(select(Merchant)).all()) == 1
    assert "仍在经营" in admin.get(f"{path}/new").text


def test_what_a_patroller_read_is_carried_from_the_end_of_one_to_the_begin_of_the_next(
    admin: FlaskClient, database: Database
) -> None:
    let(database, make_merchant(database), "桂香餐饮店")
    with database.transaction(WEIFANG) as session:
        shop_id = session.scalars(select(Tenancy.storefront_id)).one()
    path = f"/admin/streets/storefronts/{shop_id}"
    read = {"sign": "川味小馆", "uscc": CODE}
    page = admin.get(path, query_string=read).text
    assert "巡查看到：川味小馆 · " + CODE in page
    # The same merchant under another sign: the tenancy goes on.
    sent = {"sign": "桂香小馆", "because": "换了门头"}
    assert admin.post(f"{path}/sign", data=sent).status_code == 302
    with database.transaction(WEIFANG) as session:
        tenancy = session.scalars(select(Tenancy)).one()
        assert (tenancy.sign_name, tenancy.ends_on) == ("桂香小馆", None)
        assert session.scalar(text("SELECT name FROM storefront")) == "桂香小馆"
    # Another merchant: what was read still stands in the form after the end.
    sent = {"on": DAY.isoformat(), "because": "转让"}
    ended = admin.post(f"{path}/tenancies/end", query_string=read, data=sent, follow_redirects=True)
    assert f'value="{CODE}"' in ended.text
    assert 'value="川味小馆"' in ended.text
    assert admin.post(f"{path}/sign", data={"sign": "x", "because": "x"}).status_code == 422


def test_doubts_about_a_code_are_told_and_never_refused(
    admin: FlaskClient, database: Database
) -> None:
    first = make_merchant(database, "甲", uscc=CODE)
    with database.transaction(WEIFANG) as session:
        shop = makers.make_storefront(session, name=None)
    path = f"/admin/streets/storefronts/{shop.id}/tenancies"
    sent = {"sign": "乙", "uscc": CODE.lower(), "on": "2026-02-01"}
    told = admin.post(path, data=sent, follow_redirects=True).text
    assert "存疑" in told
    assert "同一信用代码已登记：甲" in told
    path = f"/admin/merchants/{first.id}/correct"
    for code, odd in (("123", True), ("31O000000000000000", True), ("", False)):
        sent = {"name": "甲", "uscc": code, "kind": "company", "phone": ""}
        told = admin.post(path, data=sent, follow_redirects=True).text
        assert ("信用代码存疑" in told) == odd, code
    assert admin.post(path, data={"name": "甲", "kind": "cat"}).status_code == 422
    assert admin.post(path, data={"name": "甲" * 101}).status_code == 422


def test_a_corrected_name_is_found_and_the_former_is_kept_as_an_event(
    admin: FlaskClient, database: Database
) -> None:
    row = make_merchant(database)
    admin.post(f"/admin/merchants/{row.id}/correct", data={"name": "兰州面馆", "kind": "other"})
    assert str(row.id) in admin.get("/admin/merchants", query_string={"q": "兰州"}).text
    assert str(row.id) not in admin.get("/admin/merchants", query_string={"q": "桂香"}).text
    with database.transaction(WEIFANG) as session:
        said = session.scalar(
            text("SELECT data->'before'->>'name' FROM event WHERE name LIKE '%corrected'")
        )
    assert said == "桂香餐饮店"


def test_another_subdistrict_finds_nothing(app: Flask, database: Database, cast: Cast) -> None:
    row = make_merchant(database, uscc=CODE)
    let(database, row, "老街早点")
    with database.transaction(WEIFANG) as session:
        keeper = shopkeepers.name(
            session, row, person_id=cast["merchant"].person.id, by=None, at=AT
        )
        shop = makers.make_storefront(session)
    client = app.test_client()
    sign_in(client, cast.elsewhere["admin"])
    for asked in ("桂香", "老街", CODE, ""):
        assert str(row.id) not in client.get("/admin/merchants", query_string={"q": asked}).text
    for path in (
        f"/admin/merchants/{row.id}",
        f"/admin/streets/storefronts/{shop.id}/tenancies/new",
    ):
        assert client.get(path).status_code == 404
    person = str(cast["merchant"].person.id)
    for path, sent in (
        (f"/admin/merchants/{row.id}/keepers", {"person": person}),
        (f"/admin/merchants/{row.id}/keepers/invite", {"name": "x", "login": "abcd"}),
        (f"/admin/merchants/{row.id}/correct", {"name": "x"}),
        (f"/admin/keepers/{keeper.id}/dismiss", {"because": "x"}),
    ):
        assert client.post(path, data=sent).status_code == 404, path
    with database.transaction(YANGJING) as session:
        assert session.scalars(select(Person.id).where(Person.login == "abcd")).all() == []
        shop = makers.make_storefront(session, name=None)
    path = f"/admin/streets/storefronts/{shop.id}/tenancies"
    sent = {"merchant_id": str(row.id), "sign": "x", "on": "2026-02-01"}
    assert client.post(path, data=sent).status_code == 404


@pytest.mark.parametrize("role", ["patroller", "merchant", "officer"])
def test_who_walks_or_trades_sees_no_merchants(app: Flask, cast: Cast, role: str) -> None:
    assert signed_in(app, cast, role).get("/admin/merchants").status_code == 403


def test_the_search_function_is_held_to_the_transactions_tenant(database: Database) -> None:
    make_merchant(database)
    asked = text("SELECT count(*) FROM search_merchants(:here, :parts, '%桂香%', 9)")
    for tenant, wanted in ((WEIFANG, 1), (YANGJING, 0)):
        with database.transaction(tenant) as session:
            found = session.scalar(asked, {"here": WEIFANG, "parts": ["桂香"]})
            assert found == wanted


def test_naming_somebody_unknown_is_refused(database: Database) -> None:
    row = make_merchant(database)
    with pytest.raises(Refusal), database.transaction(WEIFANG) as session:
        shopkeepers.name(session, row, person_id=uuid.uuid4(), by=None, at=AT)
