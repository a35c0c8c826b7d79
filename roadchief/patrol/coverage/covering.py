"""Coverage, freshness and effort of segments in a window of time, from the rows."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.patrol.coverage import measures
from roadchief.patrol.standing import COUNTS, LAST, LATELY, LATELY_OR_LAST, PROVISIONAL, REVIEW

PORTION = 2000  # storefronts at a time, where all are asked for
EXCUSES = "('closed', 'demolished', 'refused', 'unsafe')"
PROVISIONAL_ONE = f"""EXISTS (SELECT FROM check_in c {REVIEW} WHERE c.subdistrict_id = :here
              AND c.storefront_id = f.id AND c.occurred_at >= :since AND c.occurred_at < :at
              AND {PROVISIONAL})"""


def _shops(before: str, last_at: str, provisional: str, last: str) -> TextClause:
    """One row a storefront, the longest unseen first, beside the sums over all of them. A
    storefront is verified in the window when its last visit that counts lies in it."""
    return text(
        f"""
WITH {before} s AS MATERIALIZED (
  SELECT f.id, f.segment_id, f.name, f.address, {last_at} AS last_at,
    CASE WHEN {last_at} >= :since THEN 'verified'
         WHEN {provisional} THEN 'provisional'
         WHEN EXISTS (SELECT FROM missed_visit m WHERE m.subdistrict_id = :here
              AND m.storefront_id = f.id AND m.occurred_at >= :since AND m.occurred_at < :at
              AND m.because IN {EXCUSES}) THEN 'excused' ELSE '' END AS state
  FROM storefront f {last}
  WHERE f.subdistrict_id = :here AND f.closed_at IS NULL AND f.segment_id IS NOT NULL
    AND f.opened_at < :at AND (CAST(:segments AS uuid[]) IS NULL OR f.segment_id = ANY(:segments))
), total AS (
  SELECT count(*) AS due, count(*) FILTER (WHERE state = 'verified') AS verified,
    count(*) FILTER (WHERE state = 'provisional') AS provisional,
    count(*) FILTER (WHERE state = 'excused') AS excused,
    count(*) FILTER (WHERE last_at IS NULL) AS never,
    percentile_cont(ARRAY[0.5, 0.9, 1]) WITHIN GROUP (ORDER BY
      extract(epoch FROM CAST(:at AS timestamptz) - last_at) / 86400) AS ages
  FROM s
)
SELECT total.*, t.* FROM total
LEFT JOIN (SELECT * FROM s ORDER BY last_at NULLS FIRST, address, id
           LIMIT CAST(:size AS bigint) OFFSET :skip) t ON true
ORDER BY t.last_at NULLS FIRST, t.address, t.id
"""
    )


SHOPS_OF_SOME = _shops("", "v.last_at", PROVISIONAL_ONE, LAST)
# Whoever sees all of a big sub-district: no question for each door, but for those not seen lately.
SHOPS_OF_ALL = _shops(
    f"{LATELY},", "coalesce(l.last_at, v.last_at)", "l.provisional", LATELY_OR_LAST
)
# Metres of each segment under the union of what was walked and of the frontages visited.
LENGTHS = text(
    f"""
WITH pieces AS (
  SELECT k.segment_id, numrange(greatest(k.from_m, 0)::numeric, k.to_m::numeric) AS piece
  FROM covered_stretch k
  WHERE k.subdistrict_id = :here AND k.at >= :since AND k.at < :at AND k.to_m > 0
    AND (CAST(:segments AS uuid[]) IS NULL OR k.segment_id = ANY(:segments))
  UNION ALL
  SELECT f.segment_id, numrange(
    greatest(f.measure_m - u.half_m, 0)::numeric, (f.measure_m + u.half_m)::numeric)
  FROM (
    SELECT DISTINCT c.storefront_id FROM check_in c {REVIEW}
    WHERE c.subdistrict_id = :here AND c.occurred_at >= :since AND c.occurred_at < :at
      AND {COUNTS} AND (CAST(:segments AS uuid[]) IS NULL OR c.segment_id = ANY(:segments))
  ) d
  JOIN storefront f ON f.subdistrict_id = :here AND f.id = d.storefront_id
  CROSS JOIN LATERAL (SELECT coalesce(ST_Length(f.frontage::geography) / 2, 2) AS half_m) u
  WHERE f.segment_id IS NOT NULL AND f.measure_m + u.half_m > 0
), merged AS (
  SELECT segment_id, unnest(range_agg(piece)) AS piece FROM pieces GROUP BY segment_id
)
SELECT g.id, g.name, g.code, g.length_m, g.key_road,
  coalesce(sum(least(upper(m.piece), g.length_m::numeric) - lower(m.piece))
    FILTER (WHERE lower(m.piece) < g.length_m::numeric), 0)::float8 AS covered_m
FROM road_segment g LEFT JOIN merged m ON m.segment_id = g.id
WHERE g.subdistrict_id = :here AND g.closed_at IS NULL
  AND (CAST(:segments AS uuid[]) IS NULL OR g.id = ANY(:segments))
GROUP BY g.subdistrict_id, g.id, g.name, g.code, g.length_m, g.key_road
ORDER BY g.name, g.code
"""
)
FIRST = text(
    """
SELECT g.id FROM road_segment g
WHERE g.subdistrict_id = :here AND g.closed_at IS NULL
  AND (CAST(:segments AS uuid[]) IS NULL OR g.id = ANY(:segments))
ORDER BY g.name, g.code LIMIT :streets
"""
)
NAMES = text(
    """
