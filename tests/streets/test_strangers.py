"""Every file that strangers wrote, and one of each trouble, by the command and by the page.

Either it is taken and the counts are those of another reader, or it is refused with one clear
line and nothing has changed.
"""

import csv
import json
import struct
import warnings
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pyogrio
import pytest
import shapely
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import text

from roadchief import cli
from roadchief.db import Database
from roadchief.lib.coords import Datum, from_wgs84
from roadchief.streets import cli as streets_cli
from roadchief.streets import shifts
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import STRANGERS, WEIFANG

FOLDERS = ("A_osm", "B_boundaries", "G_gis")
KINDS = ("storefronts", "roads", "boundaries")
FILES = sorted(
    str(path.relative_to(STRANGERS))
    for folder in FOLDERS
    for path in (STRANGERS / folder).rglob("*")
    if path.is_file()
)
# 374 roads in 4,084 segments take 15 s to be written: this one is tried without writing.
LONG = "A_osm/shanghai_elevated_roads_2026.geojson"
# What a person who opens these in QGIS counts: named roads, shops, buildings.
ADDED = {
    ("A_osm/lujiazui_roads.geojson", "roads"): 57,
    ("A_osm/lujiazui_roads.gpkg", "roads"): 57,
    ("A_osm/lujiazui_roads.osm.pbf", "roads"): 57,
    ("A_osm/shp_gbk/道路_陆家嘴_gbk.shp", "roads"): 57,
    (LONG, "roads"): 374,  # 383 lines, nine of them shorter than 20 m
    ("A_osm/lujiazui_shops_2018.geojson", "storefronts"): 38,
    ("A_osm/lujiazui_shops_2018_bom.csv", "storefronts"): 38,
    ("A_osm/lujiazui_buildings_gb18030.csv", "storefronts"): 52,
    ("A_osm/lujiazui_tiles/pois.geojson", "storefronts"): 126,
    ("A_osm/lujiazui_tiles/buildings.geojson", "storefronts"): 365,
    ("A_osm/lujiazui_tiles/address_points.geojson", "storefronts"): 66,  # two are lines
    ("A_osm/awesome_cn_cafe_shanghai_a.geojson", "storefronts"): 37,
    ("A_osm/helsinki_small_full_tags.osm.pbf", "storefronts"): 3,
}
HERE = ["--subdistrict", str(WEIFANG)]
Act = Callable[..., Result]


@pytest.fixture
def ground(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session, WEIFANG, area=None)
        makers.make_segment(session)
    monkeypatch.setattr(streets_cli, "_database", lambda: database)
    return database


@pytest.fixture
def act(ground: Database, tmp_path: Path) -> Act:
    """`roadchief streets import …` as it is typed, in this process."""

    def call(what: str, path: Path, *more: str) -> Result:
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        arguments = ["streets", "import", what, str(path), *HERE, "--report", str(report), *more]
        return CliRunner().invoke(cli.main, arguments)

    return call


def reported(tmp_path: Path) -> dict[str, Any]:
    (one,) = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    return dict(one)


def state(database: Database) -> tuple[Any, ...]:
    """All that an import may change."""
    tables = ("road", "road_segment", "storefront", "merchant", "event", "segment_succession")
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    with database.transaction(WEIFANG) as session:
        rows = session.execute(
            text(
                f"SELECT {counts}, (SELECT ST_AsText(area) FROM subdistrict WHERE id = :here), "
                "(SELECT md5(string_agg(f::text, ',' ORDER BY id)) FROM storefront f)"
            ),
            {"here": WEIFANG},
        )
        return tuple(rows.one())


def refused_clearly(done: Result) -> None:
    """One line for people, exit 2, nothing of the machinery."""
    assert done.exit_code == 2, (done.output, done.exception)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.output
    assert 20 < len(lines[0]) < 700
    assert " / " in lines[0]  # Chinese and English


