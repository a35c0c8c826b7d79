"""Layers of the work on the street: cases, last visits, coverage. None of them is public.

Their tables change all day and note no changes for kept tiles: these are kept for half a minute.
Each is narrowed to what the person may see: those who answer for all see all, chiefs their own
segments, departments the cases of their units. Where a circle sees everything, it shares tiles.
"""

from collections.abc import Mapping
from typing import Any

from roadchief.accounts.access import Actor
from roadchief.issues import reach
from roadchief.maps.layers import BOX, SINGLE_FROM, TILE, Layer, features, register
from roadchief.patrol.planning import weeks
from roadchief.patrol.standing import LAST
from roadchief.streets.charge import RUNNING

FRESH_S = 30
CASES_FROM = 14
LONG = 366  # days; longer ago is as good as never on a map
# A person's running assignments reach segment `s`: of all posts held, or of the one `post` alone.
MINE = "person_id = :who AND (CAST(:post AS uuid) IS NULL OR post_id = :post)"
OWN = f"""(CAST(:everywhere AS boolean)
  OR s.id IN (SELECT segment_id FROM running WHERE {MINE} AND segment_id IS NOT NULL)
  OR s.road_id IN (SELECT road_id FROM running WHERE {MINE} AND road_id IS NOT NULL)
  OR s.block_id IN (SELECT block_id FROM running WHERE {MINE} AND block_id IS NOT NULL))
"""
DAYS = f"""least({LONG}, floor(extract(epoch FROM CAST(:at AS timestamptz) - v.last_at)
  / 86400))::int"""
# The lights of deadlines.light, for cases that are not ended.
LIGHT = """CASE WHEN c.paused_at IS NOT NULL THEN 'paused' WHEN c.due_at IS NULL THEN 'none'
  WHEN :at > c.black_at THEN 'black' WHEN :at > c.due_at THEN 'red'
  WHEN :at >= c.yellow_at THEN 'yellow' ELSE 'green' END"""
# The rule of issues.reach as one condition: departments reach the cases of their units and those
# they help with, chiefs those of the streets that they answer for, who patrols those of the beats
# of the last weeks and what they raised.
CHIEF_ROLES = ", ".join(f"'{role}'" for role in sorted(reach.OF_STREETS))
SINCE = f"CAST(:at AS timestamptz) - interval '{reach.LATELY.days} days'"
THIS = "(CAST(:post AS uuid) IS NULL OR p.id = :post)"
UNITS = f"""SELECT p.organisation_id FROM post p WHERE p.subdistrict_id = :here
  AND p.person_id = :officer AND {THIS} AND p.role = 'officer' AND p.organisation_id IS NOT NULL
  AND p.starts_at <= :at AND (p.ends_at IS NULL OR p.ends_at > :at)"""
ANSWERED = f"""SELECT g.id FROM post p
  JOIN assignment a ON a.subdistrict_id = :here AND a.post_id = p.id
  JOIN road_segment g ON g.subdistrict_id = :here
    AND (g.id = a.segment_id OR g.road_id = a.road_id OR g.block_id = a.block_id)
  WHERE p.subdistrict_id = :here AND p.person_id = :officer AND {THIS} AND p.role IN ({{roles}})
    AND p.starts_at <= :at AND (p.ends_at IS NULL OR p.ends_at > {{since}})
    AND a.starts_at <= :at AND (a.ends_at IS NULL OR a.ends_at > {{since}})"""
WALKED = f"""SELECT b.segment_id FROM shift w
  JOIN shift_beat b ON b.subdistrict_id = :here AND b.shift_id = w.id
  WHERE w.subdistrict_id = :here AND w.person_id = :officer AND w.state <> 'cancelled'
    AND w.starts_at > {SINCE}
    AND w.starts_at <= CAST(:at AS timestamptz) + interval '{reach.AHEAD.days} days'"""
RAISED = """SELECT t.case_id FROM case_step t WHERE t.subdistrict_id = :here
  AND t.by = :officer AND t.verb IN ('report', 'seen_again')"""
IN_REACH = f"""(CAST(:all_cases AS boolean) OR c.unit_id IN ({UNITS})
  OR c.id IN (SELECT h.case_id FROM case_helper h WHERE h.subdistrict_id = :here
    AND h.unit_id IN ({UNITS}))
  OR c.segment_id IN ({ANSWERED.format(roles=CHIEF_ROLES, since=":at")})
  OR (CAST(:patrols AS boolean) AND (
    c.segment_id IN ({ANSWERED.format(roles="'patroller'", since=SINCE)})
    OR c.segment_id IN ({WALKED}) OR c.id IN ({RAISED}))))"""
