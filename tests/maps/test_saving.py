"""A saved map: one file that needs nothing else, says when it was made, and shows nobody more."""

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Browser, Request

from roadchief.app import create_app
from roadchief.cli import main
from roadchief.db import Database
from roadchief.maps import features, saving
from tests import makers
from tests.conftest import WEIFANG, make_settings
from tests.maps.test_sheets import LEAP, plan_walk, street, web

__all__ = ["web"]  # a fixture of the sheets' own tests
PAGES = ["district", "segment", "coverage", "cases", "hot", "compare", "stations"]
LOADS = re.compile(r"""(?:src|href)=["'](?!data:|#)|@import|url\((?!["']?data:)""")


@pytest.fixture
def town(fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[uuid.UUID]:
    """A street with three shops, as the command line finds it; its first segment's id."""
    database = Database(make_settings(fresh_url, tmp_path))
    with database.transaction(WEIFANG) as session:
        makers.make_subdistrict(session)
        first, _second = street(session)
        first.name = "崂山路</script><b>"
        found = first.id
    monkeypatch.setenv("ROADCHIEF_DATABASE_URL", fresh_url)
    monkeypatch.setenv("ROADCHIEF_VAR_DIR", str(tmp_path / "var"))
    yield found
    database.engine.dispose()


def run(name: str, out: Path, *words: str, command: str = "page") -> Result:
    place = ["--subdistrict", str(WEIFANG), "--out", str(out)]
    return CliRunner().invoke(main, ["maps", command, name, *place, *words])


def test_pages_are_exported_as_layers_are(town: uuid.UUID, tmp_path: Path) -> None:
    """`maps export`: the ending says whether a layer or a page is meant."""
    page, data = tmp_path / "map.html", tmp_path / "map.geojson"
    answer = run("segment", page, "--segment", str(town), "--language", "en", command="export")
    assert answer.exit_code == 0, answer.output
    assert 'lang="en"' in page.read_text(encoding="utf-8")
    assert run("segments", data, command="export").exit_code == 0
    assert len(json.loads(data.read_text(encoding="utf-8"))["features"]) == 2
    wrong = run("storefronts", tmp_path / "map.png", command="export")
    assert wrong.exit_code == 2
    nowhere = run("segments", tmp_path / "nowhere" / "map.gpkg", command="export")
    assert nowhere.exit_code == 2
    assert "--out" in nowhere.output


@pytest.mark.parametrize("name", PAGES)
def test_every_page_stands_alone(town: uuid.UUID, tmp_path: Path, name: str) -> None:
    out = tmp_path / "map.html"
    words = ["--segment", str(town)] if name == "segment" else []
    answer = run(name, out, *words)
    assert answer.exit_code == 0, answer.output
    text = out.read_text(encoding="utf-8")
    head = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert LOADS.findall(head) == []
    assert "default-src 'none'" in text
    data = re.search(r'id="sheet-data">(.*?)</script>', text, re.S)
    assert data
    told = json.loads(data[1])
    assert told["ground"]
    assert {one["name"] for one in told["names"]} == {"崂山路"}
    assert all(row["address"] == "" for row in told["rows"])
    assert "</script><b>" not in text
    assert not list(tmp_path.glob(".*map.html"))


def test_it_opens_from_the_disk_without_network_and_draws(
    town: uuid.UUID, tmp_path: Path, browser: Browser
) -> None:
    out, asked, troubles = tmp_path / "map.html", list[str](), list[str]()
    assert run("coverage", out).exit_code == 0

    def note(request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            asked.append(request.url)

    context = browser.new_context(viewport={"width": 390, "height": 844}, offline=True)
    page = context.new_page()
    page.on("request", note)
    page.on("console", lambda said: troubles.append(said.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(out.as_uri())
    page.locator("[data-drawn='1']").wait_for()
    # What is drawn: the streets below and the segments above them, as pixels and as signs.
    inked = page.evaluate(
        "[...document.querySelectorAll('canvas')].some((c) => c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data.some((v) => v))"
    )
    assert inked
    page.locator("button.show").first.click()
    page.locator(".leaflet-popup h3").wait_for()
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    context.close()
    assert (asked, troubles) == ([], [])
    assert wide <= 0


def test_a_day_of_patrol_is_saved(town: uuid.UUID, tmp_path: Path, fresh_url: str) -> None:
    database = Database(make_settings(fresh_url, tmp_path))
    with database.transaction(WEIFANG) as session:
        _segment, shift = plan_walk(session, LEAP)
        wanted = shift.id
    database.engine.dispose()
    answer = run("shift", tmp_path / "day.html", "--shift", str(wanted))
    assert answer.exit_code == 0, answer.output
    text = (tmp_path / "day.html").read_text(encoding="utf-8")
    told = json.loads(re.search(r'id="sheet-data">(.*?)</script>', text, re.S)[1])  # type: ignore[index]
    assert any(one["properties"]["key"] == "track" for one in told["shapes"]["features"])
    assert len(told["rows"]) == 2


def test_a_picture_is_drawn(town: uuid.UUID, tmp_path: Path) -> None:
    out = tmp_path / "map.png"
    answer = run("district", out, "--language", "en")
    assert answer.exit_code == 0, answer.output
    assert out.read_bytes().startswith(b"\x89PNG")
    assert out.stat().st_size > 20_000


def test_without_a_browser_the_picture_is_refused_in_words(
    town: uuid.UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saving, "BROWSERS", ("no-such-browser",))
    answer = run("district", tmp_path / "map.png")
    assert answer.exit_code == 2
    assert "Chromium" in answer.output
    assert list(tmp_path.glob("*.png")) == []


@pytest.mark.parametrize(
    ("name", "file", "words", "why"),
    [
        ("nothing", "a.html", [], "coverage"),
        ("coverage", "a.pdf", [], ".html"),
        ("segment", "a.html", [], "--segment"),
        ("segment", "a.html", ["--segment", "x"], "x"),
        ("coverage", "a.html", ["--segment", str(uuid.uuid4())], "--segment"),
        ("segment", "a.html", ["--segment", str(uuid.uuid4())], "没有找到"),
        ("shift", "a.html", [], "--shift"),
        ("coverage", "a.html", ["--shift", str(uuid.uuid4())], "--shift"),
        ("shift", "a.html", ["--shift", str(uuid.uuid4())], "没有找到"),
        ("district", "a.html", ["--subdistrict", "310115999"], "没有找到"),
    ],
)
def test_odd_words_are_refused_and_write_nothing(
    town: uuid.UUID, tmp_path: Path, name: str, file: str, words: list[str], why: str
) -> None:
    answer = run(name, tmp_path / file, *words)
    assert answer.exit_code == 2
    assert why in answer.output
    assert not (tmp_path / file).exists()


def test_a_page_is_saved_by_whom_it_is_shown_to(web, database: Database) -> None:  # type: ignore[no-untyped-def]
    with database.transaction(WEIFANG) as session:
        street(session)
    answer = web("operator").get("/map/coverage?save=html")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert 'id="sheet-data"' in answer.text
    assert web("officer").get("/map/coverage?save=html").status_code == 403


def test_whole_streets_as_files_are_limited_and_pages_are_not(
    real: Database, fresh_url: str, tmp_path: Path
) -> None:
    settings = replace(make_settings(fresh_url, tmp_path), testing=False)
    with real.transaction(WEIFANG) as session:
        makers.make_subdistrict(session, WEIFANG)
    client = create_app(settings, real).test_client()
    for path in ("/map/stations?save=html", "/map/save/district"):
        found = [client.get(path).status_code for _ in range(21)]
        assert found == [200] * 20 + [429], path
    assert client.get("/map/stations").status_code == 200


@pytest.mark.parametrize("form", ["gpkg", "shp.zip", "geojson", "xlsx"])
@pytest.mark.parametrize("before", ["", "what was there"])
def test_an_export_that_is_broken_off_says_so_and_leaves_no_half_file(
    town: uuid.UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, before: str
) -> None:
    """Ctrl-C after two of three storefronts; then the same again, which goes through."""
    folder = tmp_path / "out"
    folder.mkdir()
    out = folder / f"shops.{form}"
    if before:
        out.write_text(before)
    monkeypatch.setattr(features, "MOST", 1)
    page, seen = features.page, []

    def stopped(*given: Any) -> features.Found:
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return page(*given)

    monkeypatch.setattr(features, "page", stopped)
    answer = run("storefronts", out, command="export")
    assert answer.exit_code == 130
    assert "interrupted after 2 storefronts" in answer.output
    assert ("as it was before" if before else "not written") in answer.output
    assert [one.read_text() for one in folder.iterdir()] == [before] * bool(before)
    again = run("storefronts", out, command="export")
    assert again.exit_code == 0, again.output
    assert "3 storefronts" in again.output
    assert list(folder.iterdir()) == [out]
    assert out.stat().st_size > 200


def test_a_page_that_is_broken_off_says_so(
    town: uuid.UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_given: object) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "out"
    folder.mkdir()
    monkeypatch.setattr(saving, "picture", stopped)
    answer = run("district", folder / "map.png")
    assert answer.exit_code == 130
    assert "interrupted" in answer.output
    assert list(folder.iterdir()) == []
