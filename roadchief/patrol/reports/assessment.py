"""The monthly assessment: points of 100 from measured shares. *Pure.*

What cannot be measured yet is said to be open and its points count for nobody, neither way.
Finding more than usual earns nothing: only finding clearly less than on the own road before
costs points, so that nobody is made to hunt.
"""

from collections.abc import Mapping
from dataclasses import dataclass

NAMES: dict[str, tuple[str, str]] = {
    "plan": ("巡查计划完成", "patrol plan fulfilled"),
    "coverage": ("铺位覆盖", "unit coverage"),
    "findings": ("每公里有效发现（与本路基线比）", "valid findings a km, against own baseline"),
    "records": ("记录质量（照片、位置、项目）", "record quality (photo, position, item)"),
    "closure": ("权限内按时办结", "closed on time in own power"),
    "recurrence": ("30 日内不复发", "no recurrence within 30 days"),
    "satisfaction": ("市民和商户满意", "citizens' and merchants' satisfaction"),
    "service": ("街事会与服务", "council and service work"),
}
WANTED_COVERAGE = 0.9
USUAL = 0.5  # at least this share of the baseline is as good as any


@dataclass(frozen=True)
class Figures:
    """Shares of 0 to 1, and what is counted; None: not measured."""

    plan: float | None
    coverage: float | None
    findings_per_km: float | None
    baseline_per_km: float | None
    records: float | None
    closure: float | None
    recurrence: float | None  # share of findings that did not come back
    satisfaction: float | None
    service: float | None
    false_check_ins: int = 0
    bonus: float = 0.0


def nothing(false_check_ins: int = 0) -> Figures:
    """No share is measured yet; what was found to be false counts all the same."""
    return Figures(*(None,) * 9, false_check_ins=false_check_ins)


@dataclass(frozen=True)
class Line:
    key: str
    most: float
    share: float | None

    @property
    def points(self) -> float | None:
        return None if self.share is None else round(self.most * self.share, 1)


@dataclass(frozen=True)
class Result:
    """`points` of `possible`; `of_100` is the same on the full scale, None where nothing counts."""

    lines: list[Line]
    deduction: float
    bonus: float

    @property
    def possible(self) -> float:
        return sum(line.most for line in self.lines if line.share is not None)

    @property
    def points(self) -> float:
        earned = sum(line.points or 0 for line in self.lines)
        return max(0.0, round(earned + self.deduction + self.bonus, 1))

    @property
    def of_100(self) -> float | None:
        if not self.possible:
            return None
        earned = sum(line.points or 0 for line in self.lines)
        scaled = earned / self.possible * 100 + self.deduction + self.bonus
        return round(min(100.0 + self.bonus, max(0.0, scaled)), 1)


def assess(figures: Figures, points: Mapping[str, float]) -> Result:
    shares = {
        "plan": figures.plan,
        "coverage": _at_most_one(figures.coverage, WANTED_COVERAGE),
        "findings": _against_baseline(figures.findings_per_km, figures.baseline_per_km),
        "records": figures.records,
        "closure": figures.closure,
        "recurrence": figures.recurrence,
        "satisfaction": figures.satisfaction,
        "service": figures.service,
    }
    lines = [Line(key, float(points[key]), _share(share)) for key, share in shares.items()]
    return Result(
        lines=lines,
        deduction=float(points["false_check_in"]) * figures.false_check_ins,
        bonus=max(0.0, min(float(points["bonus_most"]), figures.bonus)),
    )


def _share(share: float | None) -> float | None:
    return None if share is None else max(0.0, min(1.0, share))


def _at_most_one(share: float | None, wanted: float) -> float | None:
    return None if share is None else min(1.0, share / wanted)


def _against_baseline(now: float | None, before: float | None) -> float | None:
    if now is None or before is None:
        return None
    if before <= 0:
        return 1.0
    return min(1.0, now / before / USUAL)
