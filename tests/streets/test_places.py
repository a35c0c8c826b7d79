"""Permit windows as a table, and the other places that are entered once."""

from datetime import date, datetime

import pytest
import shapely
from sqlalchemy.orm import Session

from roadchief.errors import BadInput, Conflict
from roadchief.lib.clock import SHANGHAI
from roadchief.streets import permits, places
from tests import makers

EVENING = [{"days": [1, 2, 3, 4, 5], "from": "17:00", "to": "22:00"}]
NIGHT = [{"days": [5], "from": "20:00", "to": "02:00"}]


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type]


YEAR = (date(2026, 1, 1), date(2026, 12, 31))
BOX = shapely.box(121.518, 31.228, 121.5182, 31.2282)


@pytest.mark.parametrize(
    ("windows", "at", "reason"),
    [
        (EVENING, local(2026, 11, 24, 17, 0), "open"),  # a Tuesday
        (EVENING, local(2026, 11, 24, 21, 59), "open"),
        (EVENING, local(2026, 11, 24, 22, 0), "not_at_this_hour"),
        (EVENING, local(2026, 11, 24, 9, 0), "not_at_this_hour"),
        (EVENING, local(2026, 11, 28, 18, 0), "not_today"),
        (EVENING, local(2027, 1, 1, 18, 0), "not_valid"),
        (NIGHT, local(2026, 11, 27, 23, 0), "open"),  # a Friday
        (NIGHT, local(2026, 11, 28, 1, 30), "open"),  # its night, on Saturday's clock
        (NIGHT, local(2026, 11, 28, 2, 0), "not_today"),
        (NIGHT, local(2026, 11, 27, 1, 0), "not_at_this_hour"),
    ],
)
def test_when_outdoor_trade_is_lawful(windows: list, at: datetime, reason: str) -> None:  # type: ignore[type-arg]
    assert permits.judge(windows, *YEAR, at).reason == reason


@pytest.mark.parametrize(
    "windows",
    [
        None,
        [],
        "17:00",
        [{}],
        [{"days": [8], "from": "17:00", "to": "22:00"}],
        [{"days": [1], "from": "25:00", "to": "26:00"}],
        [{"days": [1], "from": "9", "to": "10"}],
        [{"days": [1], "from": "09:00", "to": "09:00"}],
        [None],
        EVENING * 30,
    ],
)
def test_odd_windows_are_refused(session: Session, windows: object) -> None:
    with pytest.raises(BadInput):
        places.open_permit_area(
            session,
            name="外摆位",
            kind="outdoor_seating",
            area=BOX,
            windows=windows,  # type: ignore[arg-type]
            valid_from=YEAR[0],
            valid_to=YEAR[1],
            by=None,
            at=makers.NOON,
        )


def test_a_name_is_entered_once(session: Session) -> None:
    given = {"by": None, "at": makers.NOON}
    office = places.open_organisation(session, name="城管中队", kind="enforcement_squad", **given)
    with pytest.raises(Conflict):
        places.open_organisation(session, name="城管中队", kind="enforcement_squad", **given)
    places.open_block(session, name="崂山路红色街区", theme="red", **given)
    with pytest.raises(BadInput):
        places.open_block(session, name="别的街区", theme="golden", **given)
    grid = places.open_grid(session, code="G01", name="第一网格", area=BOX, **given)
    with pytest.raises(Conflict):
        places.open_grid(session, code="G01", name="又一个", area=BOX, **given)
    station = places.open_station(
        session,
        name="服务站",
        kind="party_service",
        place=BOX.centroid,
        hours="9:00–17:00",
        functions=["充电"],
        organisation=office,
        **given,
    )
    assert station.organisation_id == office.id
    assert grid.code == "G01"
