"""`roadchief db …`: the private cluster and the schema."""

import os

import click

from roadchief import cluster, config, migrations
from roadchief.config import ROOT
from roadchief.errors import Unavailable


class NoAddress(Unavailable):
    zh = "没有数据库地址：先运行 roadchief db up，或设置 ROADCHIEF_DATABASE_URL"
    en = "no database address: run `roadchief db up`, or set ROADCHIEF_DATABASE_URL"


@click.group(name="db")
def group() -> None:
    """The database: private cluster and schema."""


@group.command()
def up() -> None:
    """Start the private cluster, making it first; a running one is kept."""
    if config.load(os.environ).database_url:
        click.echo("ROADCHIEF_DATABASE_URL names another server: nothing to start")
        return
    found = cluster.up(ROOT, say=click.echo)
    click.echo(f"database on 127.0.0.1:{found.port}, data in {found.data}")


@group.command()
def down() -> None:
    """Stop the private cluster."""
    click.echo("stopped" if cluster.down(ROOT) else "it was not running")


@group.command()
def migrate() -> None:
    """Bring the schema up to date."""
    settings = config.with_private_parts(config.load(os.environ))
    if not settings.owner_database_url:
        raise NoAddress
    migrations.prepare(settings.owner_database_url)
    migrations.upgrade(settings.owner_database_url, say=lambda step: click.echo(f"· {step}"))
    click.echo("schema is up to date")
