"""Who works in a data folder of PostgreSQL. Its pid file alone may be of a crash or of a copy."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Noted:
    """What postmaster.pid says. The port is 0 until the server has got so far."""

    pid: int
    port: int


def noted(data: Path) -> Noted | None:
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        port = lines[3].strip() if len(lines) > 3 else ""
        return Noted(int(lines[0]), int(port) if port.isdigit() else 0)
    except (OSError, ValueError, IndexError):
        return None


def runs(data: Path) -> bool:
    """Does the server that the pid file names work in this folder?"""
    said = noted(data)
    return said is not None and said.pid in working_in(data)


def working_in(data: Path) -> set[int]:
    """The processes of PostgreSQL that work in this folder: all of them do so from the start."""
    found = set()
    here = data.resolve()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            name = (place / "comm").read_text(encoding="utf-8").strip()
            if name == "postgres" and (place / "cwd").readlink() == here:
                found.add(int(place.name))
        except OSError:  # ended just now, or somebody else's
            continue
    return found


def complaint(log: Path) -> str:
    """The last thing that a server complained of before it gave up."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]
    except OSError:
        return ""
    said = [line.split("FATAL:", 1)[1].strip() for line in lines if "FATAL:" in line]
    return said[-1] if said else ""
