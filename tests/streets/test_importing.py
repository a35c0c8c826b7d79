"""Files in, with a clear report: what is good is taken, what is broken is named."""

import csv
import json
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from roadchief.db import Database
from roadchief.errors import Refusal
from roadchief.lib.coords import Datum, from_wgs84
from roadchief.streets import duty_zones, shifts
from roadchief.streets.importing import run, zoning
from roadchief.streets.importing.mapping import guess
from roadchief.streets.importing.report import Report
from roadchief.streets.models import Road, RoadSegment, Storefront, Subdistrict
from tests import makers

CODE = 310115004
SHOPS = [
    {
        "编号": f"S{n}",
        "店名": f"桂香{n}店",
        "路名": "崂山路",
        "门牌号": f"{501 + n}号",
        "经度": 121.5181 + n * 1e-5,
        "纬度": 31.2310 - n * 1e-5,
    }
    for n in range(20)
]


@pytest.fixture
def ground(database: Database) -> Database:
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE)
        makers.make_segment(session)
        wide = shapely.LineString([(121.506, 31.2290), (121.544, 31.2292)])
        makers.make_segment(session, makers.make_road(session, "潍坊路"), line=wide)
    return database


def take(database: Database, path: Path, what: str = "storefronts", **given: Any) -> Report:
    order = run.Order(path=path, what=what, subdistrict_id=CODE, **given)
    return run.take(database, order, by=None, at=makers.NOON)


def table(
    path: Path, rows: list[dict[str, Any]], *, encoding: str = "utf-8", separator: str = ","
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)
    return path


def geojson(path: Path, features: list[tuple[Any, dict[str, Any]]]) -> Path:
    found = [
        {"type": "Feature", "properties": facts, "geometry": shape} for shape, facts in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": found}), encoding="utf-8")
    return path


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Storefront)) or 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_in_any_usual_dress(
    ground: Database, tmp_path: Path, encoding: str, separator: str
) -> None:
    path = table(tmp_path / "店铺.csv", SHOPS, encoding=encoding, separator=separator)
    report = take(ground, path)
    assert (report.rows, report.added, report.refused) == (20, 20, 0)
    with ground.transaction(CODE) as session:
        shop = session.scalars(select(Storefront).where(Storefront.source_id == "S7")).one()
        assert (shop.name, shop.address) == ("桂香7店", "崂山路508号")
        assert shop.segment_id is not None
        assert shop.human_number == "WF-LSL-0508-1"


def test_the_same_file_again_changes_nothing_a_corrected_one_updates(
    ground: Database, tmp_path: Path
) -> None:
    path = table(tmp_path / "a.csv", SHOPS)
    take(ground, path)
    again = take(ground, path)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 20)
    corrected = [dict(row) for row in SHOPS]
    corrected[3]["店名"] = "新名字"
    table(path, corrected)
    report = take(ground, path)
    assert (report.added, report.changed, report.unchanged) == (0, 1, 19)
    with ground.transaction(CODE) as session:
        shop = session.scalars(select(Storefront).where(Storefront.source_id == "S3")).one()
        assert shop.name == "新名字"
        assert shop.human_number == "WF-LSL-0504-1"
        assert count(session) == 20


def test_a_broken_row_is_named_and_spoils_nothing(ground: Database, tmp_path: Path) -> None:
    rows = [dict(row) for row in SHOPS]
    rows[2]["经度"] = "不知道"
    rows[4]["纬度"] = ""
    rows[6]["店名"] = "长" * 300
    rows[8]["编号"] = "S7"
    rows[9]["经度"] = 120.0
    report = take(ground, table(tmp_path / "a.csv", rows))
    assert (report.rows, report.added, report.refused) == (20, 15, 5)
    told = {(problem.line, problem.field, problem.reason) for problem in report.problems}
    assert told == {
        (4, "经度", "not_a_number"),
        (6, "纬度", "empty"),
        (8, "店名", "too_long"),
        (10, "id", "duplicate_id"),
        (11, "geometry", "outside"),
    }
    assert any("第 4 行 经度“不知道”" in problem.say("zh") for problem in report.problems)


