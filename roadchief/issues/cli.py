"""`roadchief issues …`: what is late, taking cases in, training, holidays, keys, limits, terms."""

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import click
from rich.console import Console
from rich.progress import Progress

from roadchief import config
from roadchief.db import Database
from roadchief.holidays import enter_years
from roadchief.issues import board, categories, moves, retention, watching
from roadchief.issues.open311 import keys
from roadchief.issues.sources import foreign, importing
from roadchief.issues.triage import training
from roadchief.lib import clock, coords
from roadchief.lib.workdays import BadYear

SHOWN = 20
One = TypeVar("One")
CODE = click.IntRange(100_000_000, 999_999_999)
place = click.option("--subdistrict", required=True, type=CODE, help="9-digit code")


@click.group(name="issues")
def group() -> None:
    """Cases: overdue ones, imports, suggestions, working days, keys."""


@group.command("overdue")
@place
@click.option("--csv", "as_csv", is_flag=True, help="for spreadsheets and scripts")
def overdue(subdistrict: int, as_csv: bool) -> None:
    """List running cases past their time, oldest first, with their light."""
    at = clock.now()
    with _database().transaction(subdistrict) as session:
        rows = board.overdue(session, at=at)
    lines = [
        (
            case.number,
            board.light(case, at),
            categories.find(case.category).zh,
            case.address,
            moves.STATES[case.state][0],
            f"{clock.local(case.due_at):%Y-%m-%d %H:%M}" if case.due_at else "",
        )
        for case in rows
    ]
    if as_csv:
        csv.writer(sys.stdout).writerows(lines)
        return
    for line in lines:
        click.echo("  ".join(line))
    click.echo(f"{len(lines)} overdue")


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@place
@click.option("--source", default="", help="where it comes from; ids are kept apart by source")
@click.option("--timezone", "zone", default="Asia/Shanghai", show_default=True)
@click.option("--datum", type=click.Choice([one.value for one in coords.Datum]), default="wgs84")
@click.option("--encoding", help="when the guess is wrong, such as gb18030")
def import_file(
    file: Path, subdistrict: int, source: str, zone: str, datum: str, encoding: str | None
) -> None:
    """Take cases from a CSV or Open311 JSON FILE. Repeating it changes nothing."""
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task(file.name, total=None)
            report = importing.take(
                _database(),
                file,
                subdistrict=subdistrict,
                at=clock.now(),
                way=importing.Way(source, zone, coords.Datum(datum), encoding),
                tell=lambda done: progress.update(bar, completed=done),
            )
    except (foreign.Unknown, UnicodeError, LookupError) as fault:
        raise click.UsageError(f"{file.name}: {fault}") from fault
    click.echo(f"{report.rows} rows: {report.new} new, {report.known} known already")
    if report.outside:
        click.echo(f"  {report.outside} lie outside the border of {subdistrict}: see --datum")
    if report.nowhere:
        click.echo(f"  {report.nowhere} have no place")
    for code, count in report.categories.most_common():
        click.echo(f"  {code} {categories.find(code).zh}: {count}")
    for number, why in report.refused[:SHOWN]:
        click.echo(f"  row {number}: {why}")
    if len(report.refused) > SHOWN:
        click.echo(f"  … {len(report.refused)} rows were refused")
    if report.interrupted:
        click.echo("interrupted: what is told above is kept, run it again to go on")
        raise SystemExit(130)


