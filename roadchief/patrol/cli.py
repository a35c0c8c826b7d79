"""`roadchief patrol …`: plan a week, write the monthly report."""

import os
from contextlib import suppress
from datetime import date, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.orm import Session

from roadchief import config, holidays
from roadchief.db import Database
from roadchief.errors import NotFound
from roadchief.lib import clock
from roadchief.patrol import retention
from roadchief.patrol.doubts import backfill
from roadchief.patrol.planning import roster, weeks
from roadchief.patrol.reports import monthly, sheet
from roadchief.streets.models import Subdistrict

CODE = click.IntRange(100_000_000, 999_999_999)


@click.group(name="patrol")
def group() -> None:
    """Patrol: weekly plans and monthly reports."""


@group.command("plan")
@click.option("--subdistrict", required=True, type=CODE, help="9 digits")
@click.option("--week", type=click.DateTime(["%Y-%m-%d"]), help="a day of it; default: next week")
def plan(subdistrict: int, week: datetime | None) -> None:
    """Plan a week from the rules. What is planned already stays; repeating it adds nothing."""
    at = clock.now()
    day = week.date() if week else clock.local_date(at) + timedelta(days=7)
    monday = roster.monday_of(day)
    with _database().transaction(subdistrict) as session:
        _place(session, subdistrict)
        made = weeks.lay(session, monday, None, by=None, at=at, days=holidays.calendar(session))
        found = weeks.look(session, monday, None, days=holidays.calendar(session))
    click.echo(f"{monday}：新排 {made} 个班次，空缺 {len(found.gaps)}，重叠 {len(found.overlaps)}")
    for on, name, _why in found.gaps[:20]:
        click.echo(f"  空缺 {on} {name}")


@group.command("report")
@click.option("--subdistrict", required=True, type=CODE, help="9 digits")
@click.option("--month", default="", help="such as 2026-11; default: the one of yesterday")
@click.option("--pdf", type=click.Path(path_type=Path), help="write the A4 page here")
@click.option("--csv", "table", type=click.Path(path_type=Path), help="write the table here")
def report(subdistrict: int, month: str, pdf: Path | None, table: Path | None) -> None:
    """The month in figures; with --pdf and --csv as files."""
    at = clock.now()
    with _database().transaction(subdistrict) as session:
        place = _place(session, subdistrict)
        first = monthly.first_of(month, at=at)
        found = monthly.look(session, None, first, at=at, shops=sheet.SHOWN)
        if table:
            _write_table(table, session, first, at=at)
    bands = found.covered.bands
    click.echo(
        f"{found.name}：应到 {bands.due}，已核验 {bands.verified}，待佐证 {bands.provisional}，"
        f"有理由 {bands.excused}，未到 {bands.unseen}；班次 {found.walked}/{found.planned}；"
        f"考核 {found.result.of_100 if found.result.of_100 is not None else '–'}"
    )
    if pdf:
        page = sheet.as_pdf(found, place=place.name, who="roadchief", printed_at=at)
        _save(pdf, page)


@group.command("photos")
@click.option("--subdistrict", required=True, type=CODE, help="9 digits")
@click.option("--most", type=click.IntRange(1), help="stop after so many; the next run goes on")
def photos(subdistrict: int, most: int | None) -> None:
    """Hash what photos of visits look like, where that was not done yet; may be broken off."""
    settings = config.with_private_parts(config.load(os.environ))
    database = Database(settings)
    with database.transaction(subdistrict) as session:
        _place(session, subdistrict)
        left = backfill.left(session)
    done, lacking, whole = 0, 0, False
    with (
        suppress(KeyboardInterrupt),
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        bar = progress.add_task("照片", total=min(left, most or left))
        for portion in backfill.portions(database, subdistrict, settings=settings, most=most):
            done, lacking = done + portion.hashed, lacking + portion.lacking
            progress.update(bar, completed=done + lacking)
        whole = True
    with database.transaction(subdistrict) as session:
        left = backfill.left(session)
    click.echo(f"已算 {done} 张，文件缺失或打不开 {lacking} 张，还剩 {left} 张")
    _end(whole)


@group.command("forget")
@click.option("--subdistrict", required=True, type=CODE, help="9 digits")
@click.option("--apply", "really", is_flag=True, help="let them go; without, only count them")
def forget(subdistrict: int, really: bool) -> None:
    """Where people stood and photos of visits, once their time is over; the worker does it nightly.

    May be broken off: the next run goes on.
    """
    database, at = _database(), clock.now()
    with database.transaction(subdistrict) as session:
        _place(session, subdistrict)
        found = retention.due(session, at=at)
    if not really:
        click.echo(f"到期：位置 {found.places} 条，照片 {found.photos} 张（加 --apply 才删除）")
        return
    whole, told = False, [retention.Forgotten()]
    with (
        suppress(KeyboardInterrupt),
        Progress(console=Console(stderr=True), transient=True) as progress,
    ):
        bar = progress.add_task("到期", total=found.places + found.photos)

        def tell(done: retention.Forgotten) -> None:
            told.append(done)
            progress.update(bar, completed=done.places + done.photos)

        told.append(retention.forget(database, subdistrict, at=at, tell=tell))
        whole = True
    click.echo(f"已删除：位置 {told[-1].places} 条，照片 {told[-1].photos} 张")
    _end(whole)


def _end(whole: bool) -> None:
    if not whole:
        click.echo("已中断，重新运行会接着做")
        raise SystemExit(130)


def _place(session: Session, subdistrict: int) -> Subdistrict:
    found = session.get(Subdistrict, subdistrict)
    if found is None:
        raise NotFound
    return found


def _write_table(file: Path, session: Session, first: date, *, at: datetime) -> None:
    try:
        with file.open("w", encoding="utf-8", newline="") as out:
            monthly.write_csv(out, session, None, first, at=at)
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from error


def _save(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from error


def _database() -> Database:
    return Database(config.with_private_parts(config.load(os.environ)))
