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
AT_THE_ROAD_M = 30.0  # a door or a road's own line; what is asked of a file of a larger area
MOST = 5_000  # points looked at; more cost time and prove no more
CLEARLY = 0.55  # the other datum must bring the points this much nearer
AROUND_M = 100.0  # of the known roads: what lies further away is another sub-district's
AROUND_DEG = 0.02  # more than any datum shifts
MANY = 40  # points there, out of a file of a larger area, that prove something
NAMES = {"wgs84": "WGS-84", "gcj02": "GCJ-02", "bd09": "BD-09"}


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
        chinese = language == "zh"
        if not self.median_m:
            return (
                "坐标系无法核对：附近没有已知道路，或文件里落在附近的点太少"
                if chinese
                else "the datum cannot be checked: no known road nearby, or too few points near one"
            )
        comma = "，" if chinese else ", "
        measured = "到已知道路的中位距离：" if chinese else "median distance to known roads: "
        measured += comma.join(
            f"{'按 ' if chinese else 'as '}{NAMES[name]} {metres:.0f} m"
            for name, metres in self.median_m.items()
        )
        if self.likely is None:
            far = min(self.median_m.values()) > NEAR_M
            why = ("多数位置离已知道路太远", "most places are far from known roads")
            why = why if far else ("差别不够明显", "no clear difference")
            return (
                f"坐标系无法核对，{why[0]}。{measured}"
                if chinese
                else f"the datum cannot be checked, {why[1]}; {measured}"
            )
        declared, likely = NAMES[self.declared.value], NAMES[self.likely.value]
        if self.doubtful:
            return (
                f"声明为 {declared}，但更像 {likely}。{measured}"
                if chinese
                else f"declared {declared}, looks like {likely}; {measured}"
            )
        return f"坐标系相符。{measured}" if chinese else f"the datum fits; {measured}"


@dataclass(frozen=True)
class _Trial:
    """The points as one datum lays them: all of them, and those where roads are known."""

    all_m: NDArray[np.float64]
    here_m: NDArray[np.float64]


def judge(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    declared: Datum,
    roads: Sequence[shapely.LineString],
) -> ShiftVerdict:
    """Raw coordinates of a file, tried in each datum against known roads (WGS-84).

    In a file of this area all its points tell: a datum that carries them away is refuted by them.
    A file may cover a whole city, though, and the known roads one sub-district: most points are
    far away in any datum then, and each datum answers for those that it lays among the roads.
    """
    if len(roads) == 0 or len(lon) == 0:
        return ShiftVerdict(declared, None, {}, len(lon))
    known = np.array(roads, dtype=object)
    west, south, east, north = shapely.total_bounds(known) + AROUND_DEG * np.array([-1, -1, 1, 1])
    near = (lon > west) & (lon < east) & (lat > south) & (lat < north)
    every = max(1, int(near.sum()) // MOST)
    lon, lat = lon[near][::every], lat[near][::every]
    if len(lon) < FEWEST:
        return ShiftVerdict(declared, None, {}, len(lon))
    trials = _try_each(lon, lat, known)
    medians = {name: float(np.median(trial.all_m)) for name, trial in trials.items()}
    likely = _likely(medians, within=NEAR_M)
    among = _among_known(trials) if likely is None else {}
    if among:
        medians, likely = among, _likely(among, within=AT_THE_ROAD_M)
    return ShiftVerdict(declared, likely, medians, len(lon))


def _try_each(
    lon: NDArray[np.float64], lat: NDArray[np.float64], known: NDArray[np.object_]
) -> dict[str, _Trial]:
    plane = Plane.around(shapely.GeometryCollection(list(known)))
    lines = plane.flat(known)
    tree = shapely.STRtree(lines)
    here = shapely.union_all(lines).convex_hull.buffer(AROUND_M)
    shapely.prepare(here)
    trials = {}
    for datum in Datum:
        points = plane.flat(shapely.points(*to_wgs84(lon, lat, datum)))
        away = tree.query_nearest(points, return_distance=True, all_matches=False)[1]
        trials[datum.value] = _Trial(away, away[shapely.contains(here, points)])
    return trials


def _among_known(trials: dict[str, _Trial]) -> dict[str, float]:
    """Each datum by the points that it brings here; a handful lies near a road by chance."""
    told = {n: float(np.median(t.here_m)) for n, t in trials.items() if len(t.here_m) >= MANY}
    return told if len(told) > 1 else {}


def _likely(medians: dict[str, float], *, within: float) -> Datum | None:
    best, second = sorted(medians, key=lambda name: medians[name])[:2]
    clear = medians[best] <= within and medians[best] <= CLEARLY * medians[second]
    return Datum(best) if clear else None
