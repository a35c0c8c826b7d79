"""Working days as this installation knows them: the shipped years, and those entered since.

One country, one calendar: the table is shared by all sub-districts. Deadlines of cases and the
plans of patrols ask the same one.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from roadchief.db import Base
from roadchief.lib import workdays
from roadchief.lib.workdays import Workdays

KEPT = "working days"


class HolidayYear(Base):
    """A year of working days entered after the software was shipped."""

    __tablename__ = "holiday_year"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    table: Mapped[str]  # in the form of workdays.toml
    entered_at: Mapped[datetime]


def calendar(session: Session) -> Workdays:
    """The calendar in force; asked once a transaction."""
    if KEPT not in session.info:
        know(session, tuple(session.scalars(select(HolidayYear.table))))
    found: Workdays = session.info[KEPT]
    return found


def know(session: Session, entered: tuple[str, ...]) -> None:
    """The years that were entered, for this transaction: whoever has read them tells us."""
    if KEPT not in session.info:
        years = dict(workdays.shipped())
        for table in entered:
            years |= workdays.years_in(table)
        session.info[KEPT] = Workdays(years)


def enter_years(session: Session, table: str, *, at: datetime) -> list[int]:
    """Take in years in the form of workdays.toml; raises BadYear. Running cases keep theirs."""
    years = workdays.years_in(table)
    for year in years.values():
        spans = ", ".join(f'["{day}", "{day}"]' for day in sorted(year.off))
        worked = ", ".join(f'"{day}"' for day in sorted(year.work))
        source = year.source.replace("\\", "").replace('"', "")
        kept = (
            f"[{year.year}]\nannounced = {str(year.announced).lower()}\n"
            f'source = "{source}"\noff = [{spans}]\nwork = [{worked}]\n'
        )
        session.merge(HolidayYear(year=year.year, table=kept, entered_at=at))
    session.flush()
    session.info.pop(KEPT, None)
    return sorted(years)