@group.command("train")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@click.option("--text", "columns", multiple=True, help="column with words, may be repeated")
@click.option("--label", help="column with the category")
@click.option("--keep", is_flag=True, help="use it for suggestions from now on")
def train(file: Path | None, columns: tuple[str, ...], label: str | None, keep: bool) -> None:
    """Learn suggestions from FILE, or from our own phrases; tells accuracy on held-back rows."""
    if file is not None and not (columns and label):
        raise click.UsageError("FILE needs --text and --label")
    try:
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("train", total=training.STEPS)
            rows = (
                training.own_phrases()
                if file is None
                else training.read_samples(file, text=columns, label=label or "")
            )
            learned = training.learn(
                rows,
                held_back=training.HELD_BACK if file else 0,
                tell=lambda: progress.advance(bar),
            )
    except training.NothingToLearn as fault:
        raise click.UsageError(str(fault)) from fault
    click.echo(f"{learned.rows} rows, {learned.labels} labels")
    if learned.held_back:
        click.echo(
            f"held back {learned.held_back}: {learned.right} right ({learned.accuracy:.0%}); "
            f"always the most frequent label: {learned.baseline}"
        )
    if keep:
        training.save(learned.model)


@group.command("holidays")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def holidays(file: Path) -> None:
    """Enter a year of working days from a TOML FILE in the form of workdays.toml."""
    try:
        with _database().transaction(None) as session:
            years = enter_years(session, file.read_text("utf-8"), at=clock.now())
    except (BadYear, UnicodeDecodeError) as fault:
        raise click.UsageError(f"{file.name}: {fault}") from fault
    click.echo("entered: " + ", ".join(map(str, years)))


@group.command("key")
@click.argument("name")
@place
def key(name: str, subdistrict: int) -> None:
    """Make an Open311 key for the system NAME; it is shown once."""
    with _database().transaction(subdistrict) as session:
        click.echo(keys.make(session, name, ["file", "update"], at=clock.now()))


@group.command("limits")
@place
@click.option("--apply", "really", is_flag=True, help="write it; without, a preview")
def limits(subdistrict: int, really: bool) -> None:
    """Show (or apply) the limits of today's lists to running cases, which keep theirs otherwise."""
    database, at = _database(), clock.now()
    with database.transaction(subdistrict) as session:
        changes = watching.preview_limits(session, at=at)
    done = 0
    with _tracking(changes, "limits") as tracked:
        for case, before, after in tracked:
            click.echo(f"{case.number}  {before} -> {after}")
            if really:
                with database.transaction(subdistrict) as session:
                    watching.recalculate(session, case.id, at=at)
            done += 1
    click.echo(f"{done} {'changed' if really else 'would change'}")
    _end(done, len(changes))


@group.command("forget")
@place
@click.option("--apply", "really", is_flag=True, help="delete them; without, only show them")
def forget(subdistrict: int, really: bool) -> None:
    """Show (or delete) cases whose term of keeping is over, with their parts and copies."""
    known, at = config.with_private_parts(config.load(os.environ)), clock.now()
    terms = retention.Terms(known.case_keep_years, known.case_keep_cancelled_years)
    database, done = Database(known), 0
    with database.transaction(subdistrict) as session:
        families = retention.due(session, terms, at=at)
    seen = 0
    with _tracking(families, "forget") as tracked:
        for family in tracked:
            number = len(family.members)
            more = f" and {number - 1} more" if number > 1 else ""
            day = clock.local_date(family.ended_at)
            click.echo(f"{family.number}{more}  {family.because}, ended {day}")
            if really:
                with database.transaction(subdistrict) as session:
                    done += retention.erase(session, family.root, terms, at=at)
            seen += 1
    whole = sum(len(family.members) for family in families)
    click.echo(f"{done} deleted" if really else f"{whole} would be deleted")
    if len(families) == retention.MOST:
        click.echo("there are more: run it again")
    _end(seen, len(families))


@contextmanager
def _tracking(rows: Sequence[One], what: str) -> Iterator[Iterable[One]]:
    """The rows with a bar. Ctrl-C ends the block, once the act under way was taken back."""
    with (
        suppress(KeyboardInterrupt),
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        yield progress.track(rows, description=what)


def _end(done: int, whole: int) -> None:
    if done < whole:
        click.echo(f"interrupted after {done} of {whole}: run it again to go on")
        raise SystemExit(130)


def _database() -> Database:
    return Database(config.with_private_parts(config.load(os.environ)))
