"""Is a file in the datum it says? Its points against roads that we know. *Pure.*"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from roadchief.lib.coords import Datum, to_wgs84
from roadchief.lib.geo import Plane

FEWEST = 8  # points near known roads; fewer prove nothing
NEAR_M = 60.0
MOST = 5_000  # points looked at; more cost time and prove no more
CLEARLY = 0.55  # the other datum must bring the points this much nearer


@dataclass(frozen=True)
class ShiftVerdict:
    """`likely` is None where the data cannot tell. `median_m` are metres to the nearest road."""

    declared: Datum
    likely: Datum | None
    median_m: dict[str, float]
    points: int

    @property
    def doubtful(self) -> bool:
        return self.likely is not None and self.likely is not self.declared

    def say(self, language: str) -> str:
        comma = "，" if language == "zh" else ", "
        measured = comma.join(f"{name} {metres:.0f} m" for name, metres in self.median_m.items())
        if self.likely is None:
            return (
                f"坐标系无法核对（{measured or '附近没有已知道路'}）"
                if language == "zh"
                else (f"the datum cannot be checked ({measured or 'no known road nearby'})")
            )
        if self.doubtful:
            return (
                f"声明为 {self.declared}，但更像 {self.likely}：到已知道路的中位距离 {measured}"
                if language == "zh"
                else f"declared {self.declared}, looks like {self.likely}: median distance "
                f"to known roads {measured}"
            )
        return f"坐标系相符：{measured}" if language == "zh" else f"the datum fits: {measured}"


def judge(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    declared: Datum,
    roads: Sequence[shapely.LineString],
) -> ShiftVerdict:
    """Raw coordinates of a file, tried in each datum against known roads (WGS-84)."""
    if len(roads) == 0 or len(lon) == 0:
        return ShiftVerdict(declared, None, {}, len(lon))
    plane = Plane.around(shapely.GeometryCollection(list(roads)))
    tree = shapely.STRtree(plane.flat(np.array(roads, dtype=object)))
    west, south, east, north = shapely.total_bounds(np.array(roads, dtype=object))
    near = (lon > west - 0.02) & (lon < east + 0.02) & (lat > south - 0.02) & (lat < north + 0.02)
    every = max(1, int(near.sum()) // MOST)
    lon, lat = lon[near][::every], lat[near][::every]
    medians: dict[str, float] = {}
    for datum in Datum if len(lon) >= FEWEST else ():
        points = plane.flat(shapely.points(*to_wgs84(lon, lat, datum)))
        away = tree.query_nearest(points, return_distance=True, all_matches=False)[1]
        medians[datum.value] = float(np.median(away))
    return ShiftVerdict(declared, _likely(medians), medians, len(lon))


def _likely(medians: dict[str, float]) -> Datum | None:
    if not medians:
        return None
    best, second = sorted(medians, key=lambda name: medians[name])[:2]
    clear = medians[best] <= NEAR_M and medians[best] <= CLEARLY * medians[second]
    return Datum(best) if clear else None