def test_a_dry_run_reports_and_writes_nothing(ground: Database, tmp_path: Path) -> None:
    report = take(ground, table(tmp_path / "a.csv", SHOPS), dry_run=True)
    assert report.added == 20
    with ground.transaction(CODE) as session:
        assert count(session) == 0


@pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
def test_a_datum_is_converted_once_and_a_wrong_one_is_proved(
    ground: Database, tmp_path: Path, datum: Datum
) -> None:
    line = shapely.LineString([(121.51, 31.22903), (121.54, 31.22919)])
    features = []
    for n, at in enumerate(shapely.line_interpolate_point(line, [i / 60 for i in range(60)], True)):
        lon, lat = from_wgs84(at.x, at.y + 1e-4, datum)
        point = {"type": "Point", "coordinates": [float(lon), float(lat)]}
        features.append((point, {"id": n, "name": f"店{n}"}))
    path = geojson(tmp_path / "a.geojson", features)
    wrong = take(ground, path, dry_run=True)
    assert wrong.doubtful_datum
    assert f"更像 {shifts.NAMES[datum.value]}" in wrong.datum["zh"]
    right = take(ground, path, datum=datum)
    assert not right.doubtful_datum
    assert right.added == 60
    with ground.transaction(CODE) as session:
        shop = session.scalars(select(Storefront).where(Storefront.source_id == "0")).one()
        assert shop.door.x == pytest.approx(121.51, abs=1e-6)
        assert shop.source_datum == datum.value


def test_shapes_of_every_kind_are_taken_mended_or_named(ground: Database, tmp_path: Path) -> None:
    west, south = 121.519, 31.228

    def ring(*pairs: tuple[float, float]) -> dict[str, Any]:
        xy = [[west + x * 1e-4, south + y * 1e-4] for x, y in pairs]
        return {"type": "Polygon", "coordinates": [[*xy, xy[0]]]}

    def point(*xyz: float) -> dict[str, Any]:
        return {"type": "Point", "coordinates": list(xyz)}

    path = geojson(
        tmp_path / "mixed.geojson",
        [
            (point(west, south), {"id": "plain", "name": "甲"}),
            (point(west, south, 12.5), {"id": "high", "name": "乙"}),
            (ring((0, 0), (3, 0), (3, 3), (0, 3)), {"id": "house", "name": "丙"}),
            (ring((0, 0), (3, 3), (3, 0), (0, 3)), {"id": "bow", "name": "丁"}),
            (None, {"id": "none", "name": "戊"}),
            (
                {"type": "LineString", "coordinates": [[west, south], [west, south + 1e-4]]},
                {"id": "line"},
            ),
            (
                {"type": "MultiPoint", "coordinates": [[west, south]]},
                {"id": "multi", "name": "䶮和堂"},
            ),
        ],
    )
    report = take(ground, path)
    assert report.added == 5
    assert {problem.reason for problem in report.problems} == {"empty", "wrong_shape"}
    assert report.notes["height_dropped"] == 1
    assert report.notes["self_crossing_mended"] == 1
    assert report.notes["from_outline"] == 2


def test_swapped_axes_are_turned_back(ground: Database, tmp_path: Path) -> None:
    swapped = [row | {"经度": row["纬度"], "纬度": row["经度"]} for row in SHOPS]
    report = take(ground, table(tmp_path / "a.csv", swapped))
    assert report.added == 20
    assert report.notes["axes_swapped"] == 20


def test_a_formula_in_a_cell_stays_text(ground: Database, tmp_path: Path) -> None:
    rows = [SHOPS[0] | {"店名": "=cmd|' /C calc'!A0"}]
    take(ground, table(tmp_path / "a.csv", rows))
    with ground.transaction(CODE) as session:
        assert session.scalars(select(Storefront.name)).one() == "=cmd|' /C calc'!A0"


