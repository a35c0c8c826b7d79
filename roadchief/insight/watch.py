"""What the night looks for: each question is one pass over rows that are there anyway.

Every question answers rows of (subject_id, segment_id, title, weight, facts).
"""

from sqlalchemy import text

# Open cases past their limit, by segment.
OVERDUE = text(
    """
SELECT s.id AS subject_id, s.id AS segment_id, s.name AS title,
  (count(*) + (:black - 1) * count(*) FILTER (WHERE c.black_at <= :at))::float AS weight,
  jsonb_build_object('cases', count(*), 'black', count(*) FILTER (WHERE c.black_at <= :at),
    'oldest_due', min(c.due_at)) AS facts
FROM case_file c JOIN road_segment s ON s.subdistrict_id = :here AND s.id = c.segment_id
WHERE c.subdistrict_id = :here AND c.ended_at IS NULL AND c.due_at < :at
  AND c.master_id IS NULL AND c.paused_at IS NULL
GROUP BY s.id, s.name
"""
)
# Storefronts without a verified visit for too long; one never visited counts from its opening.
SILENCE = text(
    """
WITH seen AS MATERIALIZED (
  SELECT storefront_id, max(occurred_at) AS last_at FROM check_in
  WHERE subdistrict_id = :here AND outcome = 'verified' AND purpose <> 'self_check'
  GROUP BY storefront_id
)
SELECT f.id AS subject_id, f.segment_id, coalesce(f.name, f.address) AS title,
  (extract(epoch FROM :at - coalesce(v.last_at, f.opened_at)) / 86400)::float AS weight,
  jsonb_build_object('days', floor(extract(epoch FROM :at - coalesce(v.last_at, f.opened_at))
    / 86400), 'last_at', v.last_at, 'address', f.address) AS facts
FROM storefront f LEFT JOIN seen v ON v.storefront_id = f.id
WHERE f.subdistrict_id = :here AND f.closed_at IS NULL AND f.segment_id IS NOT NULL
  AND coalesce(v.last_at, f.opened_at) < :silent_since
"""
)
# The same class at the same storefront again and again.
REPEAT = text(
    """
SELECT f.id AS subject_id, f.segment_id, coalesce(f.name, f.address) AS title,
  sum(g.times)::float AS weight,
  jsonb_build_object('address', f.address, 'classes',
    jsonb_object_agg(g.category, g.times)) AS facts
FROM (SELECT storefront_id, category, count(*) AS times FROM case_file
  WHERE subdistrict_id = :here AND reported_at > :repeat_since AND storefront_id IS NOT NULL
    AND state NOT IN ('rejected', 'duplicate')
  GROUP BY 1, 2 HAVING count(*) >= :times) g
JOIN storefront f ON f.subdistrict_id = :here AND f.id = g.storefront_id
GROUP BY f.id, f.segment_id, f.name, f.address
"""
)
# A tenancy runs, but patrol found it shut or gone, or without its licence again and again; a
# later source calls the shop by another name than the one it was let under; or a patroller read
# another sign or licence there since the tenancy began, or any where none runs. `only`: one shop.
TURNOVER = text(
    """
WITH told AS MATERIALIZED (
  SELECT DISTINCT ON (storefront_id) storefront_id, sign_name, uscc, occurred_at,
    (occurred_at AT TIME ZONE 'Asia/Shanghai')::date AS day FROM other_shop
  WHERE subdistrict_id = :here AND occurred_at > :told_since
  ORDER BY storefront_id, occurred_at DESC, id
), other AS MATERIALIZED (
  SELECT o.*, t.id AS tenancy_id FROM told o
  LEFT JOIN tenancy t ON t.subdistrict_id = :here AND t.storefront_id = o.storefront_id
    AND t.ends_on IS NULL
  LEFT JOIN merchant m ON m.subdistrict_id = :here AND m.id = t.merchant_id
  WHERE t.id IS NULL OR (o.day >= t.starts_on
    AND (lower(translate(o.sign_name, ' 　·.', '')) <> lower(translate(t.sign_name, ' 　·.', ''))
         OR o.uscc <> coalesce(m.uscc, '')))
), shut AS MATERIALIZED (
  SELECT storefront_id, count(*) AS visits, max(occurred_at) AS last_at FROM missed_visit
  WHERE subdistrict_id = :here AND because IN ('closed', 'demolished')
    AND occurred_at > :turnover_since
  GROUP BY 1 HAVING count(*) >= :visits
), bare AS MATERIALIZED (
  SELECT storefront_id, count(*) AS times FROM finding
  WHERE subdistrict_id = :here AND item = :licence_item AND occurred_at > :turnover_since
    AND storefront_id IS NOT NULL
  GROUP BY 1 HAVING count(*) >= :licence_times
), named AS (
  SELECT f.id, f.segment_id, f.address, f.name, t.sign_name,
    lower(translate(coalesce(f.name, ''), ' 　·.', ''))
      <> lower(translate(t.sign_name, ' 　·.', '')) AS other
  FROM tenancy t JOIN storefront f ON f.subdistrict_id = :here AND f.id = t.storefront_id
  WHERE t.subdistrict_id = :here AND t.ends_on IS NULL AND f.closed_at IS NULL
    AND (CAST(:only AS uuid) IS NULL OR f.id = :only)
  UNION ALL
  SELECT f.id, f.segment_id, f.address, f.name, coalesce(f.name, f.address), false
  FROM other o JOIN storefront f ON f.subdistrict_id = :here AND f.id = o.storefront_id
  WHERE o.tenancy_id IS NULL AND f.closed_at IS NULL
    AND (CAST(:only AS uuid) IS NULL OR f.id = :only)
)
SELECT n.id AS subject_id, n.segment_id, n.sign_name AS title,
  (coalesce(s.visits, 0) + coalesce(b.times, 0) + CASE WHEN n.other THEN 2 ELSE 0 END
    + CASE WHEN o.day IS NOT NULL THEN 3 ELSE 0 END)::float AS weight,
  jsonb_strip_nulls(jsonb_build_object('visits', s.visits, 'last_at', s.last_at,
    'licence', b.times, 'called', CASE WHEN n.other THEN coalesce(n.name, '') END,
    'told_at', o.occurred_at, 'sign', o.sign_name, 'uscc', o.uscc,
    'vacant', CASE WHEN o.day IS NOT NULL AND o.tenancy_id IS NULL THEN true END,
    'address', n.address)) AS facts
FROM named n LEFT JOIN shut s ON s.storefront_id = n.id LEFT JOIN bare b ON b.storefront_id = n.id
LEFT JOIN other o ON o.storefront_id = n.id
WHERE n.other OR s.visits IS NOT NULL OR b.times IS NOT NULL OR o.day IS NOT NULL
"""
)
# Alarms of plates that nobody has settled.
COPIED = text(
    """
SELECT p.id AS subject_id, coalesce(p.segment_id, f.segment_id) AS segment_id,
  p.number AS title, sum(a.times)::float AS weight,
  jsonb_build_object('address', max(f.address), 'alarms', jsonb_object_agg(a.kind, a.times))
    AS facts
FROM plate_alarm a JOIN plate p ON p.subdistrict_id = :here AND p.id = a.plate_id
LEFT JOIN storefront f ON f.subdistrict_id = :here AND f.id = p.storefront_id
WHERE a.subdistrict_id = :here AND a.settled_at IS NULL AND a.kind IN ('far', 'burst', 'dead')
  AND a.last_at > :copied_since
GROUP BY p.id, p.segment_id, f.segment_id, p.number
"""
)
QUESTIONS = {
    "overdue": (OVERDUE, "segment"),
    "silence": (SILENCE, "storefront"),
    "repeat": (REPEAT, "storefront"),
    "turnover": (TURNOVER, "storefront"),
    "copied": (COPIED, "plate"),
}
# What the risk of each open segment is reckoned from, one row a segment.
FACTS = text(
    """
WITH cases AS MATERIALIZED (
  SELECT segment_id, count(*) FILTER (WHERE ended_at IS NULL) AS open_case,
    count(*) FILTER (WHERE ended_at IS NULL AND due_at < :at AND paused_at IS NULL
      AND master_id IS NULL) AS late_case,
    count(*) FILTER (WHERE state NOT IN ('rejected', 'duplicate')) AS all_cases
  FROM case_file WHERE subdistrict_id = :here AND segment_id IS NOT NULL
    AND (ended_at IS NULL OR reported_at > :risk_since)
  GROUP BY 1
), found AS MATERIALIZED (
  SELECT segment_id, count(*) AS severe FROM finding
  WHERE subdistrict_id = :here AND occurred_at > :risk_since AND severity IN ('S', 'X')
  GROUP BY 1
), shops AS MATERIALIZED (
  SELECT segment_id, count(*) AS shops FROM storefront
  WHERE subdistrict_id = :here AND closed_at IS NULL AND segment_id IS NOT NULL GROUP BY 1
), hints AS MATERIALIZED (
  SELECT segment_id, count(*) FILTER (WHERE kind = 'silence') AS silent,
    count(*) FILTER (WHERE kind = 'repeat') AS again
  FROM hint WHERE subdistrict_id = :here AND state = 'open' AND segment_id IS NOT NULL GROUP BY 1
)
SELECT s.id, coalesce(c.open_case, 0) AS open_case, coalesce(c.late_case, 0) AS late_case,
  coalesce(h.again, 0) AS repeat_place, coalesce(f.severe, 0) AS severe_finding,
  coalesce(100.0 * h.silent / nullif(n.shops, 0), 0)::float AS silent_share,
  coalesce(c.all_cases, 0) AS all_cases, ST_X(ST_LineInterpolatePoint(s.line, 0.5)) AS lon,
  ST_Y(ST_LineInterpolatePoint(s.line, 0.5)) AS lat
FROM road_segment s LEFT JOIN cases c ON c.segment_id = s.id
LEFT JOIN found f ON f.segment_id = s.id LEFT JOIN shops n ON n.segment_id = s.id
LEFT JOIN hints h ON h.segment_id = s.id
WHERE s.subdistrict_id = :here AND s.closed_at IS NULL ORDER BY s.id
"""
)
# Density clusters of cases, in metres on the spheroid's local scale.
CLUSTERS = text(
    """
WITH c AS (
  SELECT id, category, place, ST_ClusterDBSCAN(ST_Transform(place, 3857),
    :within_m / cos(radians(:lat)), :least) OVER () AS cluster
  FROM case_file WHERE subdistrict_id = :here AND reported_at > :hot_since
    AND place IS NOT NULL AND state NOT IN ('rejected', 'duplicate')
), g AS (
  SELECT cluster, category, count(*) AS n FROM c WHERE cluster IS NOT NULL GROUP BY 1, 2
)
SELECT c.cluster, count(*)::int AS cases, ST_X(ST_Centroid(ST_Collect(c.place))) AS lon,
  ST_Y(ST_Centroid(ST_Collect(c.place))) AS lat,
  (SELECT jsonb_object_agg(g.category, g.n) FROM g WHERE g.cluster = c.cluster) AS classes,
  ST_Length(ST_LongestLine(ST_Collect(c.place), ST_Collect(c.place))::geography) / 2 AS radius_m
FROM c WHERE c.cluster IS NOT NULL GROUP BY c.cluster ORDER BY cases DESC LIMIT 200
"""
)
