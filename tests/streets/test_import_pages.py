"""Import by the page: upload, columns, confirm, progress; and how long files stay."""

import csv
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
import shapely
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from roadchief import jobs
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.lib import clock
from roadchief.streets.importing import refused, uploads
from roadchief.streets.importing.models import ImportRun
from roadchief.streets.jobs import import_file
from roadchief.streets.models import Storefront, Subdistrict
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG

TABLE = "编号,店名,路名,门牌号,经度,纬度\nA1,桂香店,崂山路,501号,121.5181,31.2310\n"
STRANGE = "号,招牌,东,北\nA1,桂香店,121.5181,31.2310\n"


@pytest.fixture
def admin(app: Flask, cast: Cast, database: Database) -> FlaskClient:
    with database.transaction(WEIFANG) as session:
        makers.make_segment(session)
    client = app.test_client()
    assert sign_in(client, cast["admin"]).status_code == 302
    return client


@pytest.fixture
def at_work(database: Database, settings: Settings) -> Iterator[None]:
    jobs.provide(database, settings)
    yield
    jobs._surroundings.clear()


def upload(client: FlaskClient, text: str, what: str = "storefronts", **more: object) -> str:
    sent = {"what": what, "datum": "wgs84", "file": (BytesIO(text.encode()), "店铺.csv"), **more}
    answer = client.post("/admin/imports", data=sent, content_type="multipart/form-data")
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def id_in(address: str) -> uuid.UUID:
    return uuid.UUID(address.rsplit("/", 1)[1])


def test_from_upload_to_the_street(admin: FlaskClient, database: Database, at_work: None) -> None:
    address = upload(admin, TABLE)
    page = admin.get(address).text
    assert "待确认" in page
    assert "<label>门牌号<select" in page
    assert "source_id<" not in page
    assert admin.post(f"{address}/confirm").status_code == 302
    page = admin.get(address).text
    assert 'http-equiv="refresh"' in page
    assert "正在计算门面" not in page
    with database.transaction(WEIFANG) as session:
        session.get_one(ImportRun, (WEIFANG, id_in(address))).rows_done = 1
    assert "1 行都已写入，正在计算门面和责任区" in admin.get(address).text
    with database.transaction(WEIFANG) as session:
        row = session.get_one(ImportRun, (WEIFANG, id_in(address)))
        row.report = {**row.report, "zones": {"done": 20, "total": 50}}
    text = admin.get(address).text
    assert '<progress max="50" value="20"' in text
    assert "已计算 20 / 50 间铺位" in text
    assert "没有写入任何数据" not in page
    assert admin.post(f"{address}/confirm").status_code == 409
    import_file(subdistrict_id=WEIFANG, run_id=str(id_in(address)))
    assert "新增 1" in admin.get(address).text
    with database.transaction(WEIFANG) as session:
        assert session.get_one(ImportRun, (WEIFANG, id_in(address))).rows_done == 1
        assert session.scalars(select(Storefront.name)).all() == ["桂香店"]


def test_columns_that_are_not_recognised_are_asked_for(admin: FlaskClient) -> None:
    address = upload(admin, STRANGE)
    page = admin.get(address).text
    assert "有一列没有认出来" in page
    assert "确认写入" not in page
    chosen = {"datum": "wgs84", "encoding": "", "map-lon": "东", "map-lat": "北"}
    assert admin.post(f"{address}/settings", data=chosen).status_code == 302
    assert "新增 1" in admin.get(address).text
    wrong = chosen | {"map-lon": "不存在的列"}
    assert admin.post(f"{address}/settings", data=wrong).status_code == 302
    assert "有一列没有认出来" in admin.get(address).text


@pytest.mark.parametrize("encoding", ["xyz", "\x00", "utf-7" * 30, "hex"])
def test_an_odd_encoding_is_refused_and_no_crash(admin: FlaskClient, encoding: str) -> None:
    sent = {"what": "storefronts", "datum": "wgs84", "encoding": encoding}
    file = (BytesIO(TABLE.encode()), "a.csv")
    answer = admin.post("/admin/imports", data=sent | {"file": file})
    assert answer.status_code in (302, 400, 422)