def bad_files(folder: Path) -> dict[str, Path]:
    """One of each kind of trouble."""
    good = geojson(
        folder / "good.geojson", [({"type": "Point", "coordinates": [121.519, 31.228]}, {"id": 1})]
    )
    text = good.read_bytes()
    made = {
        "absent": folder / "absent.csv",
        "empty": folder / "empty.geojson",
        "cut": folder / "cut.geojson",
        "not_json": folder / "not.geojson",
        "wrong_extension": folder / "shop.gpkg",
        "unknown": folder / "shop.docx",
        "no_header": folder / "header.csv",
        "no_place": folder / "place.csv",
        "binary": folder / "binary.csv",
        "bad_zip": folder / "bad.zip",
        "odd_zip": folder / "odd.zip",
        "cut_zip": folder / "cut.zip",
        "changed_zip": folder / "changed.zip",
        "cut_pbf": folder / "cut.osm.pbf",
    }
    made["empty"].write_bytes(b"")
    made["cut"].write_bytes(text[: len(text) // 2])
    made["not_json"].write_bytes(b"hello")
    made["wrong_extension"].write_bytes(text)
    made["unknown"].write_bytes(b"PK\x03\x04")
    made["no_header"].write_text("just one line\n")
    made["no_place"].write_text("店名,电话\n甲,1\n", encoding="utf-8")
    made["binary"].write_bytes(b"a,b\n" + struct.pack("<200I", *range(200)))
    made["bad_zip"].write_bytes(b"PK\x03\x04 and then nothing")
    with zipfile.ZipFile(made["odd_zip"], "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("s.shp", b"\x00\x00\x27\x0a" + b"\x00" * 200)
    whole = made["odd_zip"].read_bytes()
    made["cut_zip"].write_bytes(whole[:20] + whole[30:])  # its list of files is there
    made["changed_zip"].write_bytes(whole[:36] + b"\xff" * 8 + whole[44:])
    listed = whole.index(b"PK\x01\x02") + 10  # how it was packed: in a way that we do not know
    made["odd_zip"].write_bytes(
        whole[:8] + b"\x63" + whole[9:listed] + b"\x63" + whole[listed + 1 :]
    )
    made["cut_pbf"].write_bytes(b"\x00\x00\x00\x0d\x0a\x09OSMHeader")
    return made


@pytest.mark.parametrize(
    "kind",
    [
        "absent",
        "empty",
        "cut",
        "not_json",
        "wrong_extension",
        "unknown",
        "no_header",
        "no_place",
        "binary",
        "bad_zip",
        "odd_zip",
        "cut_zip",
        "changed_zip",
        "cut_pbf",
    ],
)
def test_a_bad_file_is_refused_with_one_clear_line(
    ground: Database, tmp_path: Path, kind: str
) -> None:
    with pytest.raises(Refusal) as caught:
        take(ground, bad_files(tmp_path)[kind])
    for language in ("zh", "en"):
        assert "\n" not in caught.value.say(language)
        assert 10 < len(caught.value.say(language)) < 500


@pytest.mark.parametrize("ending", [".geojson", ".json", ".gpkg", ".shp", ".zip"])
@pytest.mark.parametrize(
    "content",
    [
        '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>{other}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>",
        '{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read {other}"}}',
    ],
)
def test_a_file_that_points_to_another_file_is_never_followed(
    ground: Database, tmp_path: Path, content: str, ending: str
) -> None:
    point = {"type": "Point", "coordinates": [121.519, 31.228]}
    other = geojson(tmp_path / "other.geojson", [(point, {"id": 1, "name": "秘密"})])
    path = tmp_path / f"hostile{ending}"
    text = content.format(other=other)
    for part in (".shx", ".dbf"):
        path.with_suffix(part).write_text("x")
    if ending == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for part in (".shp", ".shx", ".dbf"):
                archive.writestr(f"hostile{part}", text)
    else:
        path.write_text(text)
    with pytest.raises(Refusal) as caught:
        take(ground, path)
    assert "other" not in caught.value.say("en")


def shapefile(folder: Path, encoding: str = "UTF-8") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "shops.shp"
    points = shapely.to_wkb(shapely.points([[121.519, 31.228], [121.5191, 31.228]]))
    fields = [__import__("numpy").array(["桂香早点铺", "知味面馆"], dtype=object)]
    pyogrio.raw.write(
        str(path),
        points,
        fields,
        ["店名"],
        geometry_type="Point",
        crs="EPSG:4326",
        driver="ESRI Shapefile",
        encoding=encoding,
    )
    return path


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
@pytest.mark.parametrize("with_cpg", [True, False])
def test_a_shapefile_with_and_without_its_encoding_file(
    ground: Database, tmp_path: Path, encoding: str, with_cpg: bool
) -> None:
    path = shapefile(tmp_path / "s", encoding)
    if not with_cpg:
        path.with_suffix(".cpg").unlink(missing_ok=True)
    assert take(ground, path).added == 2
    with ground.transaction(CODE) as session:
        assert set(session.scalars(select(Storefront.name))) == {"桂香早点铺", "知味面馆"}


@pytest.mark.parametrize("part", [".shx", ".dbf"])
def test_a_missing_part_of_a_shapefile_is_named(
    ground: Database, tmp_path: Path, part: str
) -> None:
    path = shapefile(tmp_path / "s")
    path.with_suffix(part).unlink()
    with pytest.raises(Refusal) as caught:
        take(ground, path)
    assert part in caught.value.say("zh")


def test_a_zip_of_a_shapefile_and_one_with_a_password(ground: Database, tmp_path: Path) -> None:
    path = shapefile(tmp_path / "s")
    whole = tmp_path / "s.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for one in path.parent.iterdir():
            archive.write(one, one.name)
    assert take(ground, whole).added == 2
    data = bytearray(whole.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag of encryption
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    locked = tmp_path / "locked.zip"
    locked.write_bytes(bytes(data))
    with pytest.raises(Refusal) as caught:
        take(ground, locked)
    assert "密码" in caught.value.say("zh")


def test_a_zip_made_on_a_mac_has_shadows_of_its_files(ground: Database, tmp_path: Path) -> None:
    path = shapefile(tmp_path / "s")
    whole = tmp_path / "mac.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for one in path.parent.iterdir():
            archive.write(one, f"店铺/{one.name}")
            archive.writestr(f"__MACOSX/店铺/._{one.name}", b"\x00\x05\x16\x07" + bytes(60))
    assert take(ground, whole).added == 2


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "title", ["街道商铺台账{0}{0}{0}\n", "街道商铺台账\n\n", "", "{0}{0}{0}\n"]
)
def test_a_title_above_the_headings_is_passed_over(
    ground: Database, tmp_path: Path, separator: str, title: str
) -> None:
    rows = ["编号,店名,经度,纬度", "1,甲店,121.5181,31.2310", "2,乙店,东,31.2311"]
    text = title.format(separator) + "\n".join(rows).replace(",", separator)
    path = tmp_path / "台账.csv"
    path.write_text(text, encoding="gb18030")
    report = take(ground, path)
    assert (report.added, report.refused) == (1, 1)
    assert report.problems[0].line == 3 + title.count("\n")
    assert ("标题行已跳过" in "".join(report.lines("zh"))) is bool(title)


@pytest.mark.parametrize("suffix", [".xls", ".xlsb", ".et", ".ods", ".XLS"])
def test_other_spreadsheets_are_told_how_to_come(
    ground: Database, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"台账{suffix}"
    path.write_bytes(b"PK\x03\x04" + bytes(200))
    with pytest.raises(Refusal) as caught:
        take(ground, path)
    assert "“另存为” .xlsx 或 CSV" in caught.value.say("zh")
    assert "as .xlsx or CSV" in caught.value.say("en")


def test_roads_are_cut_at_the_border_and_at_junctions(database: Database, tmp_path: Path) -> None:
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE)

    def way(*pairs: tuple[float, float]) -> dict[str, Any]:
        return {"type": "LineString", "coordinates": [list(pair) for pair in pairs]}

    path = geojson(
        tmp_path / "roads.geojson",
        [
            (
                way((121.5160, 31.2400), (121.5180, 31.2300), (121.5200, 31.2200)),
                {"name": "崂山路"},
            ),
            (way((121.5100, 31.2250), (121.5300, 31.2252)), {"name": "潍坊路"}),
            (way((121.5100, 31.2350), (121.5101, 31.2352)), {"name": None}),
        ],
    )
    report = take(database, path, "roads")
    assert report.added == 2
    assert report.notes["unnamed"] == 1
    with database.transaction(CODE) as session:
        road = session.scalars(select(Road).where(Road.name == "崂山路")).one()
        pieces = session.scalars(
            select(RoadSegment).where(RoadSegment.road_id == road.id).order_by(RoadSegment.seq)
        ).all()
        assert pieces[0].to_name == "潍坊路"
        assert len(pieces) == 2
        area = session.get_one(Subdistrict, CODE).area
        assert all(area.buffer(1e-6).contains(piece.line) for piece in pieces)
    assert take(database, path, "roads").unchanged == 2


def test_a_border_is_found_by_name(database: Database, tmp_path: Path) -> None:
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE)
    box = shapely.geometry.mapping(shapely.box(121.50, 31.20, 121.55, 31.24))
    path = geojson(
        tmp_path / "b.geojson", [(box, {"name": "潍坊新村"}), (box, {"name": "洋泾街道"})]
    )
    report = take(database, path, "boundaries")
    assert (report.changed, report.refused) == (1, 1)
    assert take(database, path, "boundaries").unchanged == 1


def test_columns_are_guessed_by_their_usual_names() -> None:
    found = guess(["编号", "店名", "类别", "路名", "门牌号", "经度", "纬度"], "storefronts")
    assert found["name"] == "店名"
    assert found["business_type"] == "类别"
    assert guess(["lng", "lat", "shop_name"], "storefronts") == {
        "name": "shop_name",
        "lon": "lng",
        "lat": "lat",
    }


def test_columns_of_an_office_s_ledger_are_guessed() -> None:
    ledger = [
        "序号",
        "商铺名称 *",
        "行业类别",
        "所在道路",
        "门牌号码",
        "经度（WGS84）",
        "纬度(WGS84)",
    ]
    assert guess(ledger, "storefronts") == {
        "source_id": "序号",
        "name": "商铺名称 *",
        "business_type": "行业类别",
        "road": "所在道路",
        "house_number": "门牌号码",
        "lon": "经度（WGS84）",
        "lat": "纬度(WGS84)",
    }


def test_the_same_shops_under_another_name_of_source_are_told(
    ground: Database, tmp_path: Path
) -> None:
    features = [
        (
            {"type": "Point", "coordinates": [121.5181 + n * 1e-4, 31.231]},
            {"id": n, "name": f"店{n}"},
        )
        for n in range(5)
    ]
    first = take(ground, geojson(tmp_path / "店铺.geojson", features))
    assert (first.added, dict(first.twins)) == (5, {})
    again = take(ground, geojson(tmp_path / "店铺 (1).geojson", features[:3]), dry_run=True)
    assert dict(again.twins) == {"店铺": 3}
    assert "来源“店铺”里已有至少 3 条同名同位置的铺位" in "".join(again.lines("zh"))
    assert 'the source "店铺"' in "".join(again.lines("en"))
    named = take(ground, tmp_path / "店铺 (1).geojson", source="店铺", dry_run=True)
    assert (named.unchanged, dict(named.twins)) == (3, {})


def test_roads_under_another_name_of_source_are_told_and_refused_ones_have_a_line(
    ground: Database, tmp_path: Path
) -> None:
    here = {"type": "LineString", "coordinates": [[121.515, 31.23], [121.525, 31.23]]}
    far = {"type": "LineString", "coordinates": [[120.0, 30.0], [120.01, 30.0]]}
    with ground.transaction(CODE) as session:
        area = shapely.MultiPolygon([shapely.box(121.5, 31.2, 121.55, 31.25)])
        session.get_one(Subdistrict, CODE).area = area
    ways = [(here, {"name": "甲路"}), (far, {"name": "远路"}), (far, {"name": "远路"})]
    first = take(ground, geojson(tmp_path / "a.geojson", ways), "roads")
    assert (first.added, first.refused) == (1, 1)
    assert [(one.line, one.value) for one in first.problems] == [(2, "远路")]
    assert "按路名合并" in first.lines("zh")[0]
    again = take(ground, geojson(tmp_path / "b.geojson", ways), "roads", dry_run=True)
    assert dict(again.twins) == {"a": 1}


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("A_osm/lujiazui_roads.geojson", 57),
        ("A_osm/lujiazui_roads.gpkg", 57),
        ("A_osm/shp_gbk/道路_陆家嘴_gbk.shp", 57),
        ("A_osm/lujiazui_roads.osm.pbf", 57),
    ],
)
def test_real_roads_have_their_57_names(
    database: Database, strangers: Callable[[str], Path], name: str, added: int
) -> None:
    path = strangers(name)
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE, area=None)
    report = take(database, path, "roads")
    assert (report.rows, report.added) == (572, added)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("A_osm/lujiazui_shops_2018_bom.csv", 38),
        ("A_osm/lujiazui_shops_2018.geojson", 38),
        ("A_osm/lujiazui_buildings_gb18030.csv", 52),
        ("A_osm/lujiazui_tiles/pois.geojson", 126),
        ("A_osm/lujiazui_tiles/buildings.geojson", 365),
    ],
)
def test_real_shops_and_buildings_are_taken(
    database: Database, strangers: Callable[[str], Path], name: str, rows: int
) -> None:
    path = strangers(name)
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE, area=None)
        makers.make_segment(session)
    report = take(database, path)
    assert (report.rows, report.added, report.refused) == (rows, rows, 0)


