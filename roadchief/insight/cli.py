"""`roadchief insight …`: the night's run by hand."""

import os

import click

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
    settings = config.with_private_parts(config.load(os.environ))
    for place, report in nightly.run_all(Database(settings), at=clock.now()).items():
        found = ", ".join(f"{kind} {count}" for kind, count in report.found.items())
        click.echo(
            f"{place}: {found}; {sum(report.fresh.values())} new, {report.over} over; "
            f"{report.segments} segments, {report.hot_spots} hot spots, "
            f"{report.weeks} weeks kept"
        )
