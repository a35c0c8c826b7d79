"""What a file brings that is here already, under the name of another source.

Rows are kept apart by source: a corrected file updates what came from its own. Under another name
(a browser calls the second download "shops (1)") the same shops would stand there twice.
"""

from collections import Counter
from collections.abc import Sequence

import shapely
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from roadchief.db import tenant_of
from roadchief.streets import naming
from roadchief.streets.importing.checking import Rows
from roadchief.streets.models import Road

AROUND_DEG = 0.0002  # some 20 m: a door set anew, not the next shop of the same chain
_SAME_DOORS = text(
    "SELECT s.source, count(DISTINCT s.id)"
    " FROM unnest(CAST(:names AS text[]), CAST(:lons AS float8[]), CAST(:lats AS float8[]))"
    "  AS given(name, lon, lat)"
    " JOIN storefront s ON s.subdistrict_id = :here AND s.closed_at IS NULL"
    "  AND s.source <> :source AND s.name = given.name"
    "  AND s.door && ST_Expand(ST_SetSRID(ST_MakePoint(given.lon, given.lat), 4326), :around)"
    " GROUP BY s.source"
)


def of_roads(session: Session, names: Sequence[str], *, source: str) -> Counter[str]:
    """Open roads of these names, counted by the other source that they came from."""
    wanted = {naming.road_name(name) for name in names} - {""}
    found = session.execute(
        select(Road.source, func.count())
        .where(Road.subdistrict_id == tenant_of(session), Road.closed_at.is_(None))
        .where(Road.source != source, Road.name.in_(wanted))
        .group_by(Road.source)
    )
    return Counter({str(row[0]): int(row[1]) for row in found})


def of_doors(session: Session, rows: Rows, *, source: str) -> Counter[str]:
    """Open storefronts of the same name at the same place, counted by their other source."""
    if not len(rows):
        return Counter()
    middles = shapely.get_coordinates(shapely.centroid(rows.shapes))
    given = {
        "names": rows.text("name").to_pylist(),
        "lons": middles[:, 0].tolist(),
        "lats": middles[:, 1].tolist(),
    }
    about = {"here": tenant_of(session), "source": source, "around": AROUND_DEG}
    return Counter(
        {str(row[0]): int(row[1]) for row in session.execute(_SAME_DOORS, given | about)}
    )
