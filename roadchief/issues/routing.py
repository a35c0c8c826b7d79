"""Whose is it? Category × area × permit × owner; the first rule that fits wins. *Pure.*

An answer always carries which rule gave it and why. A department without a unit in this
sub-district is not guessed away: the case goes to the queue "no responsible unit".
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from roadchief.issues.categories import Category

# Department code of the standard lists -> kind of organisation here.
KINDS: dict[str, tuple[str, ...]] = {
    "operation": ("operation_centre",),
    "enforcement": ("enforcement_squad",),
    "subdistrict": ("office",),
    "greening": ("greening_appearance",),
    "market": ("market_regulation",),
    "police": ("police",),
    "traffic": ("traffic_police",),
    "fire": ("fire",),
    "ecology": ("ecology",),
    "water": ("water",),
    "housing": ("housing",),
    "construction": ("construction",),
    "emergency": ("emergency", "office"),
    "health": ("health",),
    "gas": ("gas",),
    "power": ("power",),
    "telecom": ("telecom",),
    "tax": ("tax",),
    "union": ("union",),
    "justice": ("justice",),
    "committee": ("committee",),
    "property": ("property",),
    "disabled": ("disabled",),
}
OUTDOOR_TRADE = frozenset({"ZX01", "ZX03"})


@dataclass(frozen=True)
class Unit:
    """An organisation that may be given cases. `ended` once it is abolished."""

    id: uuid.UUID
    kind: str
    name: str
    ended: bool = False


@dataclass(frozen=True)
class Rule:
    """A sub-district's own rule, tried before the lists. None means: any.

    `block` and `grid` narrow it to an area; `owner` to a storefront with or without a tenant.
    """

    unit_id: uuid.UUID
    name: str
    category: str | None = None
    group: str | None = None
    segment: uuid.UUID | None = None
    grid: uuid.UUID | None = None
    let: bool | None = None


@dataclass(frozen=True)
class Permit:
    """A permit area at the place of a case, judged for the time of the report."""

    name: str
    open: bool
    reason: str


@dataclass(frozen=True)
class Case:
    """What routing looks at."""

    category: Category
    segment: uuid.UUID | None = None
    grid: uuid.UUID | None = None
    let: bool = False
    keeper: bool = False
    danger: bool = False
    permits: tuple[Permit, ...] = ()


@dataclass(frozen=True)
class Route:
    """`unit` is None in the queue without a unit. `helpers` may be called together."""

    unit: Unit | None
    helpers: tuple[Unit, ...]
    merchant_first: bool
    permitted: str | None
    rule: str
    zh: str
    en: str


def route(case: Case, units: Sequence[Unit], rules: Sequence[Rule] = ()) -> Route:
    """First the permit, then own rules in order, then the lists, then the fall-back."""
    permitted = _permitted(case)
    running = {unit.id: unit for unit in units if not unit.ended}
    for rule in rules:
        if _fits(rule, case) and rule.unit_id in running:
            return _answer(case, running[rule.unit_id], units, permitted, rule.name, "own")
    lead = _unit_of(case.category.department, units)
    if lead:
        return _answer(case, lead, units, permitted, case.category.department, "list")
    for code in case.category.helpers:
        helper = _unit_of(code, units)
        if helper:
            return _answer(case, helper, units, permitted, code, "helper")
    return _answer(case, None, units, permitted, case.category.department, "none")


def broken(rules: Sequence[Rule], units: Sequence[Unit], known: set[str]) -> list[tuple[Rule, str]]:
    """Rules that can never help: an abolished unit, a category that is gone."""
    running = {unit.id for unit in units if not unit.ended}
    found: list[tuple[Rule, str]] = []
    sound: list[Rule] = []
    for rule in rules:
        if rule.unit_id not in running:
            found.append((rule, "unit"))
        elif rule.category is not None and rule.category not in known:
            found.append((rule, "category"))
        elif any(_covers(earlier, rule) for earlier in sound):
            found.append((rule, "hidden"))
        else:
            sound.append(rule)
    return found


def _permitted(case: Case) -> str | None:
    """The name of a permit that makes the outdoor trade lawful now."""
    if case.category.code not in OUTDOOR_TRADE:
        return None
    return next((permit.name for permit in case.permits if permit.open), None)


def _fits(rule: Rule, case: Case) -> bool:
    wanted = (
        (rule.category, case.category.code),
        (rule.group, case.category.group),
        (rule.segment, case.segment),
        (rule.grid, case.grid),
        (rule.let, case.let),
    )
    return all(asked is None or asked == given for asked, given in wanted)


def _covers(earlier: Rule, later: Rule) -> bool:
    """Whatever the later rule fits, the earlier one takes first."""
    fields = ("category", "group", "segment", "grid", "let")
    return all(
        getattr(earlier, name) is None or getattr(earlier, name) == getattr(later, name)
        for name in fields
    )


def _unit_of(department: str, units: Sequence[Unit]) -> Unit | None:
    for kind in KINDS.get(department, ()):
        for unit in units:
            if unit.kind == kind and not unit.ended:
                return unit
    return None


WORDS = {
    "own": ("按本街道规则“{rule}”", "by our own rule “{rule}”"),
    "list": ("按类别牵头部门", "the lead department of the category"),
    "helper": (
        "牵头部门在本街道无单位，由协同单位承接",
        "no lead unit here: a helping unit takes it",
    ),
    "none": ("无责任单位，由城运中心协调", "no responsible unit: the operation centre decides"),
}


def say(routed_by: str | None, language: str) -> str:
    """What is kept with a case (“list:greening”) in words; an unknown mark as it is."""
    why, _, rule = (routed_by or "").partition(":")
    known = WORDS.get(why)
    return known[0 if language == "zh" else 1].format(rule=rule) if known else routed_by or ""


def _answer(
    case: Case,
    unit: Unit | None,
    units: Sequence[Unit],
    permitted: str | None,
    rule: str,
    why: str,
) -> Route:
    helpers = [_unit_of(code, units) for code in case.category.helpers]
    others = tuple(one for one in helpers if one and one != unit)
    first = case.category.merchant_first and case.keeper and not case.danger
    zh, en = (words.format(rule=rule) for words in WORDS[why])
    return Route(unit, others, first, permitted, f"{why}:{rule}", zh, en)
