"""Layers as files: what is read back is what was there."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from roadchief.db import Database
from roadchief.maps import exporting, features
from roadchief.maps.collections import COLLECTIONS
from tests.cast import Cast, sign_in
from tests.maps.test_ogc import street

OGR = {"gpkg": "", "geojson": "", "shp.zip": "/vsizip/"}


@pytest.mark.parametrize("form", sorted(OGR))
@pytest.mark.parametrize("name", ["storefronts", "segments", "duty_zones", "grids"])
def test_gdal_reads_what_we_wrote(
    database: Database, session: Session, tmp_path: Path, form: str, name: str
) -> None:
    street(database)
    out = tmp_path / f"layer.{form}"
    told: list[int] = []
    count = exporting.write(session, COLLECTIONS[name], out, form, tell=told.append)
    wanted = {"storefronts": 11, "segments": 1, "duty_zones": 11, "grids": 0}[name]
    assert count == told[-1] == wanted
    meta, _ids, shapes, columns = pyogrio.raw.read(OGR[form] + str(out))
    assert len(shapes) == wanted
    assert "4326" in str(meta["crs"]) or "WGS 84" in str(meta["crs"])
    if name == "storefronts":
        fields = dict(zip(meta["fields"], columns, strict=True))
        house = "house_numb" if form == "shp.zip" else "house_number"
        assert "3号" in set(fields[house])
        assert shapely.get_x(shapely.from_wkb(shapes)).min() > 121


def test_pages_are_joined(
    database: Database, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    street(database, shops=23)
    monkeypatch.setattr(features, "MOST", 5)
    for form in exporting.FORMATS:
        out = tmp_path / f"layer.{form}"
        assert exporting.write(session, COLLECTIONS["storefronts"], out, form) == 22


def test_a_spreadsheet_holds_no_formula(
    database: Database, session: Session, tmp_path: Path
) -> None:
    from tests import makers
    from tests.conftest import WEIFANG

    with database.transaction(WEIFANG) as inside:
        makers.make_subdistrict(inside)
        makers.make_storefront(inside, name='=HYPERLINK("http://evil.example")')
    out = tmp_path / "layer.xlsx"
    exporting.write(session, COLLECTIONS["storefronts"], out, "xlsx")
    sheet = load_workbook(out).active
    rows = list(sheet.iter_rows(values_only=True))  # type: ignore[union-attr]
    assert rows[1][1] == '\'=HYPERLINK("http://evil.example")'
    assert rows[1][-2] == pytest.approx(121.5187)


def test_files_come_by_the_same_rights(
    client: FlaskClient, database: Database, cast: Cast, settings: Any
) -> None:
    street(database)
    assert client.get("/map/data").status_code == 200
    archive = client.get("/map/data/storefronts.shp.zip")
    assert archive.status_code == 200
    inside = zipfile.ZipFile(io.BytesIO(archive.data)).namelist()
    assert {"storefronts.shp", "storefronts.cpg", "storefronts.prj", "fields.txt"} <= set(inside)
    archive.close()
    assert list((settings.var_dir / "exports").iterdir()) == []
    for address in ("duty_zones.gpkg", "storefronts.exe", "persons.gpkg", "storefronts."):
        assert client.get(f"/map/data/{address}").status_code == 404
    assert client.get("/map/data/storefronts.gpkg?bbox=1,2,x,4").status_code == 422
    sign_in(client, cast["chief_l2"])
    assert client.get("/map/data/duty_zones.gpkg").status_code == 200
