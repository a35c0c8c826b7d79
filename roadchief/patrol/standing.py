"""Which visits count: the one definition for lists, coverage, maps and reports, in SQL.

A visit counts when it was verified, or weak and approved in review; never when a reviewer
refused or removed it. A weak one that nobody has looked at is provisional. Self-checks are the
merchant's and never a patrol's.
"""

# `c` is check_in, `w` its review (LEFT JOIN).
REVIEW = "LEFT JOIN review w ON w.subdistrict_id = c.subdistrict_id AND w.id = c.id"
COUNTS = (
    "c.purpose <> 'self_check' AND coalesce(w.state, '') NOT IN ('refused', 'removed') "
    "AND (c.outcome = 'verified' OR w.state = 'approved')"
)
PROVISIONAL = (
    "c.purpose <> 'self_check' AND coalesce(w.state, '') NOT IN ('refused', 'removed', 'approved') "
    "AND c.outcome = 'weak'"
)


def _last_visit(when: str) -> str:
    return f"""
LEFT JOIN LATERAL (
  SELECT c.occurred_at AS last_at FROM check_in c {REVIEW}
  WHERE c.subdistrict_id = :here AND c.storefront_id = f.id AND {when}
    AND {COUNTS}
  ORDER BY c.occurred_at DESC LIMIT 1
) v ON true
"""


# The last visit that counts, of storefront `f`, not after :at; `last_at` is NULL without one.
LAST = _last_visit("c.occurred_at <= :at")
# The same where most have one since :since: these are gathered first, and only who has none is
# asked alone, for what was before.
LATELY = f"""
lately AS MATERIALIZED (
  SELECT c.storefront_id, max(c.occurred_at) FILTER (WHERE {COUNTS}) AS last_at,
    bool_or({PROVISIONAL} AND c.occurred_at < :at) AS provisional
  FROM check_in c {REVIEW}
  WHERE c.subdistrict_id = :here AND c.occurred_at >= :since AND c.occurred_at <= :at
  GROUP BY c.storefront_id
)"""
LATELY_OR_LAST = "LEFT JOIN lately l ON l.storefront_id = f.id" + _last_visit(
    "l.last_at IS NULL AND c.occurred_at < :since"
)
