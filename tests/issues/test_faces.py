"""What a scan says of cases: verified ones in public, all running ones to staff, nobody's words."""

from flask.testing import FlaskClient
from sqlalchemy import text

from roadchief.codes import plates, tokens
from roadchief.codes.plates import Target
from roadchief.db import Database
from roadchief.issues import cases, spots
from roadchief.lib import clock
from roadchief.streets import shopkeepers, tenancies
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG

SITE = tokens.site("https://lz.gov.cn")


def test_a_scan_shows_what_is_being_dealt_with(
    client: FlaskClient, database: Database, cast: Cast
) -> None:
    at = clock.now()
    with database.transaction(WEIFANG) as session:
        shop = makers.make_storefront(session)
        target = Target(storefront_id=shop.id)
        plate = plates.mint(session, [target], where=SITE, batch_id=None, by=None, at=at)[0]
        session.execute(text("UPDATE plate SET state = 'active'"))
        spot = spots.of_storefront(session, shop.id, at=at)
        case = cases.report(
            session,
            category="WS01",
            words="老王店门口一直不扫",
            spot=spot,
            source="citizen",
            by=None,
            at=at,
        )
    address = f"/C/{plate.token}"
    unverified = client.get(address).get_data(as_text=True)
    assert "正在办理" not in unverified
    with database.transaction(WEIFANG) as session:
        session.execute(
            text("UPDATE case_file SET state = 'assigned' WHERE id = :id"), {"id": case.id}
        )
    public = client.get(address).get_data(as_text=True)
    assert "正在办理 1 件" in public
    assert "门前地面有垃圾" in public
    for secret in ("老王", str(case.id), "最近到访"):
        assert secret not in public
    sign_in(client, cast["operator"])
    staff = client.get(address).get_data(as_text=True)
    assert f"/desk/cases/{case.id}" in staff or str(case.id) in staff
    assert "老王" not in staff
    assert "最近到访" in staff


def test_the_merchant_reads_no_unverified_complaint(
    client: FlaskClient, database: Database, cast: Cast
) -> None:
    """What a citizen has just written is told to the shop by a person, or not at all."""
    at = clock.now()
    with database.transaction(WEIFANG) as session:
        shop = makers.make_storefront(session)
        merchant = tenancies.open_merchant(session, name="桂香")
        on = clock.local_date(at)
        tenancies.start(session, shop, merchant, sign_name="桂香", on=on, by=None, at=at)
        keeper = cast["merchant"].person.id
        shopkeepers.name(session, merchant, person_id=keeper, by=None, at=at)
        target = Target(storefront_id=shop.id)
        plate = plates.mint(session, [target], where=SITE, batch_id=None, by=None, at=at)[0]
        session.execute(text("UPDATE plate SET state = 'active'"))
        spot = spots.of_storefront(session, shop.id, at=at)
        case = cases.report(
            session, category="WS01", words="不扫", spot=spot, source="citizen", by=None, at=at
        )
    sign_in(client, cast["merchant"])
    own = client.get(f"/C/{plate.token}").text
    assert "商户自查" in own  # it is the merchant's own face
    assert "正在办理" not in own
    client.post("/sign-out")
    # Who has the case out of reach learns that there is one, and is not led to a page that refuses.
    sign_in(client, cast["officer"])
    staff = client.get(f"/C/{plate.token}").text
    assert "正在办理 1 件" in staff
    assert str(case.id) not in staff
