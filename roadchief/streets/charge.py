"""Reads: who answers for which streets, where nobody does, and where two of one level do."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.streets.chiefs import MAY_ANSWER

# Who holds an assignment now. MATERIALIZED, so that it is made once whatever the statistics say:
# after a big import they are stale, and made again for each segment it runs into the time limit.
RUNNING = """
running AS MATERIALIZED (
  SELECT a.id, a.segment_id, a.road_id, a.block_id, a.post_id, a.starts_at,
         a.ends_at,
         a.acting_for_id IS NOT NULL AS acting, p.person_id, p.title, p.role, p.capacity, p.level,
         p.starts_at AS post_starts_at, p.organisation_id
  FROM assignment a JOIN post p ON p.subdistrict_id = a.subdistrict_id AND p.id = a.post_id
  WHERE a.subdistrict_id = :here AND a.starts_at <= :at AND (a.ends_at IS NULL OR a.ends_at > :at)
    AND (p.ends_at IS NULL OR p.ends_at > :at)
)"""


def _reach(scope: str, joined: str, source: str = "running") -> str:
    """Assignments of one scope on the segments that they reach."""
    return (
        f"SELECT s.id AS segment_id, '{scope}' AS scope, r.id AS assignment_id, r.post_id, "
        "r.person_id, r.title, r.role, r.capacity, r.level, r.starts_at, r.ends_at, r.acting, "
        "r.post_starts_at, r.organisation_id "
        f"FROM road_segment s JOIN {source} r ON {joined} "
        "WHERE s.subdistrict_id = :here AND s.closed_at IS NULL "
        "AND (CAST(:segments AS uuid[]) IS NULL OR s.id = ANY(:segments))"
    )


# They reach a segment directly, by its road, or by its block; those of right come first.
REACHED = (
    f"WITH {RUNNING}, reached AS MATERIALIZED ("
    + _reach("segment", "r.segment_id = s.id")
    + " UNION ALL "
    + _reach("road", "r.road_id = s.road_id")
    + " UNION ALL "
    + _reach("block", "r.block_id = s.block_id")
    + ") "
)
CHARGE = (
    REACHED + "SELECT c.*, n.name AS person, o.office_phone FROM reached c "
    "JOIN person n ON n.subdistrict_id = :here AND n.id = c.person_id "
    "LEFT JOIN organisation o ON o.subdistrict_id = :here AND o.id = c.organisation_id "
    "ORDER BY c.acting, c.level NULLS LAST, c.post_starts_at"
)
# covered: somebody of right; acting: only a stand-in; gap: nobody. Who walks it as work is no
# chief and fills no gap. Asked as `IN (SELECT …)`, which
# PostgreSQL answers from a hash whatever it thinks of sizes: joins went quadratic after an import.
IN_CHARGE = "in_charge AS MATERIALIZED (SELECT * FROM running WHERE role <> 'patroller')"
STATE = """CASE
  WHEN s.id IN (SELECT segment_id FROM in_charge WHERE segment_id IS NOT NULL AND NOT acting)
    OR s.road_id IN (SELECT road_id FROM in_charge WHERE road_id IS NOT NULL AND NOT acting)
    OR s.block_id IN (SELECT block_id FROM in_charge WHERE block_id IS NOT NULL AND NOT acting)
  THEN 'covered'
  WHEN s.id IN (SELECT segment_id FROM in_charge WHERE segment_id IS NOT NULL)
    OR s.road_id IN (SELECT road_id FROM in_charge WHERE road_id IS NOT NULL)
    OR s.block_id IN (SELECT block_id FROM in_charge WHERE block_id IS NOT NULL)
  THEN 'acting' ELSE 'gap' END"""
STATES = f"""
WITH {RUNNING}, {IN_CHARGE} SELECT s.id, {STATE} AS state
FROM road_segment s WHERE s.subdistrict_id = :here AND s.closed_at IS NULL
"""


# Two of right of one level on one segment, whatever brought them there.
OVERLAPS = (
    REACHED
    + """
SELECT c.segment_id, s.name, s.code, c.role, c.level, string_agg(DISTINCT n.name, '、') AS people
FROM reached c
JOIN road_segment s ON s.subdistrict_id = :here AND s.id = c.segment_id
JOIN person n ON n.subdistrict_id = :here AND n.id = c.person_id
WHERE NOT c.acting
GROUP BY 1, 2, 3, 4, 5 HAVING count(DISTINCT c.person_id) > 1
ORDER BY s.name, s.code, c.level NULLS LAST, c.role
"""
)
# Everything that one person answers or answered for.
OF_PERSON = """
SELECT a.id, a.starts_at, a.ends_at, a.ended_because, p.title, p.role, p.level,
  p.ends_at AS post_ends_at,
  CASE WHEN a.road_id IS NOT NULL THEN 'road' WHEN a.segment_id IS NOT NULL THEN 'segment'
    ELSE 'block' END AS scope,
  coalesce(a.road_id, a.segment_id, a.block_id) AS scope_id,
  coalesce(r.name, s.name, b.name) AS name, n.name AS acting_for