CASES = f"""FROM case_file c WHERE c.subdistrict_id = :here AND c.ended_at IS NULL
  AND c.place && {BOX} AND {IN_REACH}"""


ALL_CASES: Mapping[str, Any] = {"all_cases": True, "officer": None, "patrols": False, "post": None}


def segments_in_reach(actor: Actor | None) -> Mapping[str, Any]:
    everywhere = actor is not None and bool(actor.roles & weeks.SEES_ALL)
    own = None if everywhere or not actor else actor
    return {
        "everywhere": everywhere,
        "who": own.person_id if own else None,
        "post": own.post_id if own else None,
    }


def cases_in_reach(actor: Actor | None) -> Mapping[str, Any]:
    every = actor is not None and bool(actor.roles & reach.SEES_ALL)
    own = None if every or not actor else actor
    return {
        "all_cases": every,
        "officer": own.person_id if own else None,
        "patrols": bool(own and "patroller" in own.roles),
        "post": own.post_id if own else None,
    }


def _check_ins(_zoom: int) -> str:
    """Open storefronts with the days since the last visit that counts; without `days`: never."""
    return features(
        "check_ins",
        # least() would make 366 days of never.
        f"f.id::text AS id, CASE WHEN v.last_at IS NOT NULL THEN {DAYS} END AS days",
        "f.door",
        "FROM storefront f JOIN road_segment s "
        f"ON s.subdistrict_id = :here AND s.id = f.segment_id {LAST} "
        "WHERE f.subdistrict_id = :here AND f.closed_at IS NULL "
        f"AND f.door && {BOX} AND {OWN} "
        "ORDER BY v.last_at DESC NULLS LAST, f.id",  # what is late lies on top
        first=f"WITH {RUNNING}",
    )


def _coverage(_zoom: int) -> str:
    """Segments with their open storefronts, those never visited, and the median of days."""
    return features(
        "coverage",
        "s.id::text AS id, n.shops, n.never, n.days",
        "s.line",
        "FROM road_segment s JOIN LATERAL (SELECT count(*)::int AS shops, "
        "count(*) FILTER (WHERE v.last_at IS NULL)::int AS never, "
        f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {DAYS}) AS days "
        f"FROM storefront f {LAST} WHERE f.subdistrict_id = :here AND f.segment_id = s.id "
        "AND f.closed_at IS NULL) n ON true "
        "WHERE s.subdistrict_id = :here AND s.closed_at IS NULL "
        f"AND s.line && {BOX} AND {OWN}",
        first=f"WITH {RUNNING}",
    )


def _cases(zoom: int) -> str:
    """Running cases with their light; low: numbers by squares of a quarter tile."""
    if zoom >= CASES_FROM:
        columns = f"c.id::text AS id, c.category, c.state, {LIGHT} AS light"
        return features("cases", columns + (", c.number" if zoom >= 16 else ""), "c.place", CASES)
    square = f"ST_SnapToGrid(ST_Transform(c.place, 3857), (ST_XMax({TILE}) - ST_XMin({TILE})) / 4)"
    return (
        "(SELECT coalesce(ST_AsMVT(q, 'case_clusters', 4096, 'g'), ''::bytea) FROM ("
        "SELECT count(*)::int AS count, count(*) FILTER (WHERE :at > c.due_at)::int AS overdue, "
        f"ST_AsMVTGeom(ST_Centroid(ST_Collect(ST_Transform(c.place, 3857))), {TILE}, 4096, 0) "
        f"AS g {CASES} GROUP BY {square}) q WHERE g IS NOT NULL)"
    )


register(
    Layer(
        "check_ins",
        _check_ins,
        {"id": "String", "days": "Number"},
        (),
        lowest=SINGLE_FROM,
        public=False,
        action="patrol.chief",
        fresh_s=FRESH_S,
        values=segments_in_reach,
    )
)
register(
    Layer(
        "coverage",
        _coverage,
        {"id": "String", "shops": "Number", "never": "Number", "days": "Number"},
        (),
        lowest=14,
        public=False,
        action="patrol.chief",
        fresh_s=FRESH_S,
        values=segments_in_reach,
    )
)
register(
    Layer(
        "cases",
        _cases,
        {
            "id": "String",
            "category": "String",
            "state": "String",
            "light": "String",
            "number": "String",
        },
        (),
        public=False,
        action="issues.desk",
        fresh_s=FRESH_S,
        values=cases_in_reach,
        single_from=CASES_FROM,
        counted_as="case_clusters",
        counts={"count": "Number", "overdue": "Number"},
    )
)
