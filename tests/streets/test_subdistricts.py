"""A sub-district is opened by code and name; what does not fit is told."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import events
from roadchief.cli import main
from roadchief.errors import BadInput
from roadchief.streets import divisions, subdistricts
from tests import makers


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        (310115004, "潍坊新村街道", []),
        (310115004, "潍坊新村", []),
        (310115105, "北蔡", []),
        (310115004, "洋泾街道", ["310115004 is", "should be 310115013"]),
        (310115099, "洋泾街道", ["should be 310115013"]),
        (310115004, "某某街道", ["310115004 is"]),
        (310115401, "某某农场", ["farm"]),
        (310105101, "某某街道", ["usually a town"]),
        (310105002, "某某镇", ["usually a sub-district"]),
        (310105002, "某某街道", []),
    ],
)
def test_code_and_name(code: int, name: str, said: list[str]) -> None:
    found = [doubt.en for doubt in divisions.doubts(code, name)]
    assert len(found) == len(said), found
    assert all(part in line for part, line in zip(said, found, strict=True))


def open_(session: Session, name: str = "潍坊新村街道", **given: object) -> subdistricts.Opened:
    values = {"code": 310115004, "short_name": "wf", "by": None, "at": makers.NOON} | given
    return subdistricts.open_subdistrict(session, name=name, **values)  # type: ignore[arg-type]


def test_opened_once_and_renamed_on_purpose(session: Session) -> None:
    assert open_(session).row.short_name == "WF"
    assert open_(session).doubts == []
    with pytest.raises(subdistricts.AlreadyOpen):
        open_(session, "洋泾街道")
    changed = open_(session, "洋泾街道", rename=True)
    assert changed.row.name == "洋泾街道"
    assert len(changed.doubts) == 2
    session.flush()
    names = session.scalars(select(events.Event.name).order_by(events.Event.id)).all()
    assert names == ["streets.subdistrict_opened", "streets.subdistrict_renamed"]


@pytest.mark.parametrize(
    "given",
    [
        {"name": "x"},
        {"name": "街" * 50},
        {"short_name": "W-F"},
        {"short_name": ""},
        {"ring": "sky"},
    ],
)
def test_odd_values_are_refused(session: Session, given: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        open_(session, **given)


def test_the_same_short_name_is_told(session: Session) -> None:
    makers.make_subdistrict(session, 310115013)
    assert [doubt.en for doubt in open_(session, short_name="YJ").doubts] == [
        "洋泾街道 has the short name YJ too"
    ]


def test_the_command_warns_and_goes_on(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADCHIEF_DATABASE_URL", fresh_url)
    monkeypatch.setenv("ROADCHIEF_OWNER_DATABASE_URL", fresh_url)
    monkeypatch.setenv("ROADCHIEF_VAR_DIR", str(tmp_path))
    given = ["streets", "open", "--code", "310115004", "--short", "YJ", "--name"]
    told = CliRunner().invoke(main, [*given, "洋泾街道"])
    assert told.exit_code == 0, told.output
    assert "310115013" in told.stderr
    assert told.stdout == "310115004 洋泾街道 YJ\n"
    refused = CliRunner().invoke(main, [*given, "潍坊新村街道"])
    assert refused.exit_code == 2
    assert "--rename" in refused.output
