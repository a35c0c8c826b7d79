"""Many rows at once: several batches, two writers, others at work meanwhile, odd figures."""

import json
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyogrio
import pytest
import shapely
from psycopg.errors import DeadlockDetected
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from roadchief.db import Database
from roadchief.errors import Refusal
from roadchief.lib.text import initials, pieces
from roadchief.streets import storefronts
from roadchief.streets.importing import batches, columns, reading, run, stage, zoning
from roadchief.streets.importing.keys import Keys, Known
from roadchief.streets.importing.numbers import HumanNumbers
from roadchief.streets.importing.report import Report
from roadchief.streets.models import Storefront
from tests import makers
from tests.conftest import make_settings

CODE = 310115004


@pytest.fixture
def real(fresh_url: str, tmp_path: Path) -> Iterator[Database]:
    """Several connections, as outside of tests."""
    database = Database(make_settings(fresh_url, tmp_path))
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE)
        makers.make_segment(session)
    yield database
    database.engine.dispose()


def file_of(path: Path, count: int, *, names: str = "店") -> Path:
    dice = np.random.default_rng(1)
    xy = np.column_stack(
        [dice.uniform(121.518, 121.519, count), dice.uniform(31.228, 31.23, count)]
    )
    facts = [
        np.array([f"B{n}" for n in range(count)], dtype=object),
        np.array([f"{names}{n}" for n in range(count)], dtype=object),
        np.array(["崂山路"] * count, dtype=object),
        np.array([f"{n % 40 + 1}号" for n in range(count)], dtype=object),
    ]
    pyogrio.raw.write(
        str(path),
        shapely.to_wkb(shapely.points(xy)),
        facts,
        ["编号", "店名", "路名", "门牌号"],
        geometry_type="Point",
        crs="EPSG:4326",
        driver="GPKG" if path.suffix == ".gpkg" else "GeoJSON",
    )
    return path


def take(database: Database, path: Path, what: str = "storefronts", **more: object) -> Report:
    order = run.Order(path=path, what=what, subdistrict_id=CODE, **more)  # type: ignore[arg-type]
    return run.take(database, order, by=None, at=makers.NOON)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (batches, reading):
        monkeypatch.setattr(module, "BATCH", 100)


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg"])
def test_many_batches_by_two_writers_count_every_row_once(
    real: Database, tmp_path: Path, small_batches: None, suffix: str
) -> None:
    path = file_of(tmp_path / f"a{suffix}", 1050)
    told: list[int] = []
    order = run.Order(path=path, what="storefronts", subdistrict_id=CODE)
    report = run.take(real, order, by=None, at=makers.NOON, tell=told.append)
    assert (report.rows, report.added, report.refused) == (1050, 1050, 0)
    assert told[0] == 100
    assert told[-1] == 1050
    with real.transaction(CODE) as session:
        numbers = session.scalars(select(Storefront.human_number)).all()
        assert len(set(numbers)) == 1050
        assert "WF-LSL-0007-27" in numbers
        assert session.scalar(select(func.count()).where(Storefront.pieces != [])) == 1050
    again = take(real, path)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 1050)
    changed = take(real, file_of(tmp_path / f"a{suffix}", 1060, names="铺"))
    assert (changed.added, changed.changed, changed.unchanged) == (10, 1050, 0)
    with real.transaction(CODE) as session:
        assert set(session.scalars(select(Storefront.human_number))) >= set(numbers)


def test_an_interrupted_import_goes_on_where_it_stopped(
    real: Database, tmp_path: Path, small_batches: None
) -> None:
    path = file_of(tmp_path / "a.gpkg", 1000)

    def stop(done: int) -> None:
        if done >= 500:
            raise KeyboardInterrupt

    order = run.Order(path=path, what="storefronts", subdistrict_id=CODE)
    report = run.take(real, order, by=None, at=makers.NOON, tell=stop)
    assert report.interrupted
    with real.transaction(CODE) as session:
        there = session.scalar(select(func.count()).select_from(Storefront))
    assert 0 < report.added == there < 1000
    rest = take(real, path)
    assert (rest.added, rest.unchanged) == (1000 - there, there)


def test_numbers_that_others_took_meanwhile_are_passed_over(
    real: Database, tmp_path: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path / "a.gpkg", 300)
    asked = stage.highest_numbers
    meanwhile = threading.Event()

    def highest(session: object) -> dict[str, int]:
        found = asked(session)  # type: ignore[arg-type]
        if not meanwhile.is_set():
            meanwhile.set()
            with real.transaction(CODE) as other:
                door = storefronts.Door(shapely.Point(121.5185, 31.229), "1号", "崂山路1号")
                storefronts.open_storefronts(
                    other, [door], storefronts.ground(other), by=None, at=makers.NOON
                )
        return found

    monkeypatch.setattr(stage, "highest_numbers", highest)
    report = take(real, path)
    assert report.added == 300
    with real.transaction(CODE) as session:
        numbers = session.scalars(select(Storefront.human_number)).all()
        assert len(set(numbers)) == 301


