"""The list of items is whole and says who may look, how bad, whose and how soon."""

import pytest

from roadchief.streets import standards

# Code, who, severity, lead (merchant first marked +), helpers, limit: the list as agreed.
LINES = """
WS01 PM L +greening - 2wh
WS02 PM M +greening water 4wh
WS03 PM M enforcement greening 4wh
WS04 P S enforcement water 4h
WS05 PM L +operation - 1wd
WS06 PM L +greening - 1wd
WS07 PM L greening - 2wd
WS08 PM L +enforcement - 2wh
WS09 PM M greening health 1wd
FL01 PME M enforcement - 1wd
FL02 PM M +greening - 1wd
FL03 P L greening - 1wd
FL04 ME S enforcement market 3wd
ZX01 P M enforcement - 4wh
ZX02 PM M enforcement - 4wh
ZX03 P L enforcement - 2wh
ZX04 PM M enforcement disabled 2h
ZX05 PM L +enforcement - 2wh
ZX06 P M traffic - 2h
ZX07 PM L enforcement - 4wh
ZX08 P M enforcement - 2h
ZX09 PM M police ecology,enforcement 1wd
ZX10 P L greening ecology 5wd
LH01 P M greening enforcement 3wd
LH02 PM L +operation - 4wh
LH03 PM M greening - 1wd
ZP01 PM L +subdistrict - 5wd
ZP02 PM X subdistrict emergency 2h
ZP03 E L subdistrict greening 10wd
ZP04 ME L +operation - 5wd
YY01 PE S ecology enforcement 3wd
YY02 ME S ecology enforcement 3wd
YY03 ME M ecology - 5wd
YY04 ME M water enforcement 5wd
XF01 PME X fire police 2h
XF02 P S fire enforcement 2h
XF03 ME M fire police 3wd
XF04 PME S fire police 2h
XF05 ME X fire police,subdistrict 1wd
XF06 ME X gas emergency,market 4h
JY01 PE M market - 5wd
JY02 E S market - 5wd
"""


def test_each_line_is_as_agreed() -> None:
    found = []
    for item in standards.items().values():
        lead = ("+" if item.merchant_first else "") + item.department
        limit = f"{item.limit.amount}{item.limit.clock}"
        helpers = ",".join(item.helpers) or "-"
        found.append(f"{item.code} {''.join(item.who)} {item.severity} {lead} {helpers} {limit}")
    assert found == LINES.split("\n")[1:-1]
    assert len(found) == 42


def test_only_an_enforcement_visit_may_find_some() -> None:
    closed = {code for code, item in standards.items().items() if item.needs_inspection_code}
    assert closed == {"ZP03", "JY02"}
    assert "FL04" not in standards.items_for(standards.PATROL)
    assert standards.items()["XF01"].patrol_only == ("仅限街面可见", "only if seen from the street")
    assert not standards.items()["XF05"].public


@pytest.mark.parametrize(
    ("found", "grade"),
    [
        ([], "best"),
        (["WS01"], "good"),
        (["WS01", "WS02"], "fair"),
        (["WS02", "WS04"], "poor"),
        (["WS01", "ZP02", "WS04"], "danger"),
    ],
)
def test_the_worst_finding_grades_the_visit(found: list[str], grade: str) -> None:
    assert standards.grade(found) == grade
    assert grade in standards.GRADES


def test_points_and_photos_follow_the_severity() -> None:
    points = {code: row.points for code, row in standards.severities().items()}
    assert points == {"L": 1, "M": 2, "S": 4, "X": 8}
    assert standards.items()["WS01"].photo == "optional"
    assert standards.items()["ZP02"].photo == "required"


def test_every_department_has_two_names() -> None:
    for office in standards.departments().values():
        assert office.say("zh") != office.say("en")
    assert standards.fallback() in standards.departments()