def rows_by_another_reader(path: Path, what: str) -> int | None:
    """How many rows a file has, counted without our importer; None where it has none to count."""
    if path.suffix == ".pbf":
        return osm_rows(path, what)
    if path.suffix == ".csv":
        codec = {b"\xff\xfe": "utf-16", b"\xef\xbb": "utf-8-sig"}.get(path.read_bytes()[:2])
        with path.open(encoding=codec or "gb18030", newline="") as file:
            return sum(1 for row in csv.reader(file) if any(row)) - 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return int(pyogrio.read_info(path, force_feature_count=True)["features"])


def osm_rows(path: Path, what: str) -> int | None:
    if what != "roads":
        return None
    ways = osmium.FileProcessor(str(path), osmium.osm.WAY | osmium.osm.NODE).with_locations()
    return sum(
        1
        for way in ways
        if isinstance(way, osmium.osm.Way)
        and "highway" in way.tags
        and sum(node.location.valid() for node in way.nodes) >= 2
    )


@pytest.mark.parametrize("name", FILES or [None])
def test_a_file_of_strangers_is_taken_or_refused_clearly(
    ground: Database, act: Act, tmp_path: Path, name: str | None
) -> None:
    if name is None:
        pytest.skip(f"{STRANGERS} is absent: this test needs real files written by strangers")
    path = STRANGERS / name
    for what in KINDS:
        before = state(ground)
        dry = ("--dry-run",) if name == LONG else ()
        done = act(what, path, *dry)
        if done.exit_code:
            refused_clearly(done)
            assert state(ground) == before
            continue
        assert done.exception is None
        report = reported(tmp_path)
        counted = rows_by_another_reader(path, what)
        if counted is not None:
            assert report["rows"] == counted, what
        if (name, what) in ADDED:
            assert report["added"] == ADDED[name, what]
        if what == "storefronts":
            taken = report["added"] + report["changed"] + report["unchanged"]
            assert taken + report["refused"] == report["rows"]
        if what == "boundaries":
            assert report["added"] == 0  # none of them is the border of 潍坊新村
        assert sum(report["reasons"].values()) == report["refused"]
        after = state(ground)
        if dry:
            assert after == before
            continue
        assert (after != before) == bool(report["added"] or report["changed"]), what
        assert act(what, path).exit_code == 0
        again = reported(tmp_path)
        assert (again["added"], again["changed"]) == (0, 0), what
        assert again["unchanged"] == report["added"] + report["unchanged"]
        assert state(ground) == after


@pytest.fixture
def admin(app: Flask, cast: Cast, ground: Database) -> FlaskClient:
    client = app.test_client()
    assert sign_in(client, cast["admin"]).status_code == 302
    return client


def previewed(client: FlaskClient, path: Path, what: str) -> str:
    """What the page says of an upload; with a Shapefile go its parts."""
    beside = [one for one in path.parent.glob(f"{path.stem}.*") if one != path]
    parts = [path, *beside] if path.suffix.lower() == ".shp" else [path]
    files = [(BytesIO(one.read_bytes()), one.name) for one in parts]
    sent = {"what": what, "datum": "wgs84", "file": files}
    answer = client.post("/admin/imports", data=sent, content_type="multipart/form-data")
    if answer.status_code == 302:
        address = answer.headers["Location"]
        answer = client.get(address)
        shapes = client.get(f"{address}/shapes.json")
        assert shapes.status_code in {200, 400, 422}, (path, what, shapes.status_code)
        assert answer.status_code == 200, (path, what)
        return str(answer.text)
    assert answer.status_code in {400, 422}, (path, what, answer.status_code)
    assert "<html" in answer.text
    return str(answer.text)


def test_the_page_shows_or_refuses_every_file_of_strangers(
    admin: FlaskClient, ground: Database
) -> None:
    if not FILES:
        pytest.skip(f"{STRANGERS} is absent: this test needs real files written by strangers")
    before = state(ground)
    for name in FILES:
        path = STRANGERS / name
        roads = name != LONG and ("road" in name or "道路" in name)
        what = "roads" if roads else "storefronts"
        assert previewed(admin, path, what), name
    assert state(ground) == before


