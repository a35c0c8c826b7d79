"""The figures of rules.toml, read once. *Pure but for the file.*"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

KINDS: dict[str, tuple[str, str]] = {
    "overdue": ("案件超期", "overdue cases"),
    "silence": ("长期未到", "not visited"),
    "repeat": ("反复发生", "happens again and again"),
    "turnover": ("疑似换店", "the shop may have changed"),
    "copied": ("疑似复制码", "the plate may be copied"),
}


@cache
def rules() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))
