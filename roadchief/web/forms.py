"""Reading what people send: each field by name, with a limit, or a refusal that names it."""

import json
import re
import uuid
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from roadchief.errors import BadInput, Malformed
from roadchief.lib.text import clean

DECIMAL = re.compile(r"[+-]?[0-9]{1,9}(\.[0-9]{1,9})?")


class NotJson(Malformed):
    zh = "请求内容不是可读的 JSON"
    en = "The body is no JSON that can be read"


def text_field(form: Mapping[str, str], name: str, *, label: str, limit: int = 200) -> str:
    """A required line of text, normalised; `label` is what the person sees."""
    found = optional_text(form, name, label=label, limit=limit)
    if not found:
        raise BadInput(field=label, reason_zh="请填写", reason_en="is required")
    return found


def optional_text(
    form: Mapping[str, str], name: str, *, label: str, limit: int = 200
) -> str | None:
    found = clean(form.get(name, ""))
    if len(found) > limit:
        raise BadInput(
            field=label, reason_zh=f"最多 {limit} 个字", reason_en=f"at most {limit} characters"
        )
    return found or None


def id_field(form: Mapping[str, str], name: str, *, label: str) -> uuid.UUID:
    try:
        return uuid.UUID(form.get(name, ""))
    except ValueError as error:
        raise BadInput(field=label, reason_zh="请选择", reason_en="choose one") from error


def whole_number(
    form: Mapping[str, str], name: str, *, label: str, low: int, high: int, default: int
) -> int:
    given = form.get(name, "").strip()
    if not given:
        return default
    whole = given.isascii() and given.removeprefix("-").isdigit()
    if not whole or not low <= int(given[:12]) <= high:
        raise BadInput(
            field=label, reason_zh=f"应为 {low} 到 {high} 的整数", reason_en=f"{low} to {high}"
        )
    return int(given)


def date_field(form: Mapping[str, str], name: str, *, label: str) -> date:
    try:
        return date.fromisoformat(form.get(name, ""))
    except ValueError as error:
        raise BadInput(
            field=label, reason_zh="应为日期，如 2026-11-24", reason_en="a date such as 2026-11-24"
        ) from error


def decimal_field(
    form: Mapping[str, str], name: str, *, label: str, low: float, high: float
) -> float | None:
    """A number with a point, or None where nothing was written."""
    given = form.get(name, "").strip()
    if not given:
        return None
    found = float(given) if DECIMAL.fullmatch(given) else None
    if found is None or not low <= found <= high:
        raise BadInput(
            field=label,
            reason_zh=f"应为 {low:g} 到 {high:g} 的数",
            reason_en=f"{low:g} to {high:g}",
        )
    return found


def choice_field(
    form: Mapping[str, str], name: str, *, label: str, among: Collection[str]
) -> str | None:
    """One of the offered keys, or None where none was chosen."""
    given = form.get(name, "").strip()
    if given and given not in among:
        raise BadInput(field=label, reason_zh="请从列表中选择", reason_en="choose one of the list")
    return given or None


def optional_id(form: Mapping[str, str], name: str, *, label: str) -> uuid.UUID | None:
    return id_field(form, name, label=label) if form.get(name, "").strip() else None


def json_in(raw: bytes) -> Any:
    """What a body says; one that is nested too deep to be read is the asker's fault, too."""
    try:
        return json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotJson from error