SELECT g.id, g.name FROM road_segment g
WHERE g.subdistrict_id = :here AND g.closed_at IS NULL
  AND (CAST(:segments AS uuid[]) IS NULL OR g.id = ANY(:segments))
"""
)
EFFORT = text(
    f"""
SELECT
  (SELECT count(*) FROM check_in c {REVIEW} WHERE c.subdistrict_id = :here
    AND c.occurred_at >= :since AND c.occurred_at < :at AND {COUNTS}
    AND (CAST(:segments AS uuid[]) IS NULL OR c.segment_id = ANY(:segments))) AS verified,
  (SELECT coalesce(sum(k.to_m - k.from_m), 0) FROM covered_stretch k
    WHERE k.subdistrict_id = :here AND k.at >= :since AND k.at < :at
    AND (CAST(:segments AS uuid[]) IS NULL OR k.segment_id = ANY(:segments))) AS walked_m,
  (SELECT coalesce(sum(extract(epoch FROM s.closed_at - s.started_at)), 0) / 3600 FROM shift s
    WHERE s.subdistrict_id = :here AND s.starts_at >= :since AND s.starts_at < :at
    AND s.started_at IS NOT NULL AND s.closed_at > s.started_at
    AND (CAST(:segments AS uuid[]) IS NULL OR EXISTS (SELECT FROM shift_beat b
         WHERE b.subdistrict_id = :here AND b.shift_id = s.id
         AND b.segment_id = ANY(:segments)))) AS hours
"""
)
VISITS = text(
    f"""
SELECT c.storefront_id, array_agg(c.occurred_at ORDER BY c.occurred_at) AS visits
FROM check_in c {REVIEW}
WHERE c.subdistrict_id = :here AND c.occurred_at >= :since AND c.occurred_at < :at AND {COUNTS}
  AND (CAST(:segments AS uuid[]) IS NULL OR c.segment_id = ANY(:segments))
GROUP BY c.storefront_id HAVING count(*) >= 3
"""
)


@dataclass(frozen=True)
class Covered:
    """What was seen of some segments between two instants."""

    bands: measures.Bands
    freshness: measures.Freshness
    segments: list[Any]  # id, name, code, length_m, covered_m
    shops: list[Any]  # id, segment_id, name, address, last_at, state; the longest unseen first
    effort: tuple[float, float] | None

    @property
    def length_share(self) -> float | None:
        total = sum(row.length_m for row in self.segments)
        return sum(row.covered_m for row in self.segments) / total if total else None


def look(
    session: Session,
    segments: Sequence[uuid.UUID] | None,
    *,
    since: datetime,
    at: datetime,
    size: int | None = None,
    skip: int = 0,
) -> Covered:
    """Coverage of these segments (None: all) in three questions; `size` storefronts of the list."""
    values = _values(session, segments, since, at)
    effort = session.execute(EFFORT, values).one()
    return _covered(
        list(session.execute(_of(segments), values | {"size": size, "skip": skip})),
        list(session.execute(LENGTHS, values)),
        measures.effort(effort.verified, float(effort.walked_m), float(effort.hours)),
    )


def glance(
    session: Session,
    segments: Sequence[uuid.UUID] | None,
    *,
    since: datetime,
    at: datetime,
    size: int,
    streets: int,
) -> Covered:
    """The same without effort, and with the length of the first few streets only."""
    values = _values(session, segments, since, at)
    first = list(session.scalars(FIRST, values | {"streets": streets}))
    return _covered(
        list(session.execute(_of(segments), values | {"size": size, "skip": 0})),
        list(session.execute(LENGTHS, values | {"segments": first})),
        None,
    )


def each_shop(
    session: Session,
    segments: Sequence[uuid.UUID] | None,
    *,
    since: datetime,
    at: datetime,
) -> Iterator[tuple[Any, str]]:
    """Every storefront of these segments with the name of its own, the longest unseen first. They
    come in portions by a cursor of the database, so a big sub-district needs no more memory."""
    values = _values(session, segments, since, at)
    names = {row.id: row.name for row in session.execute(NAMES, values)}
    found = session.execute(
        _of(segments),
        values | {"size": None, "skip": 0},
        execution_options={"yield_per": PORTION},
    )
    for row in found:
        if row.id is not None:
            yield row, names.get(row.segment_id, "")


def _of(segments: Sequence[uuid.UUID] | None) -> TextClause:
    return SHOPS_OF_ALL if segments is None else SHOPS_OF_SOME


def _values(
    session: Session, segments: Sequence[uuid.UUID] | None, since: datetime, at: datetime
) -> dict[str, Any]:
    own = None if segments is None else list(segments)
    return {"here": tenant_of(session), "segments": own, "since": since, "at": at}


def _covered(shops: list[Any], streets: list[Any], effort: tuple[float, float] | None) -> Covered:
    total = shops[0]
    ages = [None if age is None else float(age) for age in total.ages or (None, None, None)]
    return Covered(
        bands=measures.Bands(total.due, total.verified, total.provisional, total.excused),
        freshness=measures.Freshness(ages[0], ages[1], ages[2], total.never),
        segments=streets,
        shops=[row for row in shops if row.id is not None],
        effort=effort,
    )


def regularity(
    session: Session, segments: Sequence[uuid.UUID] | None, *, since: datetime, at: datetime
) -> float | None:
    """Mean spread of the gaps between visits, in days, of storefronts with three or more."""
    values = _values(session, segments, since, at)
    spreads = [
        spread
        for row in session.execute(VISITS, values)
        if (spread := measures.regularity(row.visits)) is not None
    ]
    return sum(spreads) / len(spreads) if spreads else None
