"""The seed is ours, valid, and becomes the same neighbourhood every time."""

import json
from pathlib import Path

import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.config import ROOT, Settings
from roadchief.db import Database
from roadchief.demo import cli, district, living, plating
from roadchief.lib.geo import Plane
from roadchief.streets.models import (
    Assignment,
    RoadSegment,
    Storefront,
    Subdistrict,
    Tenancy,
)
from tests import makers
from tests.conftest import WEIFANG, YANGJING

SEED = ROOT / "geodata" / "seed"


def test_each_seed_file_states_source_licence_and_datum() -> None:
    told = (ROOT / "geodata" / "README.md").read_text(encoding="utf-8")
    for path in SEED.iterdir():
        assert f"seed/{path.name}" in told
    for word in ("CC0", "WGS-84", "drawn by us"):
        assert word in told


def test_the_drawing_is_valid() -> None:
    seed = json.loads((SEED / "streets.json").read_text(encoding="utf-8"))
    for row in seed["subdistricts"]:
        assert shapely.Polygon(row["outline"]).is_valid, row["name"]
    for row in seed["roads"]:
        assert shapely.LineString(row["line"]).is_simple, row["name"]


def counts(session: Session) -> tuple[int, ...]:
    tables = (RoadSegment, Storefront, Tenancy, Assignment)
    return tuple(session.scalar(select(func.count()).select_from(one)) or 0 for one in tables)


def test_the_demo_runs_twice_without_change(database: Database, settings: Settings) -> None:
    cli.load(database, settings)
    with database.transaction(WEIFANG) as session:
        first = counts(session)
    cli.load(database, settings)
    with database.transaction(WEIFANG) as session:
        assert counts(session) == first
    assert first[0] > 30
    assert first[1] > 260
    people = json.loads((settings.var_dir / "demo-people.json").read_text(encoding="utf-8"))
    for code in (WEIFANG, YANGJING):
        assert len({row["role"] for row in people if row["subdistrict"] == code}) == 15


def test_fronts_stand_beside_their_street_and_doors_inside(
    database: Database, settings: Settings
) -> None:
    cli.load(database, settings)
    with database.transaction(WEIFANG) as session:
        area = session.get_one(Subdistrict, WEIFANG).area
        lines = {row.id: row for row in session.scalars(select(RoadSegment))}
        shops = session.scalars(select(Storefront).where(Storefront.closed_at.is_(None))).all()
        plane = Plane.around(area)
        for shop in shops:
            assert area.contains(shop.door)
            assert shop.segment_id is not None
            street = lines[shop.segment_id]
            away = plane.flat(street.line).distance(plane.flat(shop.frontage))
            assert away > street.kerb_m, shop.address
        zones = [shop.duty_zone for shop in shops if shop.duty_zone is not None]
        assert len(zones) > 0.9 * len(shops)


def test_secrets_of_the_demo_are_this_installations_own(tmp_path: Path) -> None:
    names = json.loads((SEED / "names.json").read_text(encoding="utf-8"))
    one = living.demo_people(names, living.installation_key(tmp_path / "one"))
    other = living.demo_people(names, living.installation_key(tmp_path / "other"))
    assert {row.password for row in one}.isdisjoint({row.password for row in other})
    assert living.demo_people(names, living.installation_key(tmp_path / "one")) == one


def test_plates_of_the_demo_lead_to_where_it_is_served_now(tmp_path: Path) -> None:
    path = tmp_path / "demo-plates.json"
    plating.write_rows(path, [{"number": "WF-1", "url": "HTTP://127.0.0.1:8000/C/0ABC"}])
    plating.move_rows(path, "http://127.0.0.1:9000")
    plating.move_rows(path, "http://127.0.0.1:9000")
    assert json.loads(path.read_text(encoding="utf-8")) == [
        {"number": "WF-1", "url": "HTTP://127.0.0.1:9000/C/0ABC"}
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    plating.move_rows(tmp_path / "none.json", "http://127.0.0.1:9000")


def test_a_district_of_any_size(database: Database) -> None:
    assert district.make(database, 990000001, 500, at=makers.NOON) == 500
    assert district.make(database, 990000001, 300, at=makers.NOON) == 300
    with database.transaction(990000001) as session:
        assert session.scalar(select(func.count()).select_from(Storefront)) == 300
