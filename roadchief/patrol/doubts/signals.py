"""What looks odd about a visit: explained, weighed by a person, never a punishment. *Pure.*"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import shapely

from roadchief.lib.geo import Plane

# Kind: Chinese and English sentence over the facts, and whether it calls for a review by itself.
KINDS: dict[str, tuple[str, str, bool]] = {
    "elsewhere": ("位置不符：{zh}", "position disagrees: {en}", True),
    "frame": (
        "疑似坐标系偏差（{frame}），先查坐标系",
        "likely a datum ({frame}): check that first",
        True,
    ),
    "weak_alone": (
        "待佐证，且没有现场照片，前后 {minutes} 分钟内也没有已核验的到访",
        "weak, without a live photo or verified neighbours within {minutes} minutes",
        True,
    ),
    "same_fix": ("与另一铺位的定位完全相同", "the very same fix as at another storefront", True),
    "fix_old": ("定位早于打卡 30 秒以上", "the fix is more than 30 s older than the visit", False),
    "no_jitter": ("采样期间定位毫无抖动", "no jitter at all while sampling", False),
    "fast": (
        "距上一家至少 {metres} 米，只用了 {seconds} 秒（每秒 {speed} 米以上）",
        "at least {metres} m from the last one in {seconds} s ({speed} m/s or more)",
        False,
    ),
    "too_fast": (
        "距上一家至少 {metres} 米，只用了 {seconds} 秒（每秒 {speed} 米以上，步行做不到）",
        "at least {metres} m from the last one in {seconds} s ({speed} m/s or more, not on foot)",
        True,
    ),
    "impossible": (
        "距上一家至少 {metres} 米，只用了 {seconds} 秒，不可能",
        "at least {metres} m from the last one in {seconds} s: impossible",
        True,
    ),
    "burst": ("检查表和照片共用 {seconds} 秒", "checklist and photo in {seconds} s", False),
    "even_pace": (
        "连续 {visits} 家间隔几乎相同（{seconds} 秒）",
        "{visits} visits in a row at one spacing ({seconds} s)",
        True,
    ),
    "two_accounts": ("同一手机上有两个账号", "two accounts on one phone", True),
    "two_phones": ("同一账号同时在两部手机上", "one account on two phones at once", False),
    "same_photo": ("照片与另一次到访相同", "the same photo as another visit", True),
    "near_photo": (
        "照片与 {day} {place} 的到访几乎相同（64 位中差 {bits} 位）",
        "a photo is nearly that of {place} on {day} ({bits} of 64 bits differ)",
        True,
    ),
    "near_photo_own": (
        "照片与本店 {day} 的到访几乎相同（64 位中差 {bits} 位）",
        "a photo is nearly that of this shop on {day} ({bits} of 64 bits differ)",
        True,
    ),
    "photo_missing": (
        "承诺的照片 {hours} 小时内没有到",
        "a promised photo did not arrive within {hours} hours",
        True,
    ),
    "clock_off": ("手机时钟差两分钟以上，已校正", "the phone's clock was off, corrected", False),
    "clock_ahead": ("手机时间晚于收到时间", "the phone's time is after receipt", False),
    "clock_unreliable": ("手机时间不可信", "the phone's time cannot be believed", False),
    "clock_unreadable": ("手机没有给出时间", "the phone gave no time", False),
    "clock_jumped": ("班次中手机时间被改动", "the clock was set during the shift", True),
    "nonce_other": ("班次口令不符", "the shift's nonce does not fit", True),
    "outside_shift": ("不在班次时间内", "outside the shift's time", False),
    "plate_unknown": ("扫到的码不在册", "the scanned code is not on record", True),
    "plate_dead": ("扫到的是已停用的码", "the scanned code is no longer in use", True),
    "plate_elsewhere": ("码属于另一铺位", "the code belongs to another storefront", True),
    "form_retired": ("用的是旧版检查表", "an older version of the form was used", False),
    "form_unknown": ("检查表版本未知", "unknown version of the form", False),
    "gallery_photo": ("照片来自相册，不是现场拍摄", "photos from the gallery, not live", False),
    "picked": ("未扫码，手工选择：{because}", "picked by hand, not scanned: {because}", True),
}


@dataclass(frozen=True)
class Visit:
    """As much of a check-in as its neighbours need to know."""

    id: Any
    storefront_id: Any
    at: datetime
    uncertainty_s: float
    outcome: str
    lon: float | None
    lat: float | None
    accuracy_m: float | None
    device_id: Any


@dataclass(frozen=True)
class Figures:
    walk_notice_mps: float
    walk_strong_mps: float
    impossible_mps: float
    burst_ms: int
    same_interval: int
    same_interval_s: float
    neighbour_minutes: int


def signal(kind: str, **facts: Any) -> dict[str, Any]:
    """One flag as it is kept: its kind and the measured facts."""
    return {"kind": kind, **facts}


def say(row: dict[str, Any], language: str) -> str:
    """A kept flag as a sentence. An unknown kind is shown by its name, never an error."""
    known = KINDS.get(row["kind"])
    if known is None:
        return str(row["kind"])
    words = known[0] if language == "zh" else known[1]
    return words.format_map(_Facts(row))


class _Facts(dict[str, Any]):
    """A fact that an older flag does not have is shown as unknown."""

    def __missing__(self, name: str) -> str:
        return "?"


def needs_review(rows: Sequence[dict[str, Any]]) -> bool:
    return any(KINDS.get(row["kind"], ("", "", False))[2] for row in rows)


def least_speed(one: Visit, other: Visit) -> tuple[float, float, float] | None:
    """(metres, seconds, m/s) that somebody must at least have had between two visits.

    Both accuracies are taken off the distance and both clock doubts are added to the time.
    """
    if None in (one.lon, one.lat, other.lon, other.lat):
        return None
    plane = Plane(lon=one.lon or 0, lat=one.lat or 0)
    flat = plane.flat(shapely.Point(other.lon or 0, other.lat or 0))
    doubt = 1.5 * ((one.accuracy_m or 0) + (other.accuracy_m or 0))
    metres = max(0.0, math.hypot(flat.x, flat.y) - doubt)
    seconds = abs((other.at - one.at).total_seconds()) + one.uncertainty_s + other.uncertainty_s
    seconds = max(seconds, 1.0)
    return metres, seconds, metres / seconds


def pace(one: Visit, other: Visit, figures: Figures) -> dict[str, Any] | None:
    """Was the way from one visit to the next too fast?"""
    found = least_speed(one, other)
    if found is None:
        return None
    metres, seconds, speed = found
    for kind, limit in (
        ("impossible", figures.impossible_mps),
        ("too_fast", figures.walk_strong_mps),
        ("fast", figures.walk_notice_mps),
    ):
        if speed > limit:
            return signal(kind, metres=round(metres), seconds=round(seconds), speed=round(speed, 1))
    return None


def among(visit: Visit, around: Sequence[Visit], figures: Figures) -> list[dict[str, Any]]:
    """What a visit's neighbours in time of the same person say about it."""
    found = []
    before = [one for one in around if one.at <= visit.at and one.id != visit.id]
    if before:
        odd = pace(max(before, key=lambda one: one.at), visit, figures)
        found += [odd] if odd else []
    same = [
        one
        for one in around
        if one.id != visit.id
        and one.storefront_id != visit.storefront_id
        and visit.lon is not None
        and (one.lon, one.lat, one.accuracy_m) == (visit.lon, visit.lat, visit.accuracy_m)
    ]
    if same:
        found.append(signal("same_fix", other=str(same[0].id)))
    even = even_pace(sorted([*before, visit], key=lambda one: one.at), figures)
    found += [even] if even else []
    near = [
        one
        for one in before
        if one.device_id != visit.device_id and (visit.at - one.at).total_seconds() < 600
    ]
    if near:
        found.append(signal("two_phones"))
    return found


def even_pace(visits: Sequence[Visit], figures: Figures) -> dict[str, Any] | None:
    """The last visits came at one spacing: people are not clocks."""
    last = list(visits)[-figures.same_interval - 1 :]
    if len(last) <= figures.same_interval:
        return None
    gaps = [(b.at - a.at).total_seconds() for a, b in pairwise(last)]
    if max(gaps) - min(gaps) > figures.same_interval_s or max(gaps) > 600 or min(gaps) <= 0:
        return None
    return signal("even_pace", visits=len(last), seconds=round(sum(gaps) / len(gaps)))


def corroborated(visit: Visit, around: Sequence[Visit], minutes: int) -> bool:
    """Verified visits of the same person before and after, both near in time."""
    gaps = [
        (one.at - visit.at).total_seconds() / 60
        for one in around
        if one.id != visit.id and one.outcome == "verified"
    ]
    return any(-minutes <= gap <= 0 for gap in gaps) and any(0 <= gap <= minutes for gap in gaps)