def test_files_of_strangers_never_crash(
    database: Database, strangers: Callable[[str], Path]
) -> None:
    with database.transaction(CODE) as session:
        makers.make_subdistrict(session, CODE, area=None)
    seen = 0
    for path in sorted(strangers("G_gis").rglob("*")):
        if path.suffix in {".geojson", ".json", ".csv", ".gpkg", ".shp", ".pbf"}:
            for what in ("storefronts", "roads", "boundaries"):
                seen += 1
                try:
                    take(database, path, what, dry_run=True)
                except Refusal as refusal:
                    assert refusal.say("zh")
    assert seen > 100


def test_the_command_refuses_with_one_line_and_exit_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            ".venv/bin/roadchief",
            "streets",
            "import",
            "roads",
            str(tmp_path / "x.geojson"),
            "--subdistrict",
            "12",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def lay_zones(ground: Database, stop_after: int | None = None) -> Report:
    """Lays what is missing; broken off by Ctrl-C once so many doors are told."""
    report = Report("storefronts", "a.csv")

    def tell(done: int, _total: int) -> None:
        if stop_after is not None and done >= stop_after and not report.interrupted:
            raise KeyboardInterrupt

    zoning.lay(ground, CODE, report, tell=tell)
    return report


def zones_of(session: Session) -> dict[str, Any]:
    rows = session.execute(select(Storefront.source_id, Storefront.frontage, Storefront.duty_zone))
    return {key: (front.wkb, zone.wkb if zone else None) for key, front, zone in rows}