# What follows needs no folder: one file of each trouble, made here.
DOOR = (121.5185, 31.2291)


def geojson(path: Path, shapes: list[Any], **facts: list[Any]) -> Path:
    features = [
        {
            "type": "Feature",
            "properties": {name: values[at] for name, values in facts.items()},
            "geometry": shape,
        }
        for at, shape in enumerate(shapes)
    ]
    found = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    return path


def point(lon: float = DOOR[0], lat: float = DOOR[1], *height: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat, *height]}


def vector(path: Path, crs: str | None, xy: list[tuple[float, float]], names: list[str]) -> Path:
    driver = {".gpkg": "GPKG", ".shp": "ESRI Shapefile"}[path.suffix]
    more = {"encoding": "UTF-8"} if driver != "GPKG" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a file without a CRS
        pyogrio.raw.write(
            str(path), shapely.to_wkb(shapely.points(xy)), [np.array(names, dtype=object)],
            ["店名"], geometry_type="Point", crs=crs, driver=driver, **more,
        )  # fmt: skip
    return path


def cut(path: Path, part: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    return path


def many(path: Path) -> Path:
    xy = [(DOOR[0] + n * 1e-6, DOOR[1]) for n in range(3000)]
    return vector(path, "EPSG:4326", xy, [f"店{n}" for n in range(3000)])


def locked_zip(path: Path) -> Path:
    """As `zip -P` makes it: the flag of encryption on every member."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("shops.shp", b"\x00\x00\x27\x0a" + bytes(96))
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.find(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(data))
    return path


def bomb_zip(path: Path) -> Path:
    """Says of itself that it holds more than 2 GB."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("shops.shp", b"\x00\x00\x27\x0a" + bytes(96))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.find(b"PK\x01\x02") + 24, 2**32 - 2)
    path.write_bytes(bytes(data))
    return path


def small_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "x,y")
    return path


def workbook(path: Path) -> Path:
    book = Workbook()
    for row in (["店名", "电话"], *[["甲", n] for n in range(500)]):
        book.active.append(row)
    book.save(path)
    return path


CONTAINER = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(504)


def written(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


REFUSED: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "nothing at all": ("a.geojson", lambda p: written(p, b""), "0 字节"),
    "an empty table": ("a.csv", lambda p: written(p, b""), "0 字节"),
    "an empty extract": ("a.osm.pbf", lambda p: written(p, b""), "0 字节"),
    "blanks": ("a.csv", lambda p: written(p, " \n\n"), "表头"),
    "half a GeoJSON": ("a.geojson", lambda p: cut(geojson(p, [point()] * 50), 0.5), "不完整"),
    "half a GeoPackage": ("a.gpkg", lambda p: cut(many(p), 0.5), "不完整"),
    "the head of a GeoPackage": ("a.gpkg", lambda p: cut(many(p), 0.01), "不完整"),
    "a zip with a password": ("a.zip", locked_zip, "密码"),
    "a zip that swells": ("a.zip", bomb_zip, "2 GB"),
    "a zip as a table": ("a.csv", lambda p: written(p, b"PK\x03\x04" + b"x,y\n" * 9), "文本表格"),
    "a picture": ("a.png", lambda p: written(p, b"\x89PNG"), "不支持的格式"),
    "an old table in Excel": ("a.xls", lambda p: written(p, CONTAINER), "另存为"),
    "an old one with a new name": ("a.xlsx", lambda p: written(p, CONTAINER), "旧的 .xls"),
    "a workbook with a password": (
        "a.xlsx",
        lambda p: written(p, CONTAINER + "EncryptedPackage".encode("utf-16-le")),
        "有密码",
    ),
    "a workbook with macros": ("a.xlsm", lambda p: written(p, b"PK\x03\x04"), "宏"),
    "the head of a workbook": ("a.xlsx", lambda p: cut(workbook(p), 0.5), "不完整"),
    "a workbook that swells": ("a.xlsx", bomb_zip, "2 GB"),
    "a zip with the name of a workbook": ("a.xlsx", small_zip, "不是 .xlsx"),
    "a text with the name of a workbook": ("a.xlsx", lambda p: written(p, "a,b"), "不是 .xlsx"),
    "a workbook without a place": ("a.xlsx", lambda p: workbook(p), "经度"),
    "a part of a Shapefile": ("a.dbf", lambda p: written(p, b"\x03" * 40), "Shapefile"),
    "a GeoPackage called Shapefile": (
        "a.shp",
        lambda p: (
            [written(p.with_suffix(one), b"x") for one in (".shx", ".dbf")]
            and written(p, b"SQLite format 3\x00" + bytes(200))
        ),
        "扩展名",
    ),
    "no CRS and no degrees": ("a.gpkg", lambda p: vector(p, None, [(4e5, 3e6)], ["甲"]), "坐标系"),
    "a table without a place": ("a.csv", lambda p: written(p, "店名,电话\n甲,1\n"), "经度"),
}


