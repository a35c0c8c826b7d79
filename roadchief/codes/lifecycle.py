"""The life of a plate as one table: which act leads from which state to which. *Pure.*

domain.md §4.5: generated → printed → delivered → bound → active → suspended, lost, damaged →
replaced → retired. Buttons, verbs and tests come from this table.
"""

from dataclasses import dataclass

STATES: dict[str, tuple[str, str]] = {
    "generated": ("已生成", "generated"),
    "printed": ("已印制", "printed"),
    "delivered": ("已交付", "delivered"),
    "bound": ("待确认", "bound, to be confirmed"),
    "active": ("启用", "active"),
    "suspended": ("暂停", "suspended"),
    "lost": ("遗失", "lost"),
    "damaged": ("损坏", "damaged"),
    "replaced": ("已更换", "replaced"),
    "retired": ("已作废", "retired"),
}
ON_THE_WALL = frozenset({"bound", "active", "suspended", "lost", "damaged"})  # one a storefront
ANSWERS = frozenset({"bound", "active", "damaged"})  # a scan shows the shop
IN_STORE = frozenset({"generated", "printed", "delivered"})
OVER = frozenset({"replaced", "retired"})


@dataclass(frozen=True)
class Act:
    """One act: where it may start, where it leads, and what must come with it."""

    label: tuple[str, str]
    starts: frozenset[str]
    leads: str
    reason: bool = False
    photo: bool = False


ACTS: dict[str, Act] = {
    "print": Act(("印制", "print"), frozenset({"generated"}), "printed"),
    "deliver": Act(("交付", "deliver"), frozenset({"printed"}), "delivered"),
    "bind": Act(("安装绑定", "mount"), IN_STORE, "bound", photo=True),
    "confirm": Act(("确认", "confirm"), frozenset({"bound"}), "active"),
    "suspend": Act(("暂停", "suspend"), frozenset({"bound", "active"}), "suspended", reason=True),
    "resume": Act(
        ("恢复", "resume"), frozenset({"suspended", "damaged", "lost"}), "active", reason=True
    ),
    "report_damaged": Act(
        ("报损", "report damaged"), frozenset({"bound", "active"}), "damaged", reason=True
    ),
    "report_lost": Act(
        ("报失", "report lost"),
        frozenset({"bound", "active", "suspended", "damaged"}),
        "lost",
        reason=True,
    ),
    "replace": Act(("更换", "replace"), ON_THE_WALL, "replaced", reason=True),
    "retire": Act(("作废", "retire"), ON_THE_WALL | IN_STORE, "retired", reason=True),
}


def acts_from(state: str) -> list[str]:
    """What may be done with a plate in this state, in the order of the table."""
    return [name for name, act in ACTS.items() if state in act.starts]


@dataclass(frozen=True)
class Tolerance:
    """How far from the door a plate may be mounted: metres, and GPS accuracy believed."""

    distance_m: float = 30.0
    accuracy_most_m: float = 60.0


@dataclass(frozen=True)
class Verdict:
    """Is the mounted plate where its storefront is? `why` is a key of WHY."""

    inside: bool
    why: str
    limit_m: float


WHY: dict[str, tuple[str, str]] = {
    "inside": ("位置相符", "at the door"),
    "no_position": ("没有定位", "no position"),
    "vague": ("定位精度不足", "the position is too vague"),
    "far": ("离门口太远", "too far from the door"),
}


def judge_place(
    distance_m: float | None, accuracy_m: float | None, tolerance: Tolerance
) -> Verdict:
    """Within tolerance plus accuracy it counts; otherwise a reason is needed and an office check.

    The accuracy helps only up to its own limit, so a phone that claims 10 km proves nothing.
    """
    if distance_m is None or accuracy_m is None or accuracy_m < 0:
        return Verdict(False, "no_position", tolerance.distance_m)
    if accuracy_m > tolerance.accuracy_most_m:
        return Verdict(False, "vague", tolerance.distance_m)
    limit_m = tolerance.distance_m + accuracy_m
    return Verdict(distance_m <= limit_m, "inside" if distance_m <= limit_m else "far", limit_m)
