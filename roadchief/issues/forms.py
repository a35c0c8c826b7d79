"""What citizens and officers send, read field by field, or refused by name."""

import math
import re
import uuid
from collections.abc import Mapping

from roadchief.accounts import mailing
from roadchief.issues import categories
from roadchief.issues.cases import MOST_WORDS
from roadchief.issues.refusals import bad
from roadchief.lib.text import CONTROL, HIDDEN, is_phone

MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,20}")


def long_text(form: Mapping[str, str], name: str, *, label: str, most: int = MOST_WORDS) -> str:
    """Words in lines, without what hides or controls; empty when there are only spaces."""
    raw = form.get(name, "")
    if len(raw) > most * 2:
        raise bad(label, f"最多 {most} 个字", f"at most {most} characters")
    plain = HIDDEN.sub("", CONTROL.sub("", raw.replace("\r\n", "\n").replace("\r", "\n")))
    plain = "\n".join(line.strip() for line in plain.split("\n")).strip()
    if len(plain) > most:
        raise bad(label, f"最多 {most} 个字", f"at most {most} characters")
    return plain


def needed_text(form: Mapping[str, str], name: str, *, label: str, most: int = 1000) -> str:
    found = long_text(form, name, label=label, most=most)
    if not found:
        raise bad(label, "请填写", "is required")
    return found


def category_field(form: Mapping[str, str], name: str = "category") -> str:
    """A category that a citizen may choose."""
    code = form.get(name, "")
    kind = categories.known().get(code)
    if kind is None or not kind.reportable:
        raise bad("类别 category", "请选一类问题", "choose what it is about")
    return code


def number_field(form: Mapping[str, str], name: str) -> float | None:
    """A finite number, or None where nothing usable was sent."""
    text = form.get(name, "").strip()[:40]
    try:
        found = float(text) if text else None
    except ValueError as error:
        raise bad(name, "应为数字", "is not a number") from error
    if found is not None and not math.isfinite(found):
        raise bad(name, "应为数字", "is not a number")
    return found


def yes_no(form: Mapping[str, str], name: str, *, label: str) -> bool:
    """1 or 0; nothing is not an answer."""
    found = {"1": True, "0": False}.get(form.get(name, ""))
    if found is None:
        raise bad(label, "请选择", "choose one")
    return found


def id_of(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID((text or "")[:40])
    except ValueError:
        return None


def ids_of(texts: list[str], *, most: int = 200) -> list[uuid.UUID]:
    """Distinct ids, in the order sent; odd ones are left out."""
    found = (id_of(text) for text in texts[:most])
    return list(dict.fromkeys(one for one in found if one))


def contact_field(form: Mapping[str, str], name: str = "contact") -> str | None:
    """A phone number or a mail address, if given."""
    given = "".join(form.get(name, "").split())[:120]
    if not given:
        return None
    mail = MAIL.fullmatch(given) and mailing.ADDRESS.fullmatch(given)
    if not (is_phone(given) or mail):
        raise bad("联系方式 contact", "应为手机号或邮箱", "a phone number or a mail address")
    return given


def version_field(form: Mapping[str, str]) -> int | None:
    text = form.get("version", "")[:9]
    return int(text) if text.isascii() and text.isdigit() else None