@pytest.mark.parametrize("trouble", REFUSED)
def test_a_file_in_trouble_is_refused_and_nothing_changed(
    ground: Database, act: Act, admin: FlaskClient, tmp_path: Path, trouble: str
) -> None:
    name, make, told = REFUSED[trouble]
    path = make(tmp_path / name)
    before = state(ground)
    done = act("storefronts", path)
    refused_clearly(done)
    assert told in done.stderr
    assert told in previewed(admin, path, "storefronts")
    assert state(ground) == before


def test_half_a_shapefile_loses_what_is_cut_and_says_so(
    ground: Database, act: Act, tmp_path: Path
) -> None:
    done = act("storefronts", cut(many(tmp_path / "a.shp"), 0.5))
    if done.exit_code:
        refused_clearly(done)
        return
    report = reported(tmp_path)
    assert report["rows"] == 3000
    assert report["refused"] == 3000 - report["added"] > 1000


def test_shapes_of_every_oddity_are_taken_mended_or_named(act: Act, tmp_path: Path) -> None:
    lon, lat = DOOR
    bow = [[lon, lat], [lon + 1e-4, lat + 1e-4], [lon + 1e-4, lat], [lon, lat + 1e-4], [lon, lat]]
    shapes = {
        "flat": point(),
        "high": point(lon, lat, 12.5),
        "multi": {"type": "MultiPoint", "coordinates": [[lon, lat]]},
        "two": {"type": "MultiPoint", "coordinates": [[lon, lat], [lon + 1, lat]]},
        "bow": {"type": "Polygon", "coordinates": [bow]},
        "line": {"type": "LineString", "coordinates": [[lon, lat], [lon, lat + 1e-4]]},
        "none": None,
        "empty point": {"type": "Point", "coordinates": []},
        "empty outline": {"type": "Polygon", "coordinates": []},
        "collection": {"type": "GeometryCollection", "geometries": [point()]},
        "far": point(720.0, 31.2),
    }
    path = geojson(tmp_path / "a.geojson", list(shapes.values()), id=list(shapes))
    assert act("storefronts", path).exit_code == 0
    report = reported(tmp_path)
    assert report["rows"] == len(shapes)
    assert report["added"] == 4, report["problems"]  # flat, high, multi, bow
    assert report["reasons"] == {"wrong_shape": 3, "empty": 3, "out_of_range": 1}
    assert report["notes"]["height_dropped"] == 1
    assert report["notes"]["self_crossing_mended"] == 1
    lines = {problem["line"] for problem in report["problems"]}
    assert lines == {4, 6, 7, 8, 9, 10, 11}


