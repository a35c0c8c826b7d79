"""The files that the app needs to start without a network, and the number of this edition."""

import hashlib
from functools import cache
from pathlib import Path

from roadchief.config import ROOT

STATIC = ROOT / "static"
TEMPLATES = ROOT / "roadchief" / "templates" / "pwa"
PAGE = "/patrol/"
# Whole folders and single files below static/, kept on the phone together or not at all.
FOLDERS = ("patrol", "vendor/barcode")
FILES = ("vendor/pico.min.css", "css/roadchief.css", "img/mark.svg", "img/app-192.png")
NOT_KEPT = {"worker.js"}  # the browser keeps it itself


@cache
def files() -> tuple[Path, ...]:
    """Every file of the shell, in a fixed order."""
    found = [STATIC / name for name in FILES]
    for folder in FOLDERS:
        found += [
            path
            for path in (STATIC / folder).rglob("*")
            if path.is_file() and path.name not in NOT_KEPT
        ]
    return tuple(sorted(path for path in found if path.is_file()))


def addresses() -> list[str]:
    """What the worker keeps: plain addresses, for modules import each other by name."""
    return [PAGE, *(f"/static/{path.relative_to(STATIC).as_posix()}" for path in files())]


@cache
def edition() -> str:
    """Changes with any byte of the shell, its page or the worker; phones then fetch it anew."""
    mark = hashlib.sha256()
    pages = sorted(TEMPLATES.glob("*.html"))
    for path in (*files(), STATIC / "patrol" / "worker.js", *pages):
        mark.update(path.name.encode() + b"\0" + path.read_bytes())
    return mark.hexdigest()[:12]