def test_imported_doors_get_fronts_and_duty_zones(ground: Database, tmp_path: Path) -> None:
    take(ground, table(tmp_path / "a.csv", SHOPS))
    assert lay_zones(ground).notes["zones_laid"] == 20
    assert lay_zones(ground).notes["zones_laid"] == 0
    with ground.transaction(CODE) as session:
        laid = zones_of(session)
        for segment in session.scalars(select(RoadSegment)):
            duty_zones.lay_all(session, segment)
        session.flush()
        session.expire_all()
        assert laid == zones_of(session)


def test_laying_zones_may_be_broken_off_and_neighbours_give_way(
    ground: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In portions, twice, interrupted: the same zones as all at once."""
    monkeypatch.setattr(zoning, "PORTION", 4)
    take(ground, table(tmp_path / "a.csv", SHOPS[::2]))
    first = lay_zones(ground, stop_after=4)
    assert first.interrupted
    assert first.notes["zones_laid"] == 4
    assert lay_zones(ground).notes["zones_laid"] == 6
    take(ground, table(tmp_path / "a.csv", SHOPS))
    assert not lay_zones(ground).interrupted
    with ground.transaction(CODE) as session:
        laid = zones_of(session)
        for segment in session.scalars(select(RoadSegment)):
            duty_zones.lay_all(session, segment)
        session.flush()
        session.expire_all()
        assert len(laid) == 20
        assert laid == zones_of(session)
