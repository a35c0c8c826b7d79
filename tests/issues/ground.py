"""A street with a shop, its keeper, a squad and a centre: what cases need."""

import uuid
from dataclasses import dataclass
from datetime import date, timedelta

import shapely
from sqlalchemy.orm import Session

from roadchief.blobs.models import Blob
from roadchief.db import new_id, tenant_of
from roadchief.issues import cases, moves, opening, spots
from roadchief.issues.cases import Who
from roadchief.issues.models import Case
from roadchief.streets import shopkeepers
from roadchief.streets.models import Merchant, Organisation, RoadSegment, Storefront, Tenancy
from tests import makers

# Tuesday 24 November 2026, 10:00 in Shanghai: a working day, in working hours.
TUESDAY = makers.NOON + timedelta(days=22, hours=-2)
ZONE = shapely.box(121.51855, 31.22900, 121.51885, 31.22920)
CENTRE, CHIEF, PATROL = Who(moves.CENTRE), Who(moves.CHIEF), Who(moves.PATROL)


@dataclass
class World:
    """Rows of a street that cases happen on."""

    segment: RoadSegment
    shop: Storefront
    merchant: Merchant
    tenancy: Tenancy
    keeper: uuid.UUID
    squad: Organisation
    green: Organisation
    officer: uuid.UUID

    @property
    def unit(self) -> Who:
        return Who(moves.UNIT, self.officer)

    @property
    def shopkeeper(self) -> Who:
        return Who(moves.MERCHANT, self.keeper)


def build(session: Session) -> World:
    makers.make_subdistrict(session)
    segment = makers.make_segment(session)
    shop = makers.make_storefront(session, segment, duty_zone=ZONE)
    here = tenant_of(session)
    merchant = add(session, Merchant(subdistrict_id=here, name="桂香早点铺", kind="sole_trader"))
    tenancy = add(
        session,
        Tenancy(
            subdistrict_id=here,
            storefront_id=shop.id,
            merchant_id=merchant.id,
            sign_name="桂香早点铺",
            starts_on=date(2026, 1, 1),
        ),
    )
    keeper = makers.make_person(session, "桂香")
    makers.make_post(session, keeper, role="merchant")
    shopkeepers.name(session, merchant, person_id=keeper.id, by=None, at=makers.NOON)
    squad = make_unit(session, "综合行政执法队", "enforcement_squad")
    green = make_unit(session, "绿化市容管理所", "greening_appearance")
    make_unit(session, "城市运行管理中心", "operation_centre")
    officer = makers.make_person(session, "许正")
    makers.make_post(session, officer, role="officer", organisation_id=squad.id)
    session.flush()
    return World(segment, shop, merchant, tenancy, keeper.id, squad, green, officer.id)


def make_unit(session: Session, name: str, kind: str) -> Organisation:
    return add(session, Organisation(subdistrict_id=tenant_of(session), name=name, kind=kind))


def add(session: Session, row):  # type: ignore[no-untyped-def]
    session.add(row)
    session.flush()
    return row


def make_photo(session: Session, seed: int = 0) -> uuid.UUID:
    """A row as the photo pipeline leaves it; no file."""
    row = Blob(
        subdistrict_id=tenant_of(session),
        id=new_id(),
        sha256=f"{seed:064x}",
        source_sha256=uuid.uuid4().hex * 2,
        width_px=640,
        height_px=480,
        bytes=1000,
        source_format="JPEG",
        source_bytes=2000,
        received_at=TUESDAY,
        state="kept",
    )
    return add(session, row).id


def file_case(
    session: Session,
    world: World,
    *,
    category: str = "ZX02",
    words: str = "纸箱堆在盲道上",
    at=TUESDAY,  # type: ignore[no-untyped-def]
    **given,
) -> Case:
    spot = given.pop("spot", None) or spots.of_storefront(session, world.shop.id, at=at)
    return cases.report(
        session,
        category=category,
        words=words,
        spot=spot,
        source=given.pop("source", "citizen"),
        by=given.pop("by", None),
        at=at,
        **given,
    )


def opened(session: Session, world: World, **given) -> Case:  # type: ignore[no-untyped-def]
    """A case that was taken up: the merchant has been told, or the unit has it."""
    case = file_case(session, world, **given)
    opening.open_case(session, case, who=CENTRE, at=given.get("at", TUESDAY))
    return case


def build_second(session: Session, world: World) -> spots.Spot:
    """A neighbour with a merchant and keeper of its own."""
    here = tenant_of(session)
    shop = makers.make_storefront(
        session, world.segment, name="隔壁面馆", house_number="529号", measure_m=128.0
    )
    merchant = add(session, Merchant(subdistrict_id=here, name="隔壁面馆", kind="sole_trader"))
    add(
        session,
        Tenancy(
            subdistrict_id=here,
            storefront_id=shop.id,
            merchant_id=merchant.id,
            sign_name="隔壁面馆",
            starts_on=date(2026, 1, 1),
        ),
    )
    keeper = makers.make_person(session, "王师傅")
    makers.make_post(session, keeper, role="merchant")
    shopkeepers.name(session, merchant, person_id=keeper.id, by=None, at=makers.NOON)
    return spots.of_storefront(session, shop.id, at=TUESDAY)