def together(*acts: Callable[[], object]) -> None:
    """All at once; the first fault is raised."""
    start, faults = threading.Barrier(len(acts)), []

    def run_one(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except Exception as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run_one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def human_numbers_of(database: Database) -> list[str | None]:
    with database.transaction(CODE) as session:
        return list(session.scalars(select(Storefront.human_number)))


def test_an_import_and_people_who_open_storefronts_at_once_share_the_numbers(
    real: Database, tmp_path: Path, small_batches: None
) -> None:
    path = file_of(tmp_path / "a.gpkg", 2000)

    def open_some() -> None:
        for _ in range(25):
            with real.transaction(CODE) as session:
                door = storefronts.Door(shapely.Point(121.5185, 31.229), "1号", "崂山路1号")
                storefronts.open_storefronts(
                    session, [door], storefronts.ground(session), by=None, at=makers.NOON
                )

    together(lambda: take(real, path), open_some, open_some)
    numbers = human_numbers_of(real)
    assert len(numbers) == len(set(numbers)) == 2050


def test_imports_of_several_sources_at_once_share_the_numbers(
    real: Database, tmp_path: Path, small_batches: None
) -> None:
    path = file_of(tmp_path / "a.gpkg", 1500)
    together(
        *(lambda source=source: take(real, path, source=source) for source in ("甲", "乙", "丙"))  # type: ignore[misc]
    )
    numbers = human_numbers_of(real)
    assert len(numbers) == len(set(numbers)) == 4500


def test_a_batch_that_met_another_in_a_deadlock_is_written_alone(
    real: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[bool] = []
    first = stage._take_turn

    def meet(session: Session, numbers: HumanNumbers, *, alone: bool) -> None:
        turns.append(alone)
        if not alone:
            raise OperationalError("INSERT", {}, DeadlockDetected())
        first(session, numbers, alone=alone)

    monkeypatch.setattr(stage, "_take_turn", meet)
    report = take(real, file_of(tmp_path / "a.gpkg", 40))
    assert (report.added, turns) == (40, [False, True])


def test_two_imports_of_one_source_at_once_lose_nothing(
    real: Database, tmp_path: Path, small_batches: None
) -> None:
    path = file_of(tmp_path / "a.gpkg", 400)
    start = threading.Barrier(2)
    ends: list[object] = []

    def go() -> None:
        start.wait()
        try:
            ends.append(take(real, path))
        except Refusal as refusal:
            ends.append(refusal)

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ends) == 2
    take(real, path)
    with real.transaction(CODE) as session:
        assert session.scalar(select(func.count()).select_from(Storefront)) == 400


def test_a_name_put_right_keeps_front_and_zone(real: Database, tmp_path: Path) -> None:
    take(real, file_of(tmp_path / "a.gpkg", 30))
    zoning.lay(real, CODE, Report("storefronts", "x"))
    with real.transaction(CODE) as session:
        before = dict(
            session.execute(select(Storefront.source_id, func.ST_AsText(text("duty_zone")))).all()
        )
    assert sum(zone is not None for zone in before.values()) > 5
    assert take(real, file_of(tmp_path / "a.gpkg", 30, names="新")).changed == 30
    with real.transaction(CODE) as session:
        after = dict(
            session.execute(select(Storefront.source_id, func.ST_AsText(text("duty_zone")))).all()
        )
    assert after == before


def shp(folder: Path, xy: list[tuple[float, float]]) -> Path:
    path = folder / "odd.shp"
    names = np.array([f"店{n}" for n in range(len(xy))], dtype=object)
    good = shapely.to_wkb(shapely.points([(121.5185, 31.229)] * len(xy)))
    pyogrio.raw.write(
        str(path), good, [names], ["店名"], geometry_type="Point", crs="EPSG:4326",
        driver="ESRI Shapefile", encoding="UTF-8",
    )  # fmt: skip
    data = bytearray(path.read_bytes())
    for at, (x, y) in enumerate(xy):  # header 100 bytes, then records of 8 + 20
        struct.pack_into("<dd", data, 100 + at * 28 + 12, x, y)
    path.write_bytes(bytes(data))
    return path


def gpkg(folder: Path, xy: list[tuple[float, float]]) -> Path:
    path = folder / "odd.gpkg"
    names = np.array([f"店{n}" for n in range(len(xy))], dtype=object)
    raw = [struct.pack("<BIdd", 1, 1, x, y) for x, y in xy]
    pyogrio.raw.write(
        str(path), np.array(raw, dtype=object), [names], ["店名"], geometry_type="Point",
        crs="EPSG:4326", driver="GPKG",
    )  # fmt: skip
    return path


def geojson(folder: Path, xy: list[tuple[float, float]]) -> Path:
    path = folder / "odd.geojson"
    rows = [
        {
            "type": "Feature",
            "properties": {"店名": f"店{n}"},
            "geometry": {"type": "Point", "coordinates": list(pair)},
        }
        for n, pair in enumerate(xy)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    return path


def csv(folder: Path, xy: list[tuple[float, float]]) -> Path:
    path = folder / "odd.csv"
    lines = [f"店{n},{x},{y}" for n, (x, y) in enumerate(xy)]
    path.write_text("\n".join(["店名,经度,纬度", *lines]), encoding="utf-8")
    return path


@pytest.mark.parametrize("dress", [shp, gpkg, geojson, csv])
def test_figures_that_are_none_are_named_and_the_rest_is_taken(
    real: Database, tmp_path: Path, dress: Callable[..., Path]
) -> None:
    nan, inf = float("nan"), float("inf")
    xy = [
        (121.5185, 31.229),
        (nan, nan),
        (121.5, nan),
        (inf, 31.2),
        (1e308, -1e308),
        (121.5186, 31.2291),
    ]
    try:
        report = take(real, dress(tmp_path, xy))
    except Refusal as refusal:  # some writers refuse, and JSON has no such figures
        assert dress is geojson
        assert len(refusal.say("zh")) > 10
        return
    assert report.rows == 6
    assert report.added == 2
    assert report.refused == 4
    assert set(report.reasons) <= {"empty", "not_finite", "out_of_range", "not_a_number"}


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg"])
def test_one_polygon_of_a_million_corners_is_named(
    real: Database, tmp_path: Path, suffix: str
) -> None:
    turn = np.linspace(0, 2 * np.pi, 1_000_000)
    far = 0.01 + 0.001 * np.sin(turn * 1000)
    ring = shapely.Polygon(
        np.column_stack([121.5185 + far * np.cos(turn), 31.229 + far * np.sin(turn)])
    )
    path = tmp_path / f"huge{suffix}"
    pyogrio.raw.write(
        str(path), np.array([shapely.to_wkb(ring)], dtype=object),
        [np.array(["大"], dtype=object)], ["name"], geometry_type="Polygon", crs="EPSG:4326",
        driver="GPKG" if suffix == ".gpkg" else "GeoJSON",
    )  # fmt: skip
    for what in ("storefronts", "boundaries"):
        report = take(real, path, what)
        assert dict(report.reasons) == {"too_many_vertices": 1}


def test_columns_beside_shapes_do_not_move_them(real: Database, tmp_path: Path) -> None:
    """A file with shapes may also have lon and lat, of whatever datum: its shapes count."""
    path = tmp_path / "both.geojson"
    facts = {"id": "1", "name": "甲", "lon": 110.0, "lat": 20.0}
    shape = {"type": "Point", "coordinates": [121.5185, 31.229]}
    row = {"type": "Feature", "properties": facts, "geometry": shape}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [row]}))
    assert take(real, path).added == 1


