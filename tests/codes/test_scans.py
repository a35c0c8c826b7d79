"""Scans: five faces of one address, what is never said, what is remembered, what raises alarms."""

import io
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from roadchief.codes import counting, keys, manifest, plates, scans, tokens
from roadchief.codes.models import Plate, PlateAlarm, Scan, ScanMonth
from roadchief.codes.plates import Minted, Target
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.lib import clock
from roadchief.streets import shopkeepers, tenancies
from roadchief.streets.models import Storefront, StorefrontSuccession
from tests import makers, pictures
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG, YANGJING

SITE = tokens.site("https://lz.gov.cn")
AT = makers.NOON


class Corner:
    """A let shop with a live plate, and its chief."""

    def __init__(self, session: Session, cast: Cast) -> None:
        self.segment = makers.make_segment(session)
        self.shop = makers.make_storefront(session, self.segment)
        self.merchant = tenancies.open_merchant(session, name="张桂香", phone="13812345678")
        tenancies.start(
            session, self.shop, self.merchant, sign_name="桂香早点铺", on=AT.date(), by=None, at=AT
        )
        shopkeepers.name(
            session, self.merchant, person_id=cast["merchant"].person.id, by=None, at=AT
        )
        post = makers.make_post(session, cast["chief_l2"].person)
        makers.make_assignment(session, post, self.segment)
        self.plate = self.mint(session, storefront_id=self.shop.id)
        self.set(session, "active")

    def mint(self, session: Session, **target: object) -> Minted:
        one = Target(**target)  # type: ignore[arg-type]
        return plates.mint(session, [one], where=SITE, batch_id=None, by=None, at=AT)[0]

    def set(self, session: Session, state: str) -> None:
        session.execute(
            text("UPDATE plate SET state = :state WHERE id = :id"),
            {"state": state, "id": self.plate.plate_id},
        )

    @property
    def address(self) -> str:
        return f"/C/{self.plate.token}"


@pytest.fixture
def corner(database: Database, cast: Cast) -> Corner:
    with database.transaction(WEIFANG) as session:
        return Corner(session, cast)