def test_an_import_that_broke_off_may_go_on(
    admin: FlaskClient, database: Database, at_work: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = upload(admin, TABLE)
    admin.post(f"{address}/confirm")

    def fail(*_a: object, **_k: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr("roadchief.streets.jobs.run.take", fail)
        with pytest.raises(OSError, match="full"):
            import_file(subdistrict_id=WEIFANG, run_id=str(id_in(address)))
    page = admin.get(address).text
    assert "接着写入" in page
    assert "写到第 0 / 1 行时中断" in page
    assert "没有写入任何数据" not in page  # as the preview said, before it was confirmed
    assert admin.post(f"{address}/confirm").status_code == 302
    import_file(subdistrict_id=WEIFANG, run_id=str(id_in(address)))
    assert "新增 1" in admin.get(address).text


def test_old_uploads_are_swept_and_unfinished_ones_stay(
    admin: FlaskClient, database: Database, settings: Settings
) -> None:
    kept = replace(settings, upload_keep_days=10)
    places = {}
    for state in ("previewed", "waiting", "running", "done", "young"):
        address = upload(admin, TABLE)
        places[state] = (address, uploads.folder(settings, WEIFANG, id_in(address)))
        with database.transaction(WEIFANG) as session:
            row = session.get_one(ImportRun, (WEIFANG, id_in(address)))
            row.state = "done" if state == "young" else state
            if state != "young":
                row.started_at -= timedelta(days=11)
    orphan = settings.var_dir / "uploads" / str(WEIFANG) / str(uuid.uuid4())
    orphan.mkdir()
    other = settings.var_dir / "uploads" / str(WEIFANG) / "notes"
    other.mkdir(exist_ok=True)
    long_ago = (clock.now() - timedelta(days=11)).timestamp()
    for place in (*(folder for _, folder in places.values()), orphan, other):
        os.utime(place, (long_ago, long_ago))
    uploads.sweep(database, kept, at=clock.now())
    there = {state for state, (_, folder) in places.items() if folder.exists()}
    assert there == {"waiting", "running", "young"}
    assert not orphan.exists()
    assert other.exists()
    address = places["previewed"][0]
    assert "文件已清理" in admin.get(address).text
    assert admin.post(f"{address}/confirm").status_code == 409
    assert "完成" in admin.get(places["done"][0]).text
    assert admin.get(f"{address}/shapes.json").status_code == 404


def test_a_second_download_of_the_same_shops_may_join_their_source(
    admin: FlaskClient, database: Database, at_work: None
) -> None:
    """A browser calls it "店铺 (1).csv": under that name every shop would stand twice."""
    first = upload(admin, TABLE)
    admin.post(f"{first}/confirm")
    import_file(subdistrict_id=WEIFANG, run_id=str(id_in(first)))
    again = upload(admin, TABLE, file=(BytesIO(TABLE.encode()), "店铺 (1).csv"))
    page = admin.get(again).text
    assert "其中有些已在另一个来源里" in page
    assert '<option value="店铺">店铺</option>' in page
    admin.post(f"{again}/settings", data={"datum": "wgs84", "encoding": "", "source": "店铺"})
    page = admin.get(again).text
    assert "未变 1" in page
    assert "其中有些已在另一个来源里" not in page
    assert '<option value="店铺" selected>' in page


def test_the_page_shows_what_is_in_each_column(admin: FlaskClient) -> None:
    page = admin.get(upload(admin, TABLE)).text
    assert "店名 · 桂香店</option>" in page
    assert "门牌号 · 501号</option>" in page


def test_the_preview_tells_what_lies_outside_and_refused_rows_come_as_a_table(
    admin: FlaskClient, database: Database
) -> None:
    with database.transaction(WEIFANG) as session:
        area = shapely.MultiPolygon([shapely.box(121.51, 31.22, 121.53, 31.24)])
        session.get_one(Subdistrict, WEIFANG).area = area
    table = TABLE + "A2,=远方店,崂山路,9号,120.1,30.1\nA3,无号店,崂山路,11号,=1+1,31.2\n"
    address = upload(admin, table)
    drawn = admin.get(f"{address}/shapes.json").get_json()
    assert [one["properties"]["as"] for one in drawn["features"]] == ["outside", "taken"]
    assert drawn["border"]["type"] == "MultiPolygon"
    assert f"{address}/problems.csv" in admin.get(address).text
    answer = admin.get(f"{address}/problems.csv")
    rows = list(csv.reader(answer.text.removeprefix("\ufeff").splitlines()))
    assert rows[0] == ["行", "字段", "值", "原因"]
    assert rows[1] == ["4", "经度", "'=1+1", "经纬度不是数字"]
    assert rows[2][0] == "3"
    assert rows[2][3] == "不在本街镇范围内"


def test_every_refused_row_comes_as_a_table_while_the_file_is_kept(
    admin: FlaskClient, settings: Settings, at_work: None
) -> None:
    bad = "".join(f"B{n},店{n},崂山路,{n}号,x,y\n" for n in range(620))
    address = upload(admin, TABLE + bad)
    assert "下载全部 620 行" in admin.get(address).text

    def rows() -> list[str]:
        text: str = admin.get(f"{address}/problems.csv").text
        return text.removeprefix("\ufeff").splitlines()[1:]

    assert len(rows()) == 620
    admin.post(f"{address}/confirm")
    import_file(subdistrict_id=WEIFANG, run_id=str(id_in(address)))
    assert rows()[-1] == "622,经度,x,经纬度不是数字"
    (uploads.folder(settings, WEIFANG, id_in(address)) / refused.KEPT).unlink()
    page = admin.get(address).text
    assert "下载全部" not in page
    assert "表格里是前 500 行" in page
    assert len(rows()) == 500
