"""Was somebody there? Distance to the frontage against what the fix can know. *Pure.*

A phone's accuracy is a 68 % radius, so sigma is two thirds of it. The pass line widens with the
accuracy, but never by more than `widening_m`: a claimed 500 m opens nothing. Beyond radius plus
two accuracies (three sigma) the fix contradicts the claim. Everything else is weak: kept, shown,
and to be confirmed otherwise. A shift between datums looks like a lie and is told first.
"""

import math
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from roadchief.lib.coords import Datum, from_wgs84, to_wgs84
from roadchief.lib.geo import SPHEROID, Plane
from roadchief.patrol.rules import Reach

VERIFIED, WEAK, CONTRADICTED = "verified", "weak", "contradicted"
WORDS: dict[str, tuple[str, str]] = {
    VERIFIED: ("已核验", "verified"),
    WEAK: ("待佐证", "to be confirmed"),
    CONTRADICTED: ("位置不符", "elsewhere"),
}
# Doubled braces: the distance is filled in when it is said.
FRAME = (
    "离门前线 {{d}} 米，但偏移方向和距离与 {} 坐标系偏移一致，"
    "多半是坐标系问题，不作为位置不符的依据",
    "{{d}} m from the frontage, but exactly the shift of {}: most likely a datum, "
    "not a person elsewhere",
)
REASONS: dict[str, tuple[str, str]] = {
    "within": (
        "离门前线 {d} 米，定位精度 ±{a} 米，允许 {limit} 米",
        "{d} m from the frontage, accuracy ±{a} m, {limit} m allowed",
    ),
    "beyond": (
        "离门前线 {d} 米，定位精度 ±{a} 米，最远 {limit} 米",
        "{d} m from the frontage, accuracy ±{a} m, at most {limit} m",
    ),
    "frame_gcj02": (FRAME[0].format("GCJ-02"), FRAME[1].format("GCJ-02")),
    "frame_bd09": (FRAME[0].format("BD-09"), FRAME[1].format("BD-09")),
    "no_fix": ("没有定位", "no position"),
    "no_accuracy": (
        "定位没有给出可用的精度，无法判断距离",
        "the position came without a usable accuracy",
    ),
    "blind": (
        "定位精度 ±{a} 米，太粗，无法判断",
        "accuracy ±{a} m is too coarse to tell anything",
    ),
    "coarse": (
        "离门前线 {d} 米，但定位精度 ±{a} 米，精度差于 {good} 米时只能待佐证",
        "{d} m from the frontage, but accuracy ±{a} m: above {good} m it proves nothing",
    ),
    "between": (
        "离门前线 {d} 米，定位精度 ±{a} 米，允许 {limit} 米；差得不多，待佐证",
        "{d} m from the frontage, accuracy ±{a} m, {limit} m allowed: too close to tell",
    ),
}


@dataclass(frozen=True)
class Fix:
    """A position in WGS-84. Any number may be missing."""

    lon: float
    lat: float
    accuracy_m: float | None

    @property
    def point(self) -> shapely.Point:
        return shapely.Point(self.lon, self.lat)


@dataclass(frozen=True)
class Verdict:
    """The outcome with everything it rests on, so that it can be computed and disputed again."""

    outcome: str
    reason: str
    distance_m: float | None
    accuracy_m: float | None
    radius_m: float
    limit_m: float | None
    rule: str

    @property
    def frame(self) -> str | None:
        """The datum that the difference looks like, where it does."""
        return self.reason.removeprefix("frame_") if self.reason.startswith("frame_") else None

    def say(self, language: str, *, good_m: float = 50.0) -> str:
        """One plain sentence with the measured metres."""
        return REASONS[self.reason][0 if language == "zh" else 1].format(
            d=_metres(self.distance_m),
            a=_metres(self.accuracy_m),
            limit=_metres(self.limit_m),
            good=_metres(good_m),
        )


