"""Days of cases as they were counted at night. Derived: they can be thrown away at any time."""

from datetime import date, datetime

from sqlalchemy.orm import Mapped, mapped_column

from roadchief.db import Base


class CaseDay(Base):
    """Cases received on one day, cut by unit, category or segment, by hours lived, or whole."""

    __tablename__ = "case_day"

    subdistrict_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    cut: Mapped[str] = mapped_column(primary_key=True)  # unit, category, segment, lived, all
    day: Mapped[date] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    cases: Mapped[int]
    contacted: Mapped[int]
    running: Mapped[int]
    closed: Mapped[int]
    on_time: Mapped[int]
    solved: Mapped[int]
    by_merchant: Mapped[int]
    reopened: Mapped[int]
    repeated: Mapped[int]


class CaseDayMark(Base):
    """Changes up to here are in the kept days; days with later ones are counted afresh."""

    __tablename__ = "case_day_mark"

    subdistrict_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kept_until: Mapped[datetime]
