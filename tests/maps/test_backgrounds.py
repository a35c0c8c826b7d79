"""Backgrounds from outside: off unless set, of the named hosts alone, with 审图号, no key told."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from roadchief import config
from roadchief.config import BadSetting, Settings
from roadchief.db import Database
from roadchief.maps import backgrounds, sheet_views
from roadchief.maps.sheets import Sheet
from tests import makers
from tests.cast import Cast, sign_in
from tests.conftest import WEIFANG

KEY = "0123456789abcdef0123456789abcdef"
TIANDITU: dict[str, Any] = {"tianditu_key": KEY, "tianditu_review_number": "GS（试）0001号"}
AMAP: dict[str, Any] = {
    "tiles_url": "https://webrd0{s}.example.cn/tile?x={x}&y={y}&z={z}",
    "tiles_subdomains": "1234",
    "tiles_review_number": "GS（试）0002号",
}


@pytest.fixture
def street(database: Database) -> str:
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        return str(makers.make_segment(session).id)


def set_up(app: Flask, **given: Any) -> FlaskClient:
    settings: Settings = app.extensions["roadchief.settings"]
    app.extensions["roadchief.settings"] = replace(settings, **given)
    return app.test_client()


def pictures(answer: Any) -> list[str]:
    rules = answer.headers["Content-Security-Policy"].split("; ")
    return next(one.split()[1:] for one in rules if one.startswith("img-src"))


def test_nothing_is_offered_and_nothing_allowed_by_default(app: Flask, street: str) -> None:
    client = app.test_client()
    for path in ("/map/", f"/map/segments/{street}"):
        answer = client.get(path)
        assert pictures(answer) == ["'self'", "data:", "blob:"]
        said = answer.get_data(as_text=True)
        assert '"backgrounds": []' in said
        assert "js/backgrounds.js" not in said
        assert "tianditu.gov.cn" not in said


def test_a_page_with_a_map_may_show_pictures_of_the_set_hosts_and_of_no_other(
    app: Flask, street: str
) -> None:
    client = set_up(app, **TIANDITU, **AMAP)
    hosts = [f"https://t{n}.tianditu.gov.cn" for n in range(8)]
    hosts += [f"https://webrd0{n}.example.cn" for n in range(1, 5)]
    for path in ("/map/", f"/map/segments/{street}"):
        answer = client.get(path)
        assert pictures(answer) == ["'self'", "data:", "blob:", *hosts]
        assert "connect-src 'self';" in answer.headers["Content-Security-Policy"]
        said = answer.get_data(as_text=True)
        assert "js/backgrounds.js" in said
        assert "js/datum.js" in said
        for words in ("0001\\u53f7", "0002\\u53f7"):  # 审图号, in a script's text
            assert words in said
    for path in ("/", "/sign-in", "/map/search?q=x"):
        assert pictures(client.get(path)) == ["'self'", "data:", "blob:"]


def test_tianditu_is_asked_as_wmts_in_web_mercator() -> None:
    values = dict.fromkeys(backgrounds.SETTINGS, "") | TIANDITU
    (one,) = backgrounds.offered(**values)
    assert len(one.urls) == 2
    for url, layer in zip(one.urls, ("vec", "cva"), strict=True):
        assert url.startswith(f"https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS")
        assert f"LAYER={layer}&" in url
        assert "TILEMATRIXSET=w&" in url
        assert "TILEMATRIX={z}&TILEROW={y}&TILECOL={x}" in url
        assert url.endswith(f"tk={KEY}")
    assert one.datum == "wgs84"
    assert "GS（试）0001号" in one.attribution


def test_a_service_without_subdomains_has_one_host() -> None:
    one = backgrounds.Background("t", "t", ("http://127.0.0.1:80/{z}/{x}/{y}",), "", "wgs84", "a")
    assert one.hosts == ["http://127.0.0.1:80"]


def test_the_key_is_told_nobody_but_the_browser_that_needs_it(
    app: Flask, street: str, cast: Cast, capfd: pytest.CaptureFixture[str]
) -> None:
    given = {**TIANDITU, **AMAP, "tiles_url": AMAP["tiles_url"] + f"&key={KEY}"}
    client = set_up(app, **given)
    assert KEY in client.get("/map/").get_data(as_text=True)
    sign_in(client, cast["chief_general"])
    assert client.get("/map/coverage").status_code == 200
    saved = client.get("/map/coverage?save=html").get_data(as_text=True)
    assert KEY not in saved
    assert '"backgrounds": []' in saved
    assert KEY not in repr(app.extensions["roadchief.settings"])
    said = capfd.readouterr()
    assert KEY not in said.out + said.err
    with pytest.raises(BadSetting) as caught:
        config.load({"ROADCHIEF_TIANDITU_KEY": f"{KEY} {KEY}"})
    assert KEY not in str(caught.value)
    with pytest.raises(BadSetting) as caught:
        config.load({"ROADCHIEF_TILES_URL": f"ftp://x/{KEY}"})
    assert KEY not in str(caught.value)


def test_a_saved_sheet_has_no_background(app: Flask) -> None:
    set_up(app, **TIANDITU)
    sheet = Sheet("hot", "热点", "", [], [], [], "", "")
    with app.test_request_context():
        assert not sheet_views.draw(sheet, WEIFANG, None, data="").outside
        assert sheet_views.draw(sheet, WEIFANG, None, data="/x").outside


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"TIANDITU_KEY": KEY}, "TIANDITU_REVIEW_NUMBER"),
        ({"TIANDITU_KEY": "x'; script-src *", "TIANDITU_REVIEW_NUMBER": "GS"}, "TIANDITU_KEY"),
        ({"TILES_URL": "https://a.cn/{z}/{x}/{y}"}, "TILES_REVIEW_NUMBER"),
        ({"TILES_URL": "https://a.cn/{z}/{x}", "TILES_REVIEW_NUMBER": "GS"}, "TILES_URL"),
        ({"TILES_URL": "http://a.cn/{z}/{x}/{y}", "TILES_REVIEW_NUMBER": "GS"}, "TILES_URL"),
        ({"TILES_URL": "https://a.cn; x/{z}/{x}/{y}", "TILES_REVIEW_NUMBER": "GS"}, "TILES_URL"),
        ({"TILES_URL": "https://*/{z}/{x}/{y}", "TILES_REVIEW_NUMBER": "GS"}, "TILES_URL"),
        ({"TILES_URL": "https://{x}.cn/{z}/{x}/{y}", "TILES_REVIEW_NUMBER": "GS"}, "TILES_URL"),
        (
            {"TILES_URL": "https://w{s}.cn/{z}/{x}/{y}", "TILES_REVIEW_NUMBER": "GS"},
            "TILES_SUBDOMAINS",
        ),
        (
            {
                "TILES_URL": "https://w{s}.cn/{z}/{x}/{y}",
                "TILES_REVIEW_NUMBER": "GS",
                "TILES_SUBDOMAINS": "1;*",
            },
            "TILES_SUBDOMAINS",
        ),
        (
            {
                "TILES_URL": "https://w.cn/{z}/{x}/{y}",
                "TILES_REVIEW_NUMBER": "GS",
                "TILES_DATUM": "bd09",
            },
            "TILES_DATUM",
        ),
    ],
)
def test_an_odd_background_stops_the_start(given: dict[str, str], names: str) -> None:
    with pytest.raises(BadSetting, match=names):
        config.load({f"ROADCHIEF_{name}": value for name, value in given.items()})


def test_good_settings_start() -> None:
    given = {**TIANDITU, **AMAP}
    known = config.load({f"ROADCHIEF_{name.upper()}": value for name, value in given.items()})
    assert known.tiles_datum == "gcj02"
    config.load(
        {
            "ROADCHIEF_TILES_URL": "http://127.0.0.1:9/{z}/{x}/{y}.png",
            "ROADCHIEF_TILES_REVIEW_NUMBER": "GS",
        }
    )
