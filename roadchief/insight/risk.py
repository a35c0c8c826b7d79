"""The risk of a segment from its own history: points, and the fact behind each. *Pure.*

No black box: a sum of bounded parts, so that anybody can reckon it again with a pencil.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WORDS: dict[str, tuple[str, str]] = {
    "open_case": ("{n:.0f} 件未结", "{n:.0f} open"),
    "late_case": ("{n:.0f} 件超期", "{n:.0f} late"),
    "repeat_place": ("{n:.0f} 处反复", "{n:.0f} places again and again"),
    "severe_finding": ("{n:.0f} 项严重问题", "{n:.0f} severe findings"),
    "silent_share": ("{n:.0f}% 铺位久未到", "{n:.0f}% of storefronts not visited"),
    "no_chief": ("没有路长", "no chief"),
}


@dataclass(frozen=True)
class Part:
    """One reason: how often, and how many points that makes."""

    name: str
    amount: float
    points: float

    def say(self, language: str) -> str:
        return WORDS[self.name][0 if language == "zh" else 1].format(n=self.amount)


@dataclass(frozen=True)
class Risk:
    points: float
    parts: tuple[Part, ...]


def reckon(facts: Mapping[str, float], rules: Mapping[str, Any]) -> Risk:
    """Points of the facts named in WORDS, the heaviest first; an absent fact is none."""
    parts = []
    for name in WORDS:
        amount = float(facts.get(name, 0.0))
        rule = rules[name]
        points = min(amount * float(rule["points"]), float(rule["most"]))
        if points > 0:
            parts.append(Part(name, amount, round(points, 1)))
    parts.sort(key=lambda part: (-part.points, part.name))
    return Risk(round(sum(part.points for part in parts), 1), tuple(parts))