FROM post p
JOIN assignment a ON a.subdistrict_id = p.subdistrict_id AND a.post_id = p.id
LEFT JOIN road r ON r.subdistrict_id = a.subdistrict_id AND r.id = a.road_id
LEFT JOIN road_segment s ON s.subdistrict_id = a.subdistrict_id AND s.id = a.segment_id
LEFT JOIN street_block b ON b.subdistrict_id = a.subdistrict_id AND b.id = a.block_id
LEFT JOIN assignment o ON o.subdistrict_id = a.subdistrict_id AND o.id = a.acting_for_id
LEFT JOIN post q ON q.subdistrict_id = o.subdistrict_id AND q.id = o.post_id
LEFT JOIN person n ON n.subdistrict_id = q.subdistrict_id AND n.id = q.person_id
WHERE p.subdistrict_id = :here AND p.person_id = :person
ORDER BY a.ends_at DESC NULLS FIRST, a.starts_at DESC LIMIT 500
"""
# Running assignments of one road or block itself.
OF_SCOPE = """
SELECT a.id, a.starts_at, a.ends_at, p.title, p.role, p.level, p.person_id, n.name AS person,
  a.acting_for_id IS NOT NULL AS acting
FROM assignment a
JOIN post p ON p.subdistrict_id = a.subdistrict_id AND p.id = a.post_id
JOIN person n ON n.subdistrict_id = p.subdistrict_id AND n.id = p.person_id
WHERE a.subdistrict_id = :here AND a.{column} = :scope
  AND (a.ends_at IS NULL OR a.ends_at > :at) AND (p.ends_at IS NULL OR p.ends_at > :at)
ORDER BY a.acting_for_id IS NOT NULL, p.level NULLS LAST, a.starts_at
"""


def segment_states(session: Session, *, at: datetime) -> dict[uuid.UUID, str]:
    """State of every open segment: covered, acting or gap."""
    rows = session.execute(text(STATES), {"here": tenant_of(session), "at": at})
    return {row.id: row.state for row in rows}


def charge(
    session: Session,
    *,
    at: datetime,
    segment_id: uuid.UUID | None = None,
    among: list[uuid.UUID] | None = None,
) -> list[Any]:
    """Who answers now, those of right first: for one segment, some (`among`), or all."""
    wanted = [segment_id] if segment_id else among
    values = {"here": tenant_of(session), "at": at, "segments": wanted}
    rows = session.execute(text(CHARGE), values)
    return list(rows)


def overlaps(session: Session, *, at: datetime) -> list[Any]:
    """Segments with several people of one role and level, all of right. 双路长制 is one of them."""
    values = {"here": tenant_of(session), "at": at, "segments": None}
    return list(session.execute(text(OVERLAPS), values))


def of_person(session: Session, person_id: uuid.UUID) -> list[Any]:
    """What a person answers for, running first, then what is over."""
    return list(session.execute(text(OF_PERSON), {"here": tenant_of(session), "person": person_id}))


def of_road(session: Session, road_id: uuid.UUID, *, at: datetime) -> list[Any]:
    """Who answers for the whole road, now or soon."""
    return _of_scope(session, "road_id", road_id, at=at)


def of_block(session: Session, block_id: uuid.UUID, *, at: datetime) -> list[Any]:
    return _of_scope(session, "block_id", block_id, at=at)


def _of_scope(session: Session, column: str, scope: uuid.UUID, *, at: datetime) -> list[Any]:
    values = {"here": tenant_of(session), "scope": scope, "at": at}
    return list(session.execute(text(OF_SCOPE.format(column=column)), values))


def posts_that_may_answer(session: Session, *, at: datetime) -> list[Any]:
    """(post id, person, title) of running posts that may take a street."""
    rows = session.execute(
        text(
            "SELECT p.id, n.name, p.title FROM post p JOIN person n "
            "ON n.subdistrict_id = p.subdistrict_id AND n.id = p.person_id "
            "WHERE p.subdistrict_id = :here AND p.role = ANY(:roles) AND p.starts_at <= :at "
            "AND (p.ends_at IS NULL OR p.ends_at > :at) ORDER BY p.level NULLS LAST, n.name"
        ),
        {"here": tenant_of(session), "roles": sorted(MAY_ANSWER), "at": at},
    )
    return list(rows)
