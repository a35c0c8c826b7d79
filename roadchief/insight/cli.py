"""`roadchief insight …`: the night's run by hand."""

import os

import click
from rich.console import Console
from rich.progress import Progress

from roadchief import config
from roadchief.db import Database
from roadchief.insight import nightly
from roadchief.lib import clock


@click.group(name="insight")
def group() -> None:
    """What is overdue, silent, repeated or odd, with its reasons."""


@group.command()
def run() -> None:
    """Reckon hints, risks, hot spots and weekly sums of every sub-district now. Safe to repeat."""
    database = Database(config.with_private_parts(config.load(os.environ)))
    at, places = clock.now(), database.tenants()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("insight", total=nightly.STEPS * len(places))
        for done, place in enumerate(places):
            try:
                report = nightly.run_one(database, place, at=at, tell=lambda: progress.advance(bar))
            except KeyboardInterrupt:
                click.echo(f"interrupted: {done} of {len(places)} are done, the others as before")
                raise SystemExit(130) from None
            click.echo(_line(place, report))
    click.echo(f"{len(places)} sub-districts reckoned")


def _line(place: int, report: nightly.Report) -> str:
    found = ", ".join(f"{kind} {count}" for kind, count in report.found.items())
    return (
        f"{place}: {found}; {sum(report.fresh.values())} new, {report.over} over; "
        f"{report.segments} segments, {report.hot_spots} hot spots, {report.weeks} weeks kept"
    )
