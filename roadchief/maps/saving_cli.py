"""`roadchief maps page`: a map page as one file, for a meeting without network."""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.maps import (
    case_sheets,
    coverage_sheet,
    hot_sheet,
    patrol_sheet,
    saving,
    street_sheets,
)
from roadchief.maps.case_sheets import Periods
from roadchief.maps.duty_layers import ALL_CASES
from roadchief.maps.frontages import Sight
from roadchief.maps.sheet_views import saved
from roadchief.maps.sheets import Sheet
from roadchief.maps.views import subdistrict
from roadchief.web import tenant_transaction

# The operator of the machine sees all that the sub-district has.
STREETS: dict[str, Any] = {"everywhere": True, "who": None, "post": None}
CASES: dict[str, Any] = {**ALL_CASES}


def _compare(session: Session, at: datetime) -> Sheet:
    today = clock.local_date(at)
    usual = Periods(today - timedelta(days=29), today, today - timedelta(days=59))
    return case_sheets.compare(session, CASES, usual, at=at)


SHEETS: dict[str, Callable[[Session, datetime, str], Sheet]] = {
    "district": lambda session, at, _: street_sheets.district(session, at=at),
    "coverage": lambda session, at, _: coverage_sheet.coverage(session, STREETS, at=at),
    "cases": lambda session, at, language: case_sheets.cases(
        session, CASES, on=clock.local_date(at), at=at, language=language
    ),
    "stations": lambda session, at, _: street_sheets.stations(session, at=at),
    "hot": lambda session, _, language: hot_sheet.hot(session, None, language=language),
    "compare": lambda session, at, _: _compare(session, at),
}
# Pages of one thing: the option that names it stands beside its page's name.
OF_ONE: dict[str, Callable[[Session, uuid.UUID, datetime, str], Sheet]] = {
    "segment": lambda session, found, at, language: street_sheets.segment(
        session, found, at=at, sight=Sight(True, CASES), language=language
    ),
    "shift": lambda session, found, *_: patrol_sheet.patrol(session, found, None),
}


def of_one(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of pages, for `maps page` and `maps export`."""
    choice = click.Choice(["zh", "en"])
    for option in (
        click.option("--language", type=choice, default="zh", show_default=True),
        click.option(
            "--shift", type=click.UUID, help="the shift of the page `shift`: a patrol's day"
        ),
        click.option("--segment", type=click.UUID, help="the segment of the page `segment`"),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("name", metavar="PAGE")
@click.option(
    "--subdistrict", "code", required=True, type=click.IntRange(100_000_000, 999_999_999),
    help="9 digits",
)  # fmt: skip
@of_one
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def page(make_app: Callable[[], Any], /, name: str, code: int, out: Path, **given: Any) -> None:
    """Write the map PAGE (district, segment, shift, coverage, cases, hot, compare, stations).

    The ending of --out says the form: .html stands alone and opens without network, .png is a
    picture.
    """
    write_page(make_app, name, code, out, **given)


def write_page(
    make_app: Callable[[], Any],
    name: str,
    code: int,
    out: Path,
    *,
    segment: uuid.UUID | None,
    shift: uuid.UUID | None,
    language: str,
) -> None:
    ending = saving.ending(out)
    make = _maker(name, {"segment": segment, "shift": shift}, language)
    with whole_or_nothing(out, lambda: name) as part:
        with make_app().test_request_context(f"/map/?s={code}&lang={language}"):
            here, at = subdistrict(), clock.now()
            with tenant_transaction(here.id) as session:
                sheet = make(session, at)
                text = saved(session, sheet, here, at=at)
        if ending == ".png":
            saving.picture(text, part)
        else:
            part.write_text(text, encoding="utf-8")
    click.echo(f"{out}: {sheet.title}, {len(sheet.rows)}")


@contextmanager
def whole_or_nothing(out: Path, so_far: Callable[[], str]) -> Iterator[Path]:
    """Where a file is written before it takes its place: in a folder beside it, which goes with
    everything that is in it, however this ends. Ctrl-C tells how far it was and what is there."""
    if not out.parent.is_dir():
        raise BadInput(
            field="--out", reason_zh="没有这个文件夹", reason_en="there is no such folder"
        )
    with tempfile.TemporaryDirectory(prefix=".export-", dir=out.parent) as folder:
        part = Path(folder) / out.name
        try:
            yield part
        except KeyboardInterrupt:
            there = "is as it was before" if out.exists() else "was not written"
            click.echo(f"interrupted after {so_far()}: {out} {there}; run it again")
            raise SystemExit(130) from None
        part.replace(out)


def _maker(
    name: str, given: dict[str, uuid.UUID | None], language: str
) -> Callable[[Session, datetime], Sheet]:
    """What draws the page; raises BadInput where page and options do not fit together."""
    if name not in {*SHEETS, *OF_ONE}:
        known = ", ".join([*SHEETS, *OF_ONE])
        raise BadInput(field="PAGE", reason_zh=f"可选：{known}", reason_en=f"one of {known}")
    for option, found in given.items():
        if (name == option) != (found is not None):
            raise BadInput(
                field=f"--{option}",
                reason_zh=f"只有 {option} 页要写 --{option}，且必须写",
                reason_en=f"goes with the page `{option}`, and that page needs it",
            )
    one = given.get(name)
    if one is not None:
        return lambda session, at: OF_ONE[name](session, one, at, language)
    return lambda session, at: SHEETS[name](session, at, language)
