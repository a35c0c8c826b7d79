"""Wiring: the `roadchief` command. Refusals exit 2 with one clear line."""

import os
import sys
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from roadchief import config
from roadchief.config import BadSetting
from roadchief.errors import Refusal


class Commands(click.Group):
    """A group whose refusals are one line, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            raise click.exceptions.Exit(_refuse(refusal.say("zh"), refusal.say("en"))) from refusal
        except BadSetting as error:
            raise click.exceptions.Exit(_refuse(str(error))) from error
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise click.exceptions.Exit(
                _refuse(f"数据库没有应答 / no database: {reason}")
            ) from error


def _refuse(*sentences: str) -> int:
    click.echo("roadchief: " + " / ".join(sentences), err=True)
    return 2


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="roadchief")
@click.pass_context
def main(ctx: click.Context) -> None:
    """路长制 RoadChief: named people answer for named road segments."""
    # Commands that render pages make the application by this; they lie below it.
    ctx.obj = _application


def _application() -> Any:
    from roadchief.app import create_app

    return create_app()


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """Serve the pages (WSGI, several processes)."""
    config.load(os.environ)
    os.execv(  # noqa: S606
        sys.executable,
        [
            *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory"),
            *("--host", host, "--port", str(port), "--workers", str(workers)),
            *("--blocking-threads", "4", "--no-access-log", "--workers-kill-timeout", "10"),
            # A worker that dies is replaced at once, not waited for.
            *("--respawn-failed-workers", "--respawn-interval", "0.5"),
            "roadchief.app:create_served_app",
        ],
    )


@main.command()
def worker() -> None:
    """Run jobs from the queue until stopped."""
    from roadchief.worker import run

    run()


def _add_packages() -> None:
    from roadchief.accounts.cli import group as accounts
    from roadchief.cluster_cli import group as db
    from roadchief.codes.cli import group as codes
    from roadchief.demo.cli import demo, tell_people
    from roadchief.doctor import doctor
    from roadchief.insight.cli import group as insight
    from roadchief.issues.cli import group as issues
    from roadchief.maps.cli import group as maps
    from roadchief.maps.cli import openapi
    from roadchief.patrol.cli import group as patrol
    from roadchief.streets.cli import group as streets

    for command in (
        *(accounts, codes, db, demo, doctor, insight, issues, maps, openapi, patrol, streets),
        tell_people,
    ):
        main.add_command(command)


_add_packages()