def test_pieces_in_bulk_are_those_of_one_by_one() -> None:
    names = ["桂香店", "", 'a"b\\c', "X", "𠮷野家 店", "银行", "Straße,{}", "İst"]
    streets = ["崂山路1号", "", "", "", "潍坊路 2号", "", "a,b", ""]
    literal = columns.pieces_literal([columns.of(names), columns.of(streets)])
    for found, name, street in zip(literal.to_pylist(), names, streets, strict=True):
        if name != "İst":
            inner = found[1:-1].replace('\\"', '"').replace("\\\\", "\\")
            assert all(piece in inner for piece in pieces(name, street)), (found, name)
    short = columns.initials_of(columns.of(names)).to_pylist()
    assert short == [initials(name) for name in names]


def test_cleaned_columns_of_every_kind() -> None:
    def clean(*cells: object, kind: pa.DataType | None = None) -> list[str]:
        return list(columns.cleaned(pa.array(cells, kind)).to_pylist())

    assert clean(" a", "Ａ\x00", None, "x\u200b  y") == ["a", "A", "", "x y"]
    assert clean(12.0, 13.0) == ["12", "13"]
    assert clean(1.5, None) == ["1.5", ""]
    assert clean(7, None) == ["7", ""]
    assert clean(True, None) == ["True", ""]
    assert clean(None, None) == ["", ""]
    broken = pa.array([b"\xff\xfe", b"ok"]).view(pa.binary()).cast(pa.binary())
    text_ = pa.StringArray.from_buffers(2, broken.buffers()[1], broken.buffers()[2])
    assert columns.cleaned(text_).to_pylist() == ["\ufffd\ufffd", "ok"]


def test_keys_remember_across_batches() -> None:
    keys = Keys()
    assert keys.fresh(np.array([3, 1, 3])).tolist() == [True, True, False]
    assert keys.fresh(np.array([5, 1])).tolist() == [True, False]
    known = Known([(1, 10), (2, None)])
    there, same = known.compare(np.array([1, 2, 9]), np.array([10, 20, 10]))
    assert there.tolist() == [True, True, False]
    assert same.tolist() == [True, False, False]


def test_human_numbers_count_on() -> None:
    numbers = HumanNumbers("WF", ["崂山路"])
    numbers.used({"WF-LSL-0501-": 4})
    stems = numbers.stems(np.array([0, 0, -1]), columns.of(["501号", "501号甲", ""]))
    assert numbers.give(stems).to_pylist() == ["WF-LSL-0501-5", "WF-LSL-0501-6", "WF-R-0000-1"]
    assert numbers.give(stems).to_pylist()[0] == "WF-LSL-0501-7"
