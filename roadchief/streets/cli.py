"""`roadchief streets …`: taking files in."""

import json
import os
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from roadchief import config
from roadchief.db import Database
from roadchief.errors import BadInput, RuleBroken
from roadchief.lib import clock
from roadchief.lib.coords import Datum
from roadchief.streets import subdistricts
from roadchief.streets.importing import refused, run, zoning
from roadchief.streets.importing.report import Report
from roadchief.streets.subdistricts import RINGS

SHOWN = 20


class StrictStop(RuleBroken):
    zh = "严格模式：有 {refused} 行被拒绝，没有写入任何数据"
    en = "strict: {refused} rows were refused, nothing was written"


@click.group(name="streets")
def group() -> None:
    """The ground: sub-districts and imports."""


@group.command("open")
@click.option(
    "--code", required=True, type=click.IntRange(100_000_000, 999_999_999), help="9 digits"
)
@click.option("--name", required=True)
@click.option("--short", required=True, help="in human numbers, such as WF")
@click.option("--ring", type=click.Choice(RINGS), help="inner city, town or country")
@click.option("--rename", is_flag=True, help="it is there under another name: change that")
def open_subdistrict(code: int, name: str, short: str, ring: str | None, rename: bool) -> None:
    """Enter a sub-district, so that its border, roads and storefronts can be imported."""
    with _database().transaction(code) as session:
        opened = subdistricts.open_subdistrict(
            session,
            code=code,
            name=name,
            short_name=short,
            ring=ring,
            rename=rename,
            by=None,
            at=clock.now(),
        )
        line = f"{code} {opened.row.name} {opened.row.short_name}"
    for doubt in opened.doubts:
        click.echo(f"! {doubt.zh} / {doubt.en}", err=True)
    click.echo(line)


@group.command("import")
@click.argument("what", type=click.Choice(["roads", "storefronts", "boundaries", "osm"]))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--subdistrict", required=True, type=click.IntRange(100_000_000, 999_999_999))
@click.option(
    "--datum", type=click.Choice([one.value for one in Datum]), default="wgs84", show_default=True
)
@click.option("--encoding", help="when the guess is wrong, such as gb18030")
@click.option("--map", "mapped", multiple=True, help="FIELD=COLUMN, may be repeated")
@click.option("--source", default="", help="where it comes from; ids are kept apart by source")
@click.option("--strict", is_flag=True, help="write nothing when a row is refused")
@click.option("--dry-run", is_flag=True, help="report, but write nothing")
@click.option("--report", "report_file", type=click.Path(path_type=Path), help="the report as JSON")
@click.option("--refused", "sheet", type=click.Path(path_type=Path), help="all refused rows as CSV")
def import_file(
    what: str,
    file: Path,
    subdistrict: int,
    datum: str,
    encoding: str | None,
    mapped: tuple[str, ...],
    source: str,
    strict: bool,
    dry_run: bool,
    report_file: Path | None,
    sheet: Path | None,
) -> None:
    """Take roads, storefronts or borders from FILE. Repeating it changes nothing.

    FILE is .xlsx, CSV, GeoJSON, GeoPackage, Shapefile (or a zip of one) or an OSM extract.
    """
    order = run.Order(
        path=file,
        what=what,
        subdistrict_id=subdistrict,
        datum=Datum(datum),
        encoding=encoding,
        source=source,
        mapping=_pairs(mapped),
        dry_run=dry_run,
    )
    with refused.as_sheet(sheet, "zh") if sheet else nullcontext() as keep:
        tried = _take_all(replace(order, dry_run=True), keep) if strict and not dry_run else []
        stops = [one for one in tried if one.refused or one.interrupted]
        reports = tried if stops else _take_all(order, keep)
    for report in reports:
        _show(report, sheet)
    if report_file:
        text = json.dumps([report.as_json() for report in reports], ensure_ascii=False, indent=1)
        report_file.write_text(text, encoding="utf-8")
    if any(report.interrupted for report in reports):
        raise SystemExit(130)
    if stops:
        raise StrictStop(refused=sum(one.refused for one in stops))


def _take_all(order: run.Order, keep: refused.Keep | None) -> list[Report]:
    """Each kind of things that the file may hold; one that is broken off is the last."""
    reports: list[Report] = []
    for one in ("roads", "storefronts") if order.what == "osm" else (order.what,):
        reports.append(_take(_database(), replace(order, what=one), keep))
        if reports[-1].interrupted:
            break
    return reports


def _take(database: Database, order: run.Order, keep: refused.Keep | None) -> Report:
    """One kind of things out of the file; of storefronts their fronts and duty zones too."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(order.what, total=None)
        report = run.take(
            database,
            order,
            by=None,
            at=clock.now(),
            tell=lambda done: progress.update(bar, completed=done),
            keep=keep,
        )
        if order.what == "storefronts" and not order.dry_run and not report.interrupted:
            zones = progress.add_task("门面和责任区")
            zoning.lay(
                database,
                order.subdistrict_id,
                report,
                tell=lambda done, total: progress.update(zones, completed=done, total=total),
            )
    return report


def _show(report: Report, sheet: Path | None) -> None:
    for line in report.lines("zh"):
        click.echo(line)
    for problem in report.problems[:SHOWN]:
        click.echo("  " + problem.say("zh"))
    if report.refused > SHOWN:
        told = f"全部在 {sheet}" if sheet else "用 --refused 文件名 把全部存成表格"
        click.echo(f"  … 共 {report.refused} 行，{told}")


def _pairs(mapped: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    for pair in mapped:
        if "=" not in pair:
            raise BadInput(field="--map", reason_zh="应为 字段=列名", reason_en="FIELD=COLUMN")
    return tuple((pair.split("=", 1)[0], pair.split("=", 1)[1]) for pair in mapped)


def _database() -> Database:
    return Database(config.with_private_parts(config.load(os.environ)))
