"""`roadchief codes …`: mint, print, check, revoke and replace plates; keys of shift manifests."""

import os
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief import config
from roadchief.codes import (
    batches,
    inscriptions,
    jobs,
    keys,
    packing,
    plates,
    printing,
    reading,
    scans,
    tokens,
)
from roadchief.codes.artwork import layouts
from roadchief.codes.plates import Target
from roadchief.config import Settings
from roadchief.db import Database, tenant_of
from roadchief.errors import BadInput, NotFound
from roadchief.lib import clock
from roadchief.streets import catalog
from roadchief.streets.models import Road

SUBDISTRICT = click.option(
    "--subdistrict", required=True, type=click.IntRange(100_000_000, 999_999_999), help="9 digits"
)
OUT = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="where the PDF goes"
)
WAIT_S = 1.0
BECAUSE = click.option("--because", required=True, help="the reason, kept with the plate")


class NoRoad(NotFound):
    zh = "没有名为“{name}”的道路"
    en = "there is no road named {name}"


@click.group(name="codes")
def group() -> None:
    """Smart codes (智能码): plates from mint to the wall."""


@group.command()
@SUBDISTRICT
@click.option("--road", help="a road's name; its storefronts without a plate get one")
@click.option("--all", "everything", is_flag=True, help="every storefront without a plate")
@click.option("--blank", type=click.IntRange(1, batches.LARGEST), help="plates for no place yet")
@click.option("--layout", default="plate", show_default=True, help="plate, sticker, card, sign …")
@click.option(
    "--sheet", type=click.Choice(["a4", "a3", "sra3", "svg", "png"]), help="else one a page"
)
@OUT
@click.option("--list", "list_file", type=click.Path(path_type=Path, dir_okay=False))
def mint(
    subdistrict: int,
    road: str | None,
    everything: bool,
    blank: int | None,
    layout: str,
    sheet: str | None,
    out: Path | None,
    list_file: Path | None,
) -> None:
    """Mint plates and make their print file; every symbol is read back first."""
    database, settings = _surroundings()
    if layout not in layouts():
        known = ", ".join(sorted(layouts()))
        raise BadInput(field="--layout", reason_zh=f"可选：{known}", reason_en=f"one of {known}")
    with database.transaction(subdistrict) as session:
        targets, passed_over = _targets(session, settings, layout, road, everything, blank)
        batch, _minted = batches.order(
            session,
            targets,
            title=road or (f"blank {blank}" if blank else "all"),
            layout=layout,
            sheet=sheet,
            where=tokens.site(settings.public_url),
            settings=settings,
            by=None,
            at=clock.now(),
        )
    click.echo(f"minted {len(targets)}, passed over {passed_over}; batch {batch.id}")
    _print(database, settings, subdistrict, batch.id, len(targets), out, list_file)


def _targets(
    session: Session,
    settings: Settings,
    layout: str,
    road: str | None,
    everything: bool,
    blank: int | None,
) -> tuple[list[Target], int]:
    if sum((bool(road), everything, bool(blank))) != 1:
        raise BadInput(
            field="--road --all --blank", reason_zh="三选一", reason_en="give one of the three"
        )
    if blank:
        return [Target() for _ in range(blank)], 0
    road_id = None
    if road:
        road_id = session.scalar(
            select(Road.id).where(Road.subdistrict_id == tenant_of(session), Road.name == road)
        )
        if road_id is None:
            raise NoRoad(name=road)
    if layouts()[layout].kind == "sign":
        at, phone = clock.now(), settings.office_phone
        rows = [one[0].id for one in catalog.segments(session) if road_id in (None, one[0].road_id)]
        said = inscriptions.on_signs(session, rows, phone=phone, at=at)
        return [Target(segment_id=key, printed=printed) for key, printed in said.items()], 0
    choice = batches.storefronts_without(session, road_id=road_id)
    return choice.targets, choice.passed_over


@group.command("print")
@click.argument("batch", type=click.UUID)
@SUBDISTRICT
@OUT
@click.option("--list", "list_file", type=click.Path(path_type=Path, dir_okay=False))
def print_again(batch: Any, subdistrict: int, out: Path | None, list_file: Path | None) -> None:
    """Make (or finish) the print file of a batch that is not delivered yet."""
    database, settings = _surroundings()
    with database.transaction(subdistrict) as session:
        count = batches.find(session, batch).plates
    _print(database, settings, subdistrict, batch, count, out, list_file)


