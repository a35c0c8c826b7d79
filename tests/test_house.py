"""The rules of the house, kept by machine: direction, purity, size, commits and clocks."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from roadchief.config import ROOT

HOUSE = ROOT / "roadchief"
FILES = sorted(
    path for path in HOUSE.rglob("*.py") if "versions" not in path.parts and path.name != "env.py"
)

# High to low; packages in one row are siblings and do not know each other.
FLOORS: list[set[str]] = [
    {"app", "cli", "worker", "demo"},
    {"home", "privacy", "beginning"},
    {"pwa", "maps"},
    {"insight"},
    {"council"},
    {"credit"},
    {"patrol", "issues"},
    {"codes"},
    {"streets"},
    {"accounts"},
    {"web", "doctor"},
    {"blobs"},
    {"events", "jobs", "holidays", "cluster_cli"},
    {"db", "migrations", "cluster"},
    {"config", "postmaster"},
    {"errors", "lib"},
]
# Pure: no Flask, SQLAlchemy, settings or clock.
PURE = {
    "insight/risk.py",
    "insight/hotspots.py",
    "insight/charts.py",
    "insight/goals.py",
    "codes/lifecycle.py",
    "codes/tokens.py",
    "codes/symbols.py",
    "codes/layouts.py",
    "codes/imposing.py",
    "lib/coords.py",
    "lib/geo.py",
    "lib/text.py",
    "lib/workdays.py",
    "issues/workflow.py",
    "issues/moves.py",
    "issues/routing.py",
    "issues/categories.py",
    "issues/triage/suggesting.py",
    "issues/open311/georeport.py",
    "issues/feeds/atom.py",
    "issues/sheets/walking.py",
    "issues/deadlines.py",
    "issues/figures/bars.py",
    "accounts/access.py",
    "accounts/wording.py",
    "accounts/outcomes.py",
    "streets/centrelines.py",
    "streets/linework.py",
    "streets/naming.py",
    "lib/symbols.py",
    "lib/signing.py",
    "streets/placing.py",
    "streets/zones.py",
    "streets/fronts.py",
    "streets/divisions.py",
    "streets/kinds.py",
    "streets/sketches.py",
    "streets/permits.py",
    "streets/shifts.py",
    "streets/standards.py",
    "streets/appointments/lines.py",
    "patrol/items/answers.py",
    "patrol/reports/assessment.py",
    "patrol/planning/roster.py",
    "patrol/planning/due.py",
    "patrol/routes/route.py",
    "patrol/routes/walk.py",
    "patrol/doubts/signals.py",
    "patrol/coverage/measures.py",
    "patrol/items/moments.py",
    "patrol/presence/reach.py",
    "patrol/items/reading.py",
    "patrol/selfchecks/rhythm.py",
    "patrol/rules.py",
    "streets/importing/mapping.py",
    "streets/importing/report.py",
    "streets/importing/checking.py",
    "streets/importing/columns.py",
    "streets/importing/spreadsheets/cells.py",
    "streets/importing/keys.py",
    "streets/importing/numbers.py",
    "demo/drawing.py",
    "maps/hours.py",
    "maps/backgrounds.py",
}
# Rooms of a package, high to low. Its other modules are its core, which knows none of its rooms.
ROOMS: dict[str, list[str]] = {
    "issues": [
        "desk",
        "feeds",
        "open311",
        "merchants",
        "sources",
        "citizens",
        "office",
        "mail",
        "sheets",
        "figures",
        "triage",
    ],
    "patrol": [
        "chief",
        "reports",
        "phone",
        "selfchecks",
        "checklists",
        "coverage",
        "doubts",
        "presence",
        "planning",
        "routes",
        "items",
    ],
}
WIRING = {"all_views", "jobs", "cli"}  # beside the core: these put the rooms together
IMPURE = {"flask", "sqlalchemy", "roadchief.db", "roadchief.config", "roadchief.lib.clock"}
MOST_LINES = 350
MOST_FUNCTION_LINES = 50
# Where Flask may be seen: the rim.
RIM = {"home", "privacy", "beginning", "views", "web", "signin", "app", "oidc", "pwa", "tiles"}


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def floor_of(part: str) -> int:
    for number, floor in enumerate(FLOORS):
        if part in floor:
            return number
    raise AssertionError(f"roadchief.{part} stands on no floor: see FLOORS")


def part_of(path: Path) -> str:
    return path.relative_to(HOUSE).parts[0].removesuffix(".py")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> set[str]:
    """Every module named in an import, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_lower_packages_never_import_higher_ones(path: Path) -> None:
    if path.name == "__init__.py" and path.parent == HOUSE:
        return
    own = part_of(path)
    for module in imports_of(path):
        parts = module.split(".")
        if parts[0] != "roadchief" or len(parts) < 2 or parts[1] == own:
            continue
        if not (HOUSE / parts[1]).exists() and not (HOUSE / f"{parts[1]}.py").exists():
            continue
        assert floor_of(parts[1]) > floor_of(own) or (
            floor_of(parts[1]) == floor_of(own)
            and own
            in {"cli", "app", "worker", "db", "migrations", "events", "jobs", "web", "cluster_cli"}
        ), f"{name_of(path)} imports {module}, which lies above or beside it"


