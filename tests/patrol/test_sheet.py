"""The month on A4: rare letters readable, and no font left behind by each sheet."""

from datetime import date

import pypdfium2
from reportlab.pdfbase import pdfmetrics
from sqlalchemy.orm import Session

from roadchief.patrol.reports import monthly, sheet
from tests import makers
from tests.patrol.conftest import make_beat


def printed(session: Session, who: str) -> bytes:
    month = monthly.look(session, None, date(2026, 11, 1), at=makers.NOON)
    return sheet.as_pdf(month, place="潍坊新村街道", who=who, printed_at=makers.NOON)


def words_of(data: bytes) -> str:
    return "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data))


def test_many_sheets_leave_no_more_fonts_than_one(session: Session) -> None:
    make_beat(session)
    printed(session, "周建国")
    before = set(pdfmetrics.getRegisteredFontNames())
    for number in range(5):
        printed(session, f"第{number}人，另一些字：鑫磊森淼")
    assert set(pdfmetrics.getRegisteredFontNames()) == before


def test_a_rare_name_is_drawn_with_letters_of_its_own(session: Session) -> None:
    make_beat(session)
    found = words_of(printed(session, "垚田<b>&赟"))
    assert "垚田<b>&赟" in found
    assert "潍坊新村街道 2026-11 巡查月报" in found
    before = set(pdfmetrics.getRegisteredFontNames())
    printed(session, "垚田<b>&赟")
    assert set(pdfmetrics.getRegisteredFontNames()) == before
