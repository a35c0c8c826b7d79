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
# The last visit that counts, of storefront `f`, not after :at; `last_at` is NULL without one.
LAST = f"""
LEFT JOIN LATERAL (
  SELECT c.occurred_at AS last_at FROM check_in c {REVIEW}
  WHERE c.subdistrict_id = :here AND c.storefront_id = f.id AND c.occurred_at <= :at
    AND {COUNTS}
  ORDER BY c.occurred_at DESC LIMIT 1
) v ON true
"""