def test_a_citizen_sees_the_allow_list_and_nothing_else(
    client: FlaskClient, corner: Corner
) -> None:
    page = client.get(corner.address)
    said = page.get_data(as_text=True)
    assert page.status_code == 200
    for word in ("桂香早点铺", "崂山路527号", "周建国", "不收款", "码牌有问题"):
        assert word in said
    for secret in ("张桂香", "138", str(corner.merchant.id), "铺位档案"):
        assert secret not in said
    assert page.headers["Cache-Control"] == "private, no-cache"
    assert page.headers["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("change", [str.lower, str.upper, lambda url: url.replace("/C/", "/c/")])
def test_any_letter_case_will_do(client: FlaskClient, corner: Corner, change: object) -> None:
    assert client.get(change(corner.address)).status_code == 200  # type: ignore[operator]


@pytest.mark.parametrize(
    ("role", "face", "words"),
    [
        ("merchant", "merchant", ["桂香早点铺"]),
        ("patroller", "patroller", ["WF-000001", "启用"]),
        ("chief_l2", "chief", ["铺位档案", "经营与码牌", "生成"]),
        ("officer", "department", ["检查码"]),
        ("steward", "citizen", ["桂香早点铺"]),
    ],
)
def test_each_viewer_has_a_face(
    client: FlaskClient,
    corner: Corner,
    cast: Cast,
    session: Session,
    role: str,
    face: str,
    words: list[str],
) -> None:
    sign_in(client, cast[role])
    page = client.get(corner.address)
    said = page.get_data(as_text=True)
    assert all(word in said for word in words)
    assert session.scalars(select(Scan.audience)).all() == [face]
    assert page.headers["Cache-Control"] == (
        "private, no-cache" if face == "citizen" else "no-store"
    )


def test_a_merchant_is_a_citizen_at_the_neighbours_door(
    client: FlaskClient, corner: Corner, cast: Cast, database: Database, session: Session
) -> None:
    with database.transaction(WEIFANG) as inside:
        neighbour = makers.make_storefront(inside, corner.segment, house_number="529号")
        other = corner.mint(inside, storefront_id=neighbour.id)
        inside.execute(
            text("UPDATE plate SET state = 'active' WHERE id = :id"), {"id": other.plate_id}
        )
    sign_in(client, cast["merchant"])
    client.get(f"/C/{other.token}")
    assert session.scalars(select(Scan.audience)).all() == ["citizen"]


def test_staff_of_elsewhere_are_citizens_here(
    client: FlaskClient, corner: Corner, cast: Cast, session: Session
) -> None:
    sign_in(client, cast.elsewhere["chief_l2"])
    assert client.get(corner.address).status_code == 200
    assert session.scalars(select(Scan.audience)).all() == ["citizen"]
    assert client.get(corner.address + "/mount").status_code == 404


@pytest.mark.parametrize("state", ["replaced", "retired"])
def test_an_old_plate_says_so_for_ever(
    client: FlaskClient, corner: Corner, session: Session, state: str
) -> None:
    corner.set(session, state)
    for _ in range(3):
        page = client.get(corner.address)
    said = page.get_data(as_text=True)
    assert page.status_code == 410
    assert "桂香早点铺" not in said
    alarm = session.scalars(select(PlateAlarm)).one()
    assert (alarm.kind, alarm.times) == ("dead", 3)


@pytest.mark.parametrize("state", ["suspended", "lost", "generated", "printed", "delivered"])
def test_a_plate_that_is_not_live_shows_no_shop(
    client: FlaskClient, corner: Corner, session: Session, state: str
) -> None:
    corner.set(session, state)
    page = client.get(corner.address)
    assert page.status_code == 200
    assert "桂香早点铺" not in page.get_data(as_text=True)


def test_unknown_malformed_and_altered_tokens_look_the_same(
    client: FlaskClient, corner: Corner
) -> None:
    token = corner.plate.token
    wrongs = (tokens.mint(), token[:-1], token[:-1] + "U", "x", "0" * 18, "%00", "%E9" * 18)

    def shown(wrong: str) -> str:
        """The page without its nonce and without the address that was asked for."""
        page = client.get(f"/C/{wrong}").get_data(as_text=True)
        return re.sub(r'nonce="[^"]*"|href="/C/[^"]*"', "", page)

    assert len({shown(wrong) for wrong in wrongs}) == 1
    statuses = {client.get(f"/C/{tokens.mint()}").status_code, client.get("/C/x").status_code}
    assert statuses == {404}


def test_unknown_and_malformed_ask_the_database_alike(
    client: FlaskClient, corner: Corner, queries: object
) -> None:
    counts = []
    for wrong in (tokens.mint(), "x", corner.plate.token[:-1]):
        with queries() as seen:  # type: ignore[operator]
            client.get(f"/C/{wrong}")
        counts.append(len(seen))
    assert len(set(counts)) == 1


def test_ten_thousand_guesses_are_cut_short_and_a_real_scan_is_not(
    settings: Settings, database: Database, corner: Corner
) -> None:
    from roadchief.app import create_app

    app = create_app(replace(settings, testing=False), database)
    guesser = {"REMOTE_ADDR": "203.0.113.77"}
    client = app.test_client()
    answers = [
        client.get(f"/C/{tokens.mint()}", environ_base=guesser).status_code for _ in range(60)
    ]
    cut = answers.index(429)
    assert cut <= 31
    assert (set(answers[:cut]), set(answers[cut:])) == ({404}, {429})
    neighbour = {"REMOTE_ADDR": "203.0.113.78"}
    statuses = {client.get(corner.address, environ_base=neighbour).status_code for _ in range(40)}
    assert statuses == {200}


def test_a_scan_takes_four_queries(client: FlaskClient, corner: Corner, queries: object) -> None:
    client.get(corner.address)
    with queries() as seen:  # type: ignore[operator]
        client.get(corner.address)
    assert len(seen) <= 4, seen.statements


def test_scans_are_counted_by_month_without_a_name(
    client: FlaskClient, corner: Corner, cast: Cast, session: Session
) -> None:
    for _ in range(3):
        client.get(corner.address)
    sign_in(client, cast["patroller"])
    client.get(corner.address)
    rows = session.execute(select(ScanMonth.audience, ScanMonth.scans)).all()
    assert sorted(tuple(row) for row in rows) == [("citizen", 3), ("patroller", 1)]
    kept = session.execute(text("SELECT string_agg(s::text, '') FROM scan s")).scalar() or ""
    assert str(cast["patroller"].person.id) not in kept
    assert "127.0.0.1" not in kept


def scan_id_of(page: str) -> str:
    return page.split('name="scan" value="')[1].split('"')[0]


@pytest.mark.parametrize(("east_m", "far"), [(0, False), (250, False), (5000, True)])
def test_a_scan_far_from_the_door_is_an_alarm(
    client: FlaskClient, corner: Corner, session: Session, east_m: int, far: bool
) -> None:
    scan = scan_id_of(client.get(corner.address).get_data(as_text=True))
    door = corner.shop.door
    place = {"lon": str(door.x + east_m / 95_000), "lat": str(door.y), "accuracy_m": "20"}
    answer = client.post(corner.address + "/here", data={"scan": scan, **place})
    assert answer.status_code == 204
    assert answer.headers["X-Far"] == ("1" if far else "0")
    kept = session.scalars(select(Scan)).one()
    assert kept.near is not None
    assert kept.near.x == round(kept.near.x, 3)
    alarms = session.scalars(select(PlateAlarm.kind)).all()
    assert alarms == (["far"] if far else [])
    again = client.post(corner.address + "/here", data={"scan": scan, **place})
    assert again.status_code == 409


@pytest.mark.parametrize(
    "place",
    [
        {"lon": "nan", "lat": "31", "accuracy_m": "5"},
        {"lon": "500", "lat": "31", "accuracy_m": "5"},
        {"lon": "121", "lat": "31", "accuracy_m": "inf"},
        {"lon": "121", "lat": "31", "accuracy_m": "-1"},
        {"lon": "121", "lat": "31", "accuracy_m": "5", "datum": "mars"},
        {"lon": "a", "lat": "b", "accuracy_m": "c"},
        {},
    ],
)
def test_an_odd_position_is_refused(
    client: FlaskClient, corner: Corner, session: Session, place: dict[str, str]
) -> None:
    scan = scan_id_of(client.get(corner.address).get_data(as_text=True))
    answer = client.post(corner.address + "/here", data={"scan": scan, **place})
    assert answer.status_code == 422
    assert session.scalars(select(Scan.near)).all() == [None]


def test_a_burst_of_scans_is_an_alarm(
    corner: Corner, database: Database, session: Session, client: FlaskClient
) -> None:
    for _ in range(counting.BURST_SCANS):
        client.get(corner.address)
    assert counting.look_for_bursts(database, at=clock.now()) == 1
    assert session.scalars(select(PlateAlarm.kind)).all() == ["burst"]


def test_anybody_reports_a_plate_in_two_taps(
    client: FlaskClient, corner: Corner, session: Session
) -> None:
    assert client.get(corner.address + "/trouble").status_code == 200
    assert client.post(corner.address + "/trouble", data={"what": "covered"}).status_code == 200
    assert client.post(corner.address + "/trouble", data={"what": "x"}).status_code == 422
    assert session.scalars(select(PlateAlarm.facts)).all() == [{"what": "covered"}]
    assert session.scalars(select(Plate.state)).all() == ["active"]


def test_a_patroller_who_reports_moves_its_state(
    client: FlaskClient, corner: Corner, cast: Cast, session: Session
) -> None:
    sign_in(client, cast["patroller"])
    client.post(corner.address + "/trouble", data={"what": "damaged"})
    assert session.scalars(select(Plate.state)).all() == ["damaged"]


def test_a_patroller_mounts_by_scan_photo_and_position(
    client: FlaskClient, corner: Corner, cast: Cast, database: Database, session: Session
) -> None:
    with database.transaction(WEIFANG) as inside:
        new = corner.mint(inside, storefront_id=corner.shop.id)
    sign_in(client, cast["patroller"])
    assert "安装到门口" in client.get(f"/C/{new.token}").get_data(as_text=True)
    door = corner.shop.door
    place = {"lon": str(door.x), "lat": str(door.y), "accuracy_m": "9"}
    missing = client.post(f"/C/{new.token}/mount", data=place)
    assert missing.status_code == 422
    photo = {"photo": (io.BytesIO(pictures.jpeg(seed=4)), "door.jpg")}
    answer = client.post(f"/C/{new.token}/mount", data={**place, **photo})
    assert answer.status_code == 302
    states = dict(session.execute(select(Plate.number, Plate.state)).all())  # type: ignore[arg-type]
    assert states == {"WF-000001": "replaced", "WF-000002": "active"}
    said = client.get(corner.address).get_data(as_text=True)
    assert "WF-000002" in said


def test_a_merged_storefront_says_what_took_its_place(
    client: FlaskClient, corner: Corner, cast: Cast, database: Database
) -> None:
    with database.transaction(WEIFANG) as inside:
        after = makers.make_storefront(inside, corner.segment, house_number="527-529号")
        inside.add(
            StorefrontSuccession(
                subdistrict_id=WEIFANG,
                before_id=corner.shop.id,
                after_id=after.id,
                at=AT,
                because="打通",
            )
        )
        inside.execute(
            text("UPDATE storefront SET closed_at = now() WHERE id = :id"), {"id": corner.shop.id}
        )
    said = client.get(corner.address).get_data(as_text=True)
    assert "调整停用" in said
    assert "崂山路527-529号" in said
    sign_in(client, cast["operator"])
    assert "码牌待撤换" in client.get("/admin/codes").get_data(as_text=True)


def test_a_number_can_be_typed(client: FlaskClient, corner: Corner) -> None:
    shown = client.post("/code", data={"code": " wf 000001 "}).get_data(as_text=True)
    assert "桂香早点铺" in shown
    followed = client.post("/code", data={"code": tokens.spoken(corner.plate.token).lower()})
    assert followed.location.endswith(corner.plate.token)
    for wrong in ("WF-999999", "", "\x00", "x" * 5000, "' OR 1=1 --"):
        assert client.post("/code", data={"code": wrong}).status_code == 404


def test_the_manifest_is_signed_and_a_leaked_key_is_out(
    corner: Corner, session: Session, settings: Settings, app: Flask
) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    at = clock.now()
    made = manifest.issue(
        session,
        [corner.segment.id],
        shift_id=corner.segment.id,
        until=at + timedelta(hours=10),
        settings=settings,
        at=at,
    )
    payload = json.loads(unpadded(made.payload))
    digest = tokens.digest(corner.plate.token).hex()
    assert payload["plates"] == [[digest, str(corner.shop.id), "WF-000001", "active"]]
    listed = manifest.public_keys(settings, at=at)
    public = next(one for one in listed["keys"] if one["key_id"] == made.key_id)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unpadded(public["public"]))
    raw = unpadded(made.signature)
    signature = encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )
    key.verify(signature, made.payload.encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(signature, made.payload.encode() + b"A", ec.ECDSA(hashes.SHA256()))

    now = keys.leak(settings, made.key_id, since=at - timedelta(days=2), at=at)
    after = manifest.public_keys(settings, at=at)
    assert made.key_id in after["leaked"]
    assert made.key_id not in {one["key_id"] for one in after["keys"]}
    short = manifest.issue(
        session,
        [],
        shift_id=corner.segment.id,
        until=at + timedelta(hours=10),
        settings=settings,
        at=at,
    )
    assert short.key_id == now.key_id
    assert json.loads(unpadded(short.payload))["expires"] == (at + timedelta(hours=1)).isoformat()
    served = app.test_client().get("/api/v1/manifest-keys").get_json()
    assert served["leaked"] == [made.key_id]


def unpadded(text_: str) -> bytes:
    import base64

    return base64.urlsafe_b64decode(text_ + "=" * (-len(text_) % 4))


def test_rotation_keeps_the_former_key_believed_for_thirty_days(
    tmp_path: object, settings: Settings
) -> None:
    own = replace(settings, var_dir=tmp_path)  # type: ignore[arg-type]
    at = clock.now()
    current = next(one for one in keys.known(own, at=at) if one.state == "current")
    upcoming = next(one for one in keys.known(own, at=at) if one.state == "next")
    assert keys.rotate(own, at=at).key_id == upcoming.key_id
    assert current.key_id in {one.key_id for one in keys.believed(own, at=at)}
    later = at + timedelta(days=31)
    assert current.key_id not in {one.key_id for one in keys.believed(own, at=later)}
    assert oct((keys.folder(own) / f"{current.key_id}.pem").stat().st_mode)[-3:] == "400"


def test_the_other_sub_district_cannot_read_plates(corner: Corner, database: Database) -> None:
    with database.transaction(YANGJING) as other:
        assert other.scalar(select(func.count()).select_from(Plate)) == 0
        assert other.scalar(select(func.count()).select_from(Storefront)) == 0
        assert scans.resolve(other, corner.plate.token) is None
    with database.transaction(WEIFANG) as here:
        found = scans.resolve(here, corner.plate.token)
        assert found is not None
        assert found.storefront_id == corner.shop.id