@pytest.mark.parametrize("crs", ["EPSG:4549", "EPSG:3857", "EPSG:4490", "EPSG:32651"])
@pytest.mark.parametrize("suffix", [".gpkg", ".shp"])
def test_a_projected_file_lands_where_it_belongs(
    ground: Database, act: Act, tmp_path: Path, crs: str, suffix: str
) -> None:
    from pyproj import Transformer

    there = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(*DOOR)
    done = act("storefronts", vector(tmp_path / f"a{suffix}", crs, [there], ["甲"]))
    assert done.exit_code == 0, done.output
    with ground.transaction(WEIFANG) as session:
        door = session.execute(text("SELECT ST_X(door), ST_Y(door) FROM storefront")).one()
    assert door == pytest.approx(DOOR, abs=1e-7)


def test_a_wrong_crs_is_told_and_its_rows_are_outside(
    ground: Database, act: Act, tmp_path: Path
) -> None:
    """Degrees in a file that says metres: all of it lands off Africa."""
    path = vector(tmp_path / "a.gpkg", "EPSG:3857", [DOOR] * 3, ["甲", "乙", "丙"])
    done = act("storefronts", path, "--dry-run")
    assert "请核对坐标系" in done.output
    with ground.transaction(WEIFANG) as session:
        session.execute(
            text(
                "UPDATE subdistrict "
                "SET area = ST_Multi(ST_MakeEnvelope(121.5, 31.2, 121.6, 31.3, 4326))"
            )
        )
    before = state(ground)
    assert act("storefronts", path).exit_code == 0
    assert reported(tmp_path)["reasons"] == {"outside": 3}
    assert state(ground) == before
    refused_clearly(act("storefronts", path, "--strict"))


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_a_shifted_file_declared_as_wgs84_is_told(act: Act, tmp_path: Path, datum: str) -> None:
    along = shapely.line_interpolate_point(makers.LAOSHAN, np.linspace(0.05, 0.95, 40), True)
    shifted = [from_wgs84(at.x + 5e-5, at.y, Datum(datum)) for at in along]
    path = geojson(tmp_path / "a.geojson", [point(float(x), float(y)) for x, y in shifted])
    done = act("storefronts", path, "--dry-run")
    assert f"更像 {shifts.NAMES[datum]}" in done.output
    assert reported(tmp_path)["doubtful_datum"] is True
    done = act("storefronts", path, "--dry-run", "--datum", datum)
    assert "坐标系相符" in done.output


def test_flipped_axes_and_one_id_twice(ground: Database, act: Act, tmp_path: Path) -> None:
    flipped = [point(DOOR[1], DOOR[0] + n * 1e-5) for n in range(5)]
    path = geojson(tmp_path / "a.geojson", flipped, id=["1", "2", "2", "3", "1"])
    assert act("storefronts", path).exit_code == 0
    report = reported(tmp_path)
    assert (report["added"], report["reasons"]) == (3, {"duplicate_id": 2})
    assert {(one["line"], one["value"]) for one in report["problems"]} == {(3, "2"), (5, "1")}
    with ground.transaction(WEIFANG) as session:
        assert session.scalar(text("SELECT max(ST_Y(door)) FROM storefront")) < 32


NAMES = [
    "𠮷野家",
    "䶮和堂",
    "㐂多屋",
    "喆🍜面馆",
    "Ａ＿ＢＣ",
    "e\u0301lan",
    "甲\u200b乙\u202e",
    "=1+1",
    '+"x"',
    "@SUM(A1)",
    "-2",
    "'; DROP TABLE storefront; --",
    "{a,b}",
    "\\N",
    "\\",
    '"',
    "a\tb",
]


