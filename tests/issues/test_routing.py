"""Whose case it is, by table; and what the lists of categories hold."""

import uuid

import pytest

from roadchief.issues import categories, routing
from roadchief.issues.routing import Case, Permit, Rule, Unit
from roadchief.streets import standards

SQUAD = Unit(uuid.uuid4(), "enforcement_squad", "综合行政执法队")
GREEN = Unit(uuid.uuid4(), "greening_appearance", "绿化市容管理所")
FIRE = Unit(uuid.uuid4(), "fire", "消防救援站")
POLICE = Unit(uuid.uuid4(), "police", "派出所")
GONE = Unit(uuid.uuid4(), "water", "水务站", ended=True)
UNITS = [SQUAD, GREEN, FIRE, POLICE, GONE]
SEGMENT, GRID = uuid.uuid4(), uuid.uuid4()


def case(code: str, **given: object) -> Case:
    return Case(categories.find(code), **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "unit", "why"),
    [
        ("ZX02", SQUAD, "list"),
        ("WS07", GREEN, "list"),
        ("XF01", FIRE, "list"),
        # The lead has no unit here, a helper has.
        ("YY01", SQUAD, "helper"),
        # The water unit was abolished and nobody else is named.
        ("BJ14", None, "none"),
        ("BJ02", None, "none"),
    ],
)
def test_the_unit_of_a_category(code: str, unit: Unit | None, why: str) -> None:
    found = routing.route(case(code), UNITS)
    assert found.unit == unit
    assert found.rule.startswith(why)
    assert found.zh
    assert found.en


@pytest.mark.parametrize(
    ("rule", "given", "fits"),
    [
        ({}, {}, True),
        ({"category": "ZX02"}, {}, True),
        ({"category": "ZX05"}, {}, False),
        ({"group": "order"}, {}, True),
        ({"group": "fire"}, {}, False),
        ({"segment": SEGMENT}, {"segment": SEGMENT}, True),
        ({"segment": SEGMENT}, {}, False),
        ({"grid": GRID}, {"grid": GRID}, True),
        ({"grid": GRID}, {"grid": uuid.uuid4()}, False),
        ({"let": True}, {"let": True}, True),
        ({"let": True}, {"let": False}, False),
    ],
)
def test_own_rules_come_first(
    rule: dict[str, object], given: dict[str, object], fits: bool
) -> None:
    own = Rule(POLICE.id, "夜间由派出所", **rule)  # type: ignore[arg-type]
    found = routing.route(case("ZX02", **given), UNITS, [own])
    assert (found.unit == POLICE) == fits
    if fits:
        assert "夜间由派出所" in found.zh


def test_a_rule_for_an_abolished_unit_is_passed_over_and_shown_as_broken() -> None:
    rules = [
        Rule(GONE.id, "水务"),
        Rule(SQUAD.id, "全部"),
        Rule(GREEN.id, "从不"),
        Rule(GREEN.id, "旧类别", category="ZZ99"),
    ]
    assert routing.route(case("WS07"), UNITS, rules).unit == SQUAD
    found = {rule.name: why for rule, why in routing.broken(rules, UNITS, set(categories.known()))}
    assert found == {"水务": "unit", "从不": "hidden", "旧类别": "category"}


@pytest.mark.parametrize(
    ("code", "given", "first"),
    [
        ("ZX02", {"keeper": True}, True),
        ("ZX02", {"keeper": False}, False),
        ("ZX02", {"keeper": True, "danger": True}, False),
        ("ZP02", {"keeper": True}, False),
        ("BJ02", {"keeper": True}, False),
        ("ZX08", {"keeper": True}, False),
    ],
)
def test_the_merchant_is_told_first(code: str, given: dict[str, bool], first: bool) -> None:
    assert routing.route(case(code, **given), UNITS).merchant_first == first


@pytest.mark.parametrize(
    ("code", "permit", "lawful"),
    [
        ("ZX01", Permit("夜市", True, "open"), True),
        ("ZX01", Permit("夜市", False, "not_at_this_hour"), False),
        ("ZX03", Permit("夜市", True, "open"), True),
        ("ZX02", Permit("夜市", True, "open"), False),
    ],
)
def test_permitted_outdoor_trade_is_no_case(code: str, permit: Permit, lawful: bool) -> None:
    found = routing.route(case(code, permits=(permit,)), UNITS)
    assert (found.permitted == "夜市") == lawful


def test_categories_hold_the_items_facilities_and_ideas() -> None:
    found = categories.known()
    assert set(standards.items()) <= set(found)
    assert {"BJ01", "YJ01", "YJ02", "QT01"} <= set(found)
    for category in found.values():
        assert all((category.zh, category.en, category.icon))
        assert all((*category.opening, *category.closing))
        assert min(category.limit.amount, category.response.amount) > 0
        assert set(routing.KINDS) >= {category.department, *category.helpers}
        assert category.near_m > 0
        assert not (category.danger and category.merchant_first)


def test_tiles_name_categories_a_citizen_may_choose() -> None:
    tiles = categories.tiles()
    assert len(tiles) == 8
    for tile in tiles:
        assert categories.known()[tile.code].reportable


def test_what_only_an_inspection_finds_is_neither_public_nor_reportable() -> None:
    for code in ("JY02", "ZP03"):
        assert not categories.find(code).public
        assert not categories.find(code).reportable
        assert categories.find(code).needs_code
    assert "ZX09" not in categories.public_codes()
    assert categories.find("no longer there").code == "QT01"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("楼上招牌快掉下来了", True),
        ("闻到煤气味", True),
        ("There is a gas leak", True),
        ("地上有纸", False),
    ],
)
def test_danger_words(text: str, found: bool) -> None:
    assert bool(categories.danger_words(text)) == found


@pytest.mark.parametrize(
    ("kept", "zh", "en"),
    [
        ("list:enforcement", "按类别牵头部门", "the lead department of the category"),
        ("own:摊贩归绿化", "按本街道规则“摊贩归绿化”", "by our own rule “摊贩归绿化”"),
        ("by hand", "by hand", "by hand"),
        ("", "", ""),
    ],
)
def test_the_reason_is_said_in_words(kept: str, zh: str, en: str) -> None:
    assert (routing.say(kept, "zh"), routing.say(kept, "en")) == (zh, en)
