"""What stands beside a street, in words: kind, hours, and whether it is open now."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext

from roadchief.lib import clock
from roadchief.maps import hours
from roadchief.streets import permits
from roadchief.streets.models import PermitArea, Station


@dataclass(frozen=True)
class Mark:
    """State = colour + shape + word; `state` is a class of the style sheet."""

    state: str
    sign: str
    word: str


@dataclass(frozen=True)
class Sight:
    """A station or permit area as its pop-up and the sheet show it."""

    id: uuid.UUID
    title: str
    kind: str
    lines: tuple[str, ...]
    mark: Mark | None
    phone: str | None = None


def station_sight(row: Station, at: datetime) -> Sight:
    open_now = hours.open_at(row.hours, clock.local(at))
    marks = {
        True: Mark("ok", "●", gettext("开放中")),
        False: Mark("none", "○", gettext("现在不开放")),
    }
    offers = "、".join(row.functions)
    lines = (gettext("开放时间：") + row.hours, offers) if row.hours else (offers,)
    return Sight(
        row.id,
        row.name,
        station_kind(row.kind),
        tuple(line for line in lines if line),
        None if open_now is None else marks[open_now],
        row.phone,
    )


def permit_sight(row: PermitArea, at: datetime) -> Sight:
    local = clock.local(at)
    verdict = permits.judge(row.windows, row.valid_from, row.valid_to, local)
    words = {
        "open": Mark("ok", "●", gettext("现在允许经营")),
        "not_at_this_hour": Mark("none", "○", gettext("今天此时不允许")),
        "not_today": Mark("none", "○", gettext("今天不允许")),
        "not_valid": Mark("late", "▲", gettext("不在有效期内")),
    }
    valid = f"{row.valid_from.isoformat()} – {row.valid_to.isoformat()}"
    lines = [*window_lines(row.windows), gettext("有效期：") + valid]
    if row.trade:
        lines.append(gettext("经营内容：") + row.trade)
    return Sight(row.id, row.name, permit_kind(row.kind), tuple(lines), words[verdict.reason])


def window_lines(windows: Sequence[dict[str, Any]]) -> list[str]:
    """周一–周五 17:00–22:00, one line a window."""
    names = gettext("周一 周二 周三 周四 周五 周六 周日").split()
    lines = []
    for window in windows:
        days = sorted({int(one) for one in window["days"]})
        run = len(days) > 2 and days[-1] - days[0] == len(days) - 1
        shown = (
            f"{names[days[0] - 1]}–{names[days[-1] - 1]}"
            if run
            else " ".join(names[one - 1] for one in days)
        )
        lines.append(f"{shown} {window['from']}–{window['to']}")
    return lines


def permit_kind(kind: str) -> str:
    known = {
        "outdoor_seating": gettext("外摆位"),
        "guided_spot": gettext("疏导点"),
        "market": gettext("集市"),
    }
    return known.get(kind, gettext("许可区域"))


def station_kind(kind: str) -> str:
    known = {
        "party_service": gettext("党群服务站"),
        "convenience": gettext("便民服务站"),
        "rider": gettext("骑手驿站"),
    }
    return known.get(kind, gettext("服务站"))
