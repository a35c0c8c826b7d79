"""`roadchief demo`: the demo street, or a district of any size."""

import json
import os
from collections.abc import Callable
from functools import partial

import click
from rich.console import Console
from rich.progress import Progress, TaskID
from sqlalchemy import select

from roadchief import config
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.demo import (
    district,
    living,
    loading,
    patrolling,
    plating,
    reporting,
    selfchecking,
    twinning,
)
from roadchief.insight import nightly
from roadchief.lib import clock
from roadchief.streets.models import Subdistrict

STEPS = 7  # of a sub-district


@click.command()
@click.option("--storefronts", type=click.IntRange(1, 5_000_000), help="a district of this size")
@click.option(
    "--subdistrict",
    type=click.IntRange(100_000_000, 999_999_999),
    default=990000001,
    show_default=True,
    help="its code; 99… is no real province",
)
def demo(storefronts: int | None, subdistrict: int) -> None:
    """Load the demo street (safe to repeat), or with --storefronts a district for load work."""
    settings = config.with_private_parts(config.load(os.environ))
    database = Database(settings)
    if storefronts:
        made = district.make(database, subdistrict, storefronts, at=clock.now())
        click.echo(f"{made} storefronts in {subdistrict}")
        return
    load(database, settings)


def load(database: Database, settings: Settings) -> None:
    """One transaction a sub-district: a killed run leaves whole ones, the next adds the rest."""
    seed, names = loading.read_seed("streets.json"), loading.read_seed("names.json")
    key = living.installation_key(settings.var_dir / "secrets")
    people = living.demo_people(names, key)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for facts in seed["subdistricts"]:
            bar = progress.add_task(facts["name"], total=STEPS)
            tell = partial(_tell, progress, bar)
            _load_one(database, settings, facts["code"], people, tell)
            tell(STEPS)
    living.write_people(settings.var_dir / "demo-people.json", people)
    plating.move_rows(settings.var_dir / "demo-plates.json", settings.public_url)


def _tell(progress: Progress, bar: TaskID, done: int) -> None:
    progress.update(bar, completed=done)


def _load_one(
    database: Database,
    settings: Settings,
    code: int,
    people: list[living.DemoPerson],
    tell: Callable[[int], object],
) -> None:
    """`tell` hears how many of the STEPS are done."""
    seed, names = loading.read_seed("streets.json"), loading.read_seed("names.json")
    now = clock.now()
    then = now - living.FORTNIGHT
    with database.transaction(code) as session:
        if session.scalar(select(Subdistrict.id).where(Subdistrict.id == code)):
            return
        loading.load_ground(session, seed, at=then)
        count = loading.load_storefronts(session, seed, names, at=then)
        tell(1)
        posts = living.settle_people(session, people, names, at=then, settings=settings)
        living.put_in_charge(session, posts, at=then)
        living.live_a_fortnight(session, names, at=now)
        tell(2)
        hung = plating.hang_plates(session, at=then + plating.SETTLED, settings=settings)
        plating.write_rows(settings.var_dir / "demo-plates.json", hung)
        tell(3)
        patrolling.walk_a_fortnight(session, posts, now=now)
        tell(4)
        twinning.show_twins(session, now=now, settings=settings)
        keeper = posts.get("merchant")
        selfchecking.check_some_weeks(session, keeper.person_id if keeper else None, now=now)
        tell(5)
        told = reporting.report_cases(session, now=now, settings=settings)
        plating.write_rows(settings.var_dir / "demo-receipts.json", told)
        tell(6)
        nightly.run(session, at=now)  # as on every night: what is worth a visit, and the risks
    click.echo(f"demo: {code} with {count} storefronts")


@click.command("people-of-the-demo", hidden=True)
def tell_people() -> None:
    """Print the demo sign-ins."""
    settings = config.load(os.environ)
    path = settings.var_dir / "demo-people.json"
    if not path.exists():
        return
    for row in json.loads(path.read_text(encoding="utf-8")):
        if row["subdistrict"] == 310115004:
            code = f"  second factor {row['totp']}" if row["totp"] else ""
            click.echo(f"  {row['login']:<22} {row['password']}  {row['name']}{code}")
    click.echo(f"  (all of them: {path})")
    plates = settings.var_dir / "demo-plates.json"
    if plates.exists():
        for row in json.loads(plates.read_text(encoding="utf-8"))[:3]:
            click.echo(f"  {row['number']} {row['address']} ({row['state']}): {row['url']}")
        click.echo(f"  (receipts of citizens, with PIN: {settings.var_dir / 'demo-receipts.json'})")
        click.echo(f"  (every plate of the demo, to be scanned: {plates})")