def height_of(package: str, part: str) -> int:
    """How high something stands in its package: wiring, rooms, core."""
    rooms = ROOMS[package]
    if part in WIRING:
        return len(rooms) + 1
    return len(rooms) - rooms.index(part) if part in rooms else 0


@pytest.mark.parametrize("path", [path for path in FILES if part_of(path) in ROOMS], ids=name_of)
def test_rooms_know_only_what_lies_below_them(path: Path) -> None:
    package, part = path.relative_to(HOUSE).with_suffix("").parts[:2]
    if path.parent.parent != HOUSE:
        assert part in ROOMS[package], f"{package}/{part} is no room: see ROOMS"
    for module in imports_of(path):
        root, *rest = module.split(".")
        if root != "roadchief" or len(rest) < 2 or rest[0] != package or rest[1] == part:
            continue
        if not {rest[1], part} & {*ROOMS[package], *WIRING}:
            continue  # the core within itself
        assert height_of(package, rest[1]) < height_of(package, part), (
            f"{name_of(path)} imports {module}, which lies above it"
        )


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_is_where_a_newcomer_looks(package: str) -> None:
    """On disk, in the package's docstring from high to low, and in the README."""
    folders = {path.parent.name for path in (HOUSE / package).glob("*/__init__.py")}
    assert folders == set(ROOMS[package])
    told = ast.get_docstring(tree_of(HOUSE / package / "__init__.py")) or ""
    assert re.findall(r"^\* (\w+): ", told, re.MULTILINE) == ROOMS[package]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(rf"^\| `{package}/(\w+)` \|", readme, re.MULTILINE) == ROOMS[package]
    for room in ROOMS[package]:
        assert ast.get_docstring(tree_of(HOUSE / package / room / "__init__.py")), room


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_know_no_surroundings(name: str) -> None:
    for module in imports_of(HOUSE / name):
        assert not any(module == bad or module.startswith(bad + ".") for bad in IMPURE), (
            f"{name} is pure but imports {module}"
        )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_database_commits(path: Path) -> None:
    if name_of(path) in {"db.py", "cluster.py"}:
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr != "commit", f"{name_of(path)}:{node.lineno} commits"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_clock_asks_the_time(path: Path) -> None:
    if name_of(path) == "lib/clock.py":
        return
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            asked = node.func.attr in {"now", "utcnow", "today"} and isinstance(
                node.func.value, ast.Name
            )
            assert not asked or node.func.value.id in {"clock", "func"}, (  # type: ignore[attr-defined]
                f"{name_of(path)}:{node.lineno} asks the time"
            )


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_flask_stays_at_the_rim(path: Path) -> None:
    if not any(module == "flask" or module.startswith("flask.") for module in imports_of(path)):
        return
    stem = path.stem
    assert part_of(path) in RIM or stem in RIM or stem.endswith("_views"), name_of(path)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_modules_and_functions_stay_small(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES, f"{name_of(path)} has {lines} lines"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= MOST_FUNCTION_LINES, f"{name_of(path)}: {node.name} has {length} lines"


def test_names_say_what_things_are() -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "service", "services", "misc"}
    assert not [name_of(path) for path in FILES if path.stem in vague]


def test_pages_name_no_other_host_and_carry_no_inline_script() -> None:
    for path in sorted((HOUSE / "templates").rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        assert "https://" not in text.replace("https://beian", ""), path
        for forbidden in (" onclick=", " onload=", " onsubmit=", " onchange=", "javascript:"):
            assert forbidden not in text, f"{path} has {forbidden}"
        assert ' style="' not in text, f"{path} has an inline style"