def read_fix(said: Any) -> Fix | None:
    """What a phone said, as a position in WGS-84; None where there is none to speak of."""
    if not isinstance(said, dict):
        return None
    lon, lat = number(said.get("lon")), number(said.get("lat"))
    if lon is None or lat is None or abs(lon) > 180 or abs(lat) > 90:
        return None
    datum = said.get("datum", Datum.WGS84)
    if datum in (Datum.GCJ02, Datum.BD09):
        east, north = to_wgs84(lon, lat, Datum(datum))
        lon, lat = float(east), float(north)
    return Fix(lon, lat, number(said.get("accuracy_m")))


def number(said: Any) -> float | None:
    """A finite number, or None: not a word, not true, not NaN, not 10^400."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    try:
        value = float(said)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def judge(fix: Fix | None, frontage: BaseGeometry, radius_m: float | None, rule: Reach) -> Verdict:
    """The verdict on a fix against a frontage: a line, an area, or the door where none is known."""
    if fix is None:
        return verdict(None, None, radius_m, rule)
    near = _nearest(fix, frontage)
    _, _, distance = SPHEROID.inv(fix.lon, fix.lat, near.x, near.y)
    found = verdict(float(distance), fix.accuracy_m, radius_m, rule)
    if found.outcome == CONTRADICTED:
        frame = suspected_frame(fix, near, rule)
        if frame:
            return Verdict(**(vars(found) | {"reason": f"frame_{frame}"}))
    return found


def verdict(
    distance_m: float | None, accuracy_m: float | None, radius_m: float | None, rule: Reach
) -> Verdict:
    """The rule itself, in its order: total, without overlaps."""
    radius = rule.radius_m if radius_m is None else radius_m
    a = accuracy_m if accuracy_m is not None and math.isfinite(accuracy_m) else None
    if distance_m is None or a is None or a <= 0 or a > rule.blind_accuracy_m:
        reason = "no_fix" if distance_m is None else "blind" if a and a > 0 else "no_accuracy"
        return Verdict(WEAK, reason, distance_m, a, radius, None, rule.version)
    near, far = radius + min(a, rule.widening_m), radius + 2 * a
    if distance_m > far:
        return Verdict(CONTRADICTED, "beyond", distance_m, a, radius, far, rule.version)
    if a <= rule.good_accuracy_m and distance_m <= near:
        return Verdict(VERIFIED, "within", distance_m, a, radius, near, rule.version)
    reason = "coarse" if a > rule.good_accuracy_m else "between"
    return Verdict(WEAK, reason, distance_m, a, radius, near, rule.version)


def suspected_frame(fix: Fix, near: shapely.Point, rule: Reach) -> str | None:
    """`gcj02` or `bd09` when the way from the shop to the fix is the local shift of that datum."""
    plane = Plane(lon=near.x, lat=near.y)
    away = plane.flat(fix.point)
    for datum in (Datum.GCJ02, Datum.BD09):
        east, north = from_wgs84(near.x, near.y, datum)
        shift = plane.flat(shapely.Point(float(east), float(north)))
        if math.hypot(shift.x, shift.y) <= rule.frame_near_m:
            continue  # no shift here: outside China
        for sign in (1, -1):  # the fix is shifted, or the ground is
            if math.hypot(away.x - sign * shift.x, away.y - sign * shift.y) <= rule.frame_near_m:
                return datum.value
    return None


def _nearest(fix: Fix, frontage: BaseGeometry) -> shapely.Point:
    """The place of the frontage that is nearest to the fix, in degrees."""
    if isinstance(frontage, shapely.Point):
        return frontage
    plane = Plane(lon=fix.lon, lat=max(-89.0, min(89.0, fix.lat)))
    flat = plane.flat(frontage)
    origin = plane.flat(fix.point)
    if flat.geom_type.endswith("Polygon") and flat.covers(origin):
        return fix.point
    edge = flat.boundary if flat.geom_type.endswith("Polygon") else flat
    return plane.round(edge.interpolate(edge.project(origin)))


def _metres(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f}"