def _print(
    database: Database,
    settings: Settings,
    subdistrict: int,
    batch_id: Any,
    count: int,
    out: Path | None,
    list_file: Path | None,
) -> None:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("print", total=count)

        def tell(done: int) -> None:
            progress.update(bar, completed=done)

        made = None
        while made is None:
            try:
                made = jobs.run(database, settings, subdistrict, batch_id, tell=tell)
            except printing.AlreadyPrinting:  # the worker has the same order
                time.sleep(WAIT_S)
                with database.transaction(subdistrict) as session:
                    tell(int(batches.find(session, batch_id).report.get("done", 0)))
    if out:
        out.write_bytes(made.read_bytes())
        made = out
    with database.transaction(subdistrict) as session:
        batch = batches.find(session, batch_id)
        listed = packing.list_csv(session, batch)
        report = batch.report
    if list_file:
        list_file.write_bytes(listed)
    click.echo(f"{made}: {report.get('plates')} plates on {report.get('pages')} pages, read back")
    click.echo(f"sha256 {report.get('sha256')}  list sha256 {batch.list_sha256}")
    for number, field, characters, shortened in report.get("undrawn", []):
        why = "cut short" if shortened else f"no glyph for {characters}"
        click.echo(f"  {number}: {field}: {why}")


@group.command("check-print")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--expected", type=click.Path(path_type=Path, exists=True), help="a text a line")
@click.option("--unknown", is_flag=True, help="only read: the plates need not be ours")
def check_print(file: Path, expected: Path | None, unknown: bool) -> None:
    """Read every symbol of a PDF back from its rasterised pages.

    Each must lead to our host, be a plate of ours, and stand beside that plate's own number.
    """
    wanted = expected.read_text(encoding="utf-8").split() if expected else None
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("read", total=None)
        report = reading.check_print(
            file, wanted, progress=lambda done: progress.update(bar, completed=done)
        )
        faults = [one.sentence("zh") for one in report.faults]
        if not unknown:
            faults += _not_ours(progress.track(report.found, description="plates"))
    click.echo(report.sentence("zh"))
    for fault in faults:
        click.echo("  " + fault)
    if faults or not report.good:
        raise SystemExit(1)


def _not_ours(found: Iterable[reading.Found]) -> list[str]:
    """Symbols that lead elsewhere, are no plate of ours, or stand beside another's number."""
    database, settings = _surroundings()
    hosts = [tokens.site(settings.public_url).host]
    faults = []
    with database.transaction(None) as session:
        for one in found:
            token = tokens.token_in(one.text, hosts)
            number = scans.number_of(session, token) if token else None
            if token is None:
                faults.append(f"第 {one.page} 页：不是 {hosts[0]} 的码")
            elif number is None:
                faults.append(f"第 {one.page} 页：不是本系统生成的码")
            elif not one.stands_beside(number):
                faults.append(f"第 {one.page} 页：此处应是 {number} 的码牌，旁边印的不是这个编号")
    return faults


@group.command()
@click.argument("number")
@SUBDISTRICT
@BECAUSE
def revoke(number: str, subdistrict: int, because: str) -> None:
    """Retire the plate with this printed NUMBER: its scan says so for ever."""
    database, _settings = _surroundings()
    with database.transaction(subdistrict) as session:
        plate = plates.by_number(session, number)
        plates.move(session, plate, "retire", by=None, at=clock.now(), because=because)
    click.echo(f"{plate.number}: {plate.state}")


@group.command()
@click.argument("number")
@SUBDISTRICT
@BECAUSE
@OUT
def replace(number: str, subdistrict: int, because: str, out: Path | None) -> None:
    """A new plate for the place of NUMBER; the old one goes when the new one is mounted."""
    database, settings = _surroundings()
    with database.transaction(subdistrict) as session:
        batch, minted = batches.order_replacement(
            session,
            plates.by_number(session, number),
            because=because,
            where=tokens.site(settings.public_url),
            settings=settings,
            by=None,
            at=clock.now(),
        )
    click.echo(f"{number} → {minted[0].number}")
    _print(database, settings, subdistrict, batch.id, 1, out, None)


@group.group("keys")
def manifest_keys() -> None:
    """Keys that sign the lists of plates which phones carry."""


@manifest_keys.command("list")
def list_keys() -> None:
    """All keys and their states."""
    _database, settings = _surroundings()
    for one in keys.known(settings, at=clock.now()):
        click.echo(f"{one.key_id}  {one.state:8} made {one.made_at[:16]}  until {one.until or '—'}")


@manifest_keys.command("rotate")
def rotate_keys() -> None:
    """The next key signs from now on; the former is believed for 30 days more."""
    _database, settings = _surroundings()
    click.echo(f"signing: {keys.rotate(settings, at=clock.now()).key_id}")


@manifest_keys.command("leak")
@click.argument("key_id")
@click.option("--since", required=True, type=click.DateTime(), help="when it may have leaked (UTC)")
def leak_key(key_id: str, since: datetime) -> None:
    """The drill after a leak: nothing signed by KEY_ID counts; no plate is reprinted."""
    _database, settings = _surroundings()
    at = clock.now()
    now = keys.leak(settings, key_id, since=since.replace(tzinfo=at.tzinfo), at=at)
    click.echo(f"signing: {now.key_id}; manifests live for an hour during the next seven days")


def _surroundings() -> tuple[Database, Settings]:
    settings = config.with_private_parts(config.load(os.environ))
    return Database(settings), settings
