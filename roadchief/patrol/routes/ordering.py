"""From rows of storefronts to the walk over them: degrees become metres, walk.py decides."""

from collections.abc import Sequence
from typing import Any

import shapely
from sqlalchemy import Row

from roadchief.db import from_hex
from roadchief.lib.geo import Plane
from roadchief.patrol.routes import walk
from roadchief.patrol.routes.route import Stop
from roadchief.streets.models import RoadSegment


def of(rows: Sequence[Row[Any]], segments: Sequence[RoadSegment]) -> walk.Walk:
    """The storefronts of the segments in walking order; segments in the order of the beat."""
    if not rows:
        return walk.choose([], [])
    doors = [from_hex(row.door) for row in rows]
    plane = Plane.around(shapely.multipoints(doors))
    shops = [
        walk.Shop(
            Stop(row.id, row.road_id, row.segment_seq, row.side, row.measure_m),
            row.segment_id,
            (float(x), float(y)),
        )
        for row, (x, y) in zip(rows, shapely.get_coordinates(plane.flat(doors)), strict=True)
    ]
    pieces = []
    for one in segments:
        (begin, *_, end) = shapely.get_coordinates(plane.flat(one.line)).tolist()
        pieces.append(walk.Piece(one.id, tuple(begin), tuple(end), one.length_m))
    return walk.choose(shops, pieces, list(dict.fromkeys(one.road_id for one in segments)))