@pytest.mark.parametrize("dress", ["csv", "geojson", "gpkg"])
def test_rare_characters_and_formulas_stay_text(
    ground: Database, act: Act, tmp_path: Path, dress: str
) -> None:
    """In the table and in the search; a download makes a formula harmless, not the import."""
    from roadchief.lib.text import clean, pieces

    path = tmp_path / f"a.{dress}"
    if dress == "csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = [(str(n), name, DOOR[0], DOOR[1]) for n, name in enumerate(NAMES)]
            csv.writer(file).writerows([("编号", "店名", "经度", "纬度"), *rows])
    elif dress == "gpkg":
        vector(path, "EPSG:4326", [DOOR] * len(NAMES), NAMES)
    else:
        geojson(path, [point()] * len(NAMES), 店名=NAMES, 编号=[str(n) for n in range(len(NAMES))])
    done = act("storefronts", path)
    assert done.exit_code == 0, (done.output, done.exception)
    assert reported(tmp_path)["added"] == len(NAMES)
    with ground.transaction(WEIFANG) as session:
        found = dict(session.execute(text("SELECT name, pieces FROM storefront")).all())
    assert set(found) == {clean(name) for name in NAMES}
    for name, kept in found.items():
        assert set(pieces(name)) <= set(kept)


def test_several_layers_and_no_rows_are_told(act: Act, tmp_path: Path) -> None:
    path = vector(tmp_path / "a.gpkg", "EPSG:4326", [DOOR], ["甲"])
    pyogrio.raw.write(
        str(path), shapely.to_wkb(shapely.points([DOOR] * 4)), [], [], geometry_type="Point",
        crs="EPSG:4326", driver="GPKG", layer="second", append=False,
    )  # fmt: skip
    done = act("storefronts", path, "--dry-run")
    assert "多个图层" in done.output
    assert "共 1 行" in done.output
    empty = geojson(tmp_path / "b.geojson", [])
    assert "没有可取的行" in act("storefronts", empty).output


def test_the_command_writes_all_refused_rows_as_a_table(act: Act, tmp_path: Path) -> None:
    """All refused rows are counted; of very many the report lists the first ones."""
    path, sheet = tmp_path / "nowhere.csv", tmp_path / "refused.csv"
    lines = "".join(f"B{n},店{n},x,y\n" for n in range(620))
    path.write_text("编号,店名,经度,纬度\n" + lines, encoding="utf-8")
    assert "共 620 行，用 --refused" in act("storefronts", path).output
    said = act("storefronts", path, "--refused", str(sheet))
    assert f"共 620 行，全部在 {sheet}" in said.output
    told = sheet.read_text(encoding="utf-8-sig").splitlines()
    assert (len(told), told[0], told[-1]) == (621, "行,字段,值,原因", "621,经度,x,经纬度不是数字")
    assert len(reported(tmp_path)["problems"]) == 500


def test_a_strict_stop_writes_nothing_and_keeps_all_that_it_found(
    ground: Database, act: Act, tmp_path: Path
) -> None:
    """Who is stopped must see which rows: on the screen, in the report and in the table."""
    path, sheet = tmp_path / "one-bad.csv", tmp_path / "refused.csv"
    good = "".join(f"B{n},店{n},{DOOR[0]},{DOOR[1]}\n" for n in range(3))
    path.write_text("编号,店名,经度,纬度\n" + good + "B9,店9,x,y\n", encoding="utf-8")
    before = state(ground)
    done = act("storefronts", path, "--strict", "--refused", str(sheet))
    refused_clearly(done)
    assert "没有写入任何数据" in done.stderr
    assert "第 5 行 经度“x”：经纬度不是数字" in done.stdout
    assert sheet.read_text(encoding="utf-8-sig").splitlines()[1:] == ["5,经度,x,经纬度不是数字"]
    assert (reported(tmp_path)["refused"], reported(tmp_path)["dry_run"]) == (1, True)
    assert state(ground) == before
    path.write_text("编号,店名,经度,纬度\n" + good, encoding="utf-8")
    assert act("storefronts", path, "--strict").exit_code == 0
    assert reported(tmp_path)["added"] == 3
