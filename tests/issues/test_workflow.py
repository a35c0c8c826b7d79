"""The table of moves: every state and part, against what the flow of the house says."""

import itertools

import pytest

from roadchief.issues import moves, workflow
from roadchief.issues.moves import BY_VERB, ENDED, LIVE, MOVES, STATES
from roadchief.issues.workflow import Facts

ALL = frozenset(
    {
        moves.CITIZEN,
        moves.MERCHANT,
        moves.UNIT,
        moves.CENTRE,
        moves.CHIEF,
        moves.PATROL,
        moves.SYSTEM,
    }
)


def full(state: str, **given: object) -> Facts:
    """A case of which every circumstance allows what the state allows."""
    values: dict[str, object] = {"has_unit": True, "has_keeper": True, "came_from": "assigned"}
    return Facts(state, **(values | given))  # type: ignore[arg-type]


# verb: states from which it may be made (✓ in the flow), and the state after.
FLOW = [
    ("inspect", "reported", "verifying"),
    ("open", "verifying", "open"),
    ("notify", "open", "notified_merchant"),
    ("fix", "notified_merchant", "submitted"),
    ("object", "notified_merchant", "open"),
    ("dispatch", "open", "assigned"),
    ("dispatch", "notified_merchant", "assigned"),
    ("accept", "assigned", "in_progress"),
    ("submit", "in_progress", "submitted"),
    ("check", "submitted", "checking"),
    ("close", "checking", "closed"),
    ("send_back", "checking", "reopened"),
    ("reopen", "closed", "reopened"),
    ("accept", "reopened", "in_progress"),
    ("take_over", "in_progress", "in_progress"),
    ("return", "in_progress", "open"),
    ("transfer", "in_progress", "in_progress"),
    ("defer", "assigned", "deferred"),
    ("resume", "deferred", "assigned"),
    ("duplicate", "verifying", "duplicate"),
    ("unmerge", "duplicate", "assigned"),
    ("reject", "verifying", "rejected"),
    ("withdraw", "reported", "closed"),
    ("rate", "closed", "closed"),
]


@pytest.mark.parametrize(("verb", "before", "after"), FLOW)
def test_the_flow(verb: str, before: str, after: str) -> None:
    facts = full(before)
    assert workflow.judge(verb, ALL, facts).allowed
    assert workflow.target(verb, facts) == after


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.verb)
@pytest.mark.parametrize("state", STATES)
def test_a_move_is_possible_from_its_states_alone(move: moves.Move, state: str) -> None:
    facts = full(
        state,
        time_asked=move.verb in {"grant_time", "refuse_time"},
        waiting=move.verb == "answer",
    )
    verdict = workflow.judge(move.verb, ALL, facts)
    assert verdict.allowed == (state in move.frm)
    if not verdict.allowed:
        assert verdict.reason == "state"
        assert STATES[state][0] in verdict.zh
        assert STATES[state][1] in verdict.en


@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.verb)
@pytest.mark.parametrize("part", sorted(ALL))
def test_only_those_who_may(move: moves.Move, part: str) -> None:
    facts = full(
        next(iter(move.frm)),
        time_asked=move.verb in {"grant_time", "refuse_time"},
        waiting=move.verb == "answer",
    )
    assert workflow.judge(move.verb, {part}, facts).allowed == (part in move.who)


def test_every_state_is_reached_and_left() -> None:
    reached = {move.to for move in MOVES} | {"reported"}
    assert set(STATES) <= reached | {"deferred"}
    for state in STATES:
        assert workflow.moves_for(ALL, full(state)), state


def test_an_ended_case_goes_on_only_by_reopening_or_unmerging() -> None:
    for state, move in itertools.product(ENDED, MOVES):
        if state in move.frm and move.to != moves.STAY:
            assert move.verb in {"reopen", "unmerge"}
    assert LIVE.isdisjoint(ENDED)


def test_a_merchant_may_fix_and_object_and_no_more() -> None:
    assert {move.verb for move in MOVES if moves.MERCHANT in move.who} == {"fix", "object"}


def test_the_unit_that_did_the_work_does_not_check_or_close_it() -> None:
    for verb in ("check", "close", "send_back", "reopen", "grant_time"):
        assert moves.UNIT not in BY_VERB[verb].who


@pytest.mark.parametrize(
    ("verb", "facts", "reason"),
    [
        ("notify", Facts("open"), "nobody"),
        ("accept", Facts("assigned"), "no_unit"),
        ("take_over", Facts("in_progress", mine=True), "yours"),
        ("close", Facts("checking", open_children=("2611-7", "2611-8")), "children"),
        ("grant_time", Facts("assigned"), "not_asked"),
        ("ask_time", Facts("assigned", time_asked=True), "asked"),
        ("answer", Facts("in_progress"), "not_asked"),
        ("ask", Facts("in_progress", waiting=True), "asked"),
        ("dance", Facts("open"), "unknown"),
    ],
)
def test_circumstances_are_told(verb: str, facts: Facts, reason: str) -> None:
    verdict = workflow.judge(verb, ALL, facts)
    assert not verdict.allowed
    assert verdict.reason == reason
    assert verdict.zh
    assert verdict.en


def test_open_children_are_named() -> None:
    verdict = workflow.judge("close", ALL, Facts("checking", open_children=("2611-7",)))
    assert "2611-7" in verdict.zh


def test_buttons_come_from_the_table_with_the_usual_one_first() -> None:
    parts = workflow.parts_of({"officer"}, in_unit=True)
    first = workflow.moves_for(parts, full("in_progress"))[0]
    assert first.verb == "submit"
    assert workflow.moves_for(frozenset(), full("open")) == []
    chief = workflow.parts_of({"chief_l2"}, chief_roles=frozenset({"chief_l2"}))
    verbs = [move.verb for move in workflow.moves_for(chief, full("checking"))]
    assert verbs[0] == "close"
    assert "accept" not in verbs


def test_parts() -> None:
    assert workflow.parts_of({"officer"}) == frozenset()
    assert workflow.parts_of({"operator"}) == {moves.CENTRE}
    assert workflow.parts_of({"merchant"}, keeper=True) == {moves.MERCHANT}
    assert workflow.parts_of({"patroller"}) == {moves.PATROL}


def test_what_a_form_asks_for() -> None:
    assert moves.PHOTO in workflow.needs("submit", full("in_progress"))
    assert moves.PHOTO not in workflow.needs("submit", full("in_progress", needs_photo=False))
    assert moves.CODE not in workflow.needs("submit", full("in_progress"))
    assert moves.CODE in workflow.needs("submit", full("in_progress", needs_code=True))
    # A merchant's word alone is no proof.
    assert moves.PHOTO in workflow.needs("fix", full("notified_merchant", needs_photo=False))
