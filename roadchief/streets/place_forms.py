"""What the forms of places say: each kind's fields read and checked, in one place. *Pure.*"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Protocol

import shapely

from roadchief.errors import BadInput
from roadchief.lib.text import clean
from roadchief.streets import kinds, permits, sketches
from roadchief.streets.sketches import spot

LIST = re.compile(r"[,，、;；\n]+")
MOST_WINDOWS = 21
MOST_FUNCTIONS = 20


class Form(Protocol):
    """As a web form: one value or several of a name."""

    def get(self, key: str, default: str = "", /) -> str: ...

    def getlist(self, key: str, /) -> list[str]: ...


def required(form: Form, name: str, label: str, limit: int) -> str:
    found = optional(form, name, label, limit)
    if found is None:
        raise BadInput(field=label, reason_zh="请填写", reason_en="is required")
    return found


def optional(form: Form, name: str, label: str, limit: int) -> str | None:
    found = clean(form.get(name, ""))
    if len(found) > limit:
        raise BadInput(
            field=label, reason_zh=f"最多 {limit} 个字", reason_en=f"at most {limit} characters"
        )
    return found or None


def chosen(form: Form, name: str, label: str, among: Collection[str]) -> str:
    found = form.get(name, "").strip()
    if found not in among:
        raise BadInput(field=label, reason_zh="请从列表中选择", reason_en="choose one of the list")
    return found


def block(form: Form, _known: str | None) -> dict[str, Any]:
    theme = form.get("theme", "").strip() or None
    if theme is not None:
        chosen(form, "theme", "主题 theme", kinds.of("themes"))
    return {"name": required(form, "name", "名称 name", 40), "theme": theme, "area": _area(form)}


def grid(form: Form, _known: str | None) -> dict[str, Any]:
    area = _area(form)
    if area is None:
        raise BadInput(field="范围 area", reason_zh="请画出范围", reason_en="draw the area")
    return {
        "code": required(form, "code", "编号 code", 20),
        "name": required(form, "name", "名称 name", 40),
        "area": area,
    }


def organisation(form: Form, known: str | None) -> dict[str, Any]:
    return {
        "name": required(form, "name", "名称 name", 80),
        "kind": chosen(form, "kind", "类别 kind", {*kinds.of("organisations"), known or ""} - {""}),
        "office_phone": optional(form, "phone", "电话 phone", 30),
    }


def station(form: Form, known: str | None) -> dict[str, Any]:
    place, _datum = spot(
        form.get("lon", ""), form.get("lat", ""), form.get("datum", "wgs84"), label="位置 place"
    )
    functions = [one for part in LIST.split(form.get("functions", "")) if (one := clean(part))]
    if len(functions) > MOST_FUNCTIONS or any(len(one) > 30 for one in functions):
        raise BadInput(
            field="功能 functions",
            reason_zh=f"最多 {MOST_FUNCTIONS} 项，每项 30 字以内",
            reason_en=f"at most {MOST_FUNCTIONS}, each of 30 characters",
        )
    return {
        "name": required(form, "name", "名称 name", 80),
        "kind": chosen(form, "kind", "类别 kind", {*kinds.of("stations"), known or ""} - {""}),
        "place": place,
        "hours": required(form, "hours", "开放时间 hours", 80),
        "functions": functions,
        "phone": optional(form, "phone", "电话 phone", 30),
    }


def permit(form: Form, known: str | None) -> dict[str, Any]:
    """Without its days of validity: dates are read beside the clock."""
    area = _area(form)
    if area is None:
        raise BadInput(field="范围 area", reason_zh="请画出范围", reason_en="draw the area")
    return {
        "name": required(form, "name", "名称 name", 80),
        "kind": chosen(form, "kind", "类别 kind", {*kinds.of("permits"), known or ""} - {""}),
        "area": area,
        "windows": windows(form),
        "trade": optional(form, "trade", "经营内容 trade", 80),
    }


def windows(form: Form) -> list[dict[str, Any]]:
    """Rows `days-0`, `from-0`, `to-0`, …; a row without days and hours is none."""
    found = []
    for row in range(MOST_WINDOWS):
        days = form.getlist(f"days-{row}")
        start, end = (form.get(f"{key}-{row}", "").strip()[:5] for key in ("from", "to"))
        if not days and not start and not end:
            continue
        if not set(days) <= set("1234567"):
            raise BadInput(
                field="时段 windows", reason_zh="星期应为 1–7", reason_en="days are 1 to 7"
            )
        found.append({"days": sorted(map(int, set(days))), "from": start, "to": end})
    for zh, en in permits.problems(found):
        raise BadInput(field="时段 windows", reason_zh=zh, reason_en=en)
    return found


READERS: Mapping[str, Any] = {
    "block": block,
    "grid": grid,
    "organisation": organisation,
    "station": station,
    "permit": permit,
}


def _area(form: Form) -> shapely.Polygon | None:
    drawn = form.get("area", "").strip()
    return sketches.read(drawn, shapely.Polygon, label="范围 area") if drawn else None
