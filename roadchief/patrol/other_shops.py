"""Another shop than the register's, as patrollers told it: until the register has caught up."""

import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of

# The last that was told of storefront `f` since :told_since, while the running tenancy neither
# has that sign nor is younger.
LAST_TOLD = """
(SELECT jsonb_build_object('sign_name', o.sign_name, 'uscc', o.uscc, 'at', o.occurred_at)
 FROM other_shop o WHERE o.subdistrict_id = :here AND o.storefront_id = f.id
   AND o.occurred_at > :told_since
   AND NOT EXISTS (SELECT FROM tenancy t WHERE t.subdistrict_id = :here AND t.ends_on IS NULL
     AND t.storefront_id = f.id AND (t.sign_name = o.sign_name
       OR t.starts_on > (o.occurred_at AT TIME ZONE 'Asia/Shanghai')::date))
 ORDER BY o.occurred_at DESC LIMIT 1) AS other_shop
"""
TOLD = text(
    """
SELECT o.id, o.sign_name, o.uscc, o.note, o.occurred_at, n.name AS person,
  array(SELECT b.id FROM item_photo p JOIN blob b ON b.subdistrict_id = :here
    AND b.source_sha256 = encode(p.sha256, 'hex') AND b.state = 'kept'
    WHERE p.subdistrict_id = :here AND p.item_id = o.id ORDER BY p.id) AS photos,
  (SELECT count(*) FROM item_photo p
   WHERE p.subdistrict_id = :here AND p.item_id = o.id) AS promised
FROM other_shop o JOIN person n ON n.subdistrict_id = :here AND n.id = o.person_id
WHERE o.subdistrict_id = :here AND o.storefront_id = :storefront
ORDER BY o.occurred_at DESC, o.id DESC LIMIT 20
"""
)


def told(session: Session, storefront_id: uuid.UUID) -> list[Any]:
    """What patrollers told of this storefront, the latest first, with the photos that have come."""
    values = {"here": tenant_of(session), "storefront": storefront_id}
    return list(session.execute(TOLD, values))
