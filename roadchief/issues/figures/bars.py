"""Cases a week as a picture: stacked columns in SVG, colours by class, no script. *Pure.*"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup, escape

WIDE, HIGH, FOOT, HEAD = 720.0, 150.0, 22.0, 16.0
PARTS = ("late", "running", "ended", "on_time")  # from the ground up
LABELS = 13  # at most so many words fit under the columns


@dataclass(frozen=True)
class Week:
    """Cases reported in the week from `monday`: what became of them."""

    monday: date
    late: int = 0  # running, past their time
    running: int = 0  # running, within their time
    ended: int = 0  # ended late, or without a clock
    on_time: int = 0

    @property
    def whole(self) -> int:
        return self.late + self.running + self.ended + self.on_time


def without_gaps(weeks: Sequence[Week]) -> list[Week]:
    """In order, a week without cases in its place too: time is not left out."""
    known = {week.monday: week for week in weeks}
    if not known:
        return []
    first, last = min(known), max(known)
    mondays = [first + timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
    return [known.get(monday) or Week(monday) for monday in mondays]


def columns(weeks: Sequence[Week], *, title: str) -> Markup:
    """One column a week; the highest fills the picture, its number stands above each."""
    told = without_gaps(weeks)
    most = max((week.whole for week in told), default=0) or 1
    step = WIDE / max(len(told), 1)
    wide = min(step * 0.7, 48.0)
    every = -(-len(told) // LABELS) or 1
    shapes = [f'<path class="base" d="M0 {HIGH - FOOT:g}H{WIDE:g}"/>']
    for n, week in enumerate(told):
        middle = (n + 0.5) * step
        shapes += _column(week, middle, wide, (HIGH - FOOT - HEAD) / most)
        if n % every == 0:
            shapes.append(
                f'<text x="{middle:.1f}" y="{HIGH - 5:g}" text-anchor="middle">'
                f"{week.monday:%m-%d}</text>"
            )
    return Markup(  # noqa: S704 — every word in it was escaped, the rest is ours
        f'<svg class="weeks" viewBox="0 0 {WIDE:g} {HIGH:g}" role="img" '
        f'aria-label="{escape(title)}">{"".join(shapes)}</svg>'
    )


def _column(week: Week, middle: float, wide: float, unit: float) -> list[str]:
    shapes, top = [], HIGH - FOOT
    for part in PARTS:
        high = getattr(week, part) * unit
        if high:
            top -= high
            shapes.append(
                f'<rect class="{part}" x="{middle - wide / 2:.1f}" y="{top:.1f}" '
                f'width="{wide:.1f}" height="{high:.1f}"/>'
            )
    if week.whole and wide > 14:
        shapes.append(
            f'<text class="told" x="{middle:.1f}" y="{top - 3:.1f}" '
            f'text-anchor="middle">{week.whole}</text>'
        )
    return shapes
