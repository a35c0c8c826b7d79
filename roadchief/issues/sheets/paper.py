"""The case sheet set in type: A4, its own letters inside, page numbers that know the last."""

import io
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    HRFlowable,
    Image,
    KeepTogether,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from roadchief.codes.writing import Hand
from roadchief.issues.sheets import sketch
from roadchief.issues.sheets.sheet import Facts, Sheet, Shot
from roadchief.issues.sheets.words import WORDS, say

WIDE, MARGIN = A4[0] - 36 * mm, 18 * mm
PADDING = 6  # points that reportlab leaves inside the frame of a page
MAP_TALL = 54 * mm
PHOTO_WIDE, PHOTO_TALL = WIDE / 2 - 3 * mm, 62 * mm
LINE, SOFT, MARK = HexColor("#C9D0D4"), HexColor("#5B6870"), HexColor("#B3261E")


class Styles:
    """The sizes of the sheet."""

    def __init__(self, hand: Hand) -> None:
        self.huge = hand.style(17, weight="bold")
        self.head = hand.style(11, weight="bold", spaceBefore=3 * mm, spaceAfter=1.2 * mm)
        self.plain = hand.style(9.5)
        self.bold = hand.style(9.5, weight="bold")
        self.soft = hand.style(8, textColor=SOFT)
        self.step = hand.style(9, weight="bold", spaceBefore=1.2 * mm)
        self.inner = hand.style(9, leftIndent=5 * mm)
        self.danger = hand.style(11, weight="bold", textColor=MARK)


def a4(out: io.BytesIO, *, title: str, author: str, subject: str = "") -> SimpleDocTemplate:
    """An empty document with the margins of every sheet."""
    return SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN - PADDING,
        rightMargin=MARGIN - PADDING,
        topMargin=12 * mm,
        bottomMargin=14 * mm,
        title=title,
        author=author,
        subject=subject,
    )


def as_pdf(sheet: Sheet) -> bytes:
    """The sheet as PDF. Long words and many photos run on over as many pages as they need."""
    hand = Hand(_words(sheet))
    styles, out = Styles(hand), io.BytesIO()
    title = f"{say('title', sheet.language)} {sheet.number}"
    page = a4(out, title=title, author=sheet.office, subject=sheet.number)

    def canvas(*given: Any, **named: Any) -> Canvas:
        return Numbered(*given, hand=hand, foot=sheet.foot, language=sheet.language, **named)

    page.build(_flow(sheet, hand, styles), canvasmaker=canvas)
    return out.getvalue()


def _flow(sheet: Sheet, hand: Hand, styles: Styles) -> list[Flowable]:
    lang = sheet.language

    def head(key: str) -> Paragraph:
        return hand.one(say(key, lang), styles.head)

    flow: list[Flowable] = [_top(sheet, hand, styles)]
    if sheet.danger:
        flow.append(hand.one(say("danger", lang), styles.danger))
    flow += [head("facts"), _table(sheet.facts, hand, styles)]
    flow += [KeepTogether([head("map"), *_map(sheet, hand, styles)])]
    flow += [head("times"), _table(sheet.times, hand, styles)]
    flow += [head("words"), *hand.set(sheet.words or say("no_words", lang), styles.plain)]
    if sheet.public_words:
        flow += [head("public_words"), *hand.set(sheet.public_words, styles.plain)]
    flow.append(head("story"))
    for line in sheet.lines:
        flow.append(hand.one(line.head, styles.step))
        flow += hand.set(line.words, styles.inner, width=150) if line.words else []
    if sheet.ratings:
        flow += [head("ratings"), *(hand.one(one, styles.plain) for one in sheet.ratings)]
    flow += _pictures(sheet, hand, styles, head("photos"))
    flow.append(KeepTogether([head("signed"), _signatures(hand, styles, lang)]))
    return flow


def _top(sheet: Sheet, hand: Hand, styles: Styles) -> Table:
    side = 27 * mm
    said = [
        hand.one(sheet.office, styles.soft),
        hand.one(sheet.title, styles.huge),
        hand.one(f"#{sheet.number}　{sheet.standing}", styles.bold),
        Spacer(1, 1 * mm),
        HRFlowable(width="100%", thickness=0.8, color=LINE, spaceBefore=1, spaceAfter=1),
        hand.one(sheet.address, styles.soft),
    ]
    code = [sketch.Symbol(sheet.address, side), hand.one(say("scan", sheet.language), styles.soft)]
    look = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ]
    return Table([[said, code]], colWidths=[WIDE - 40 * mm, 40 * mm], style=TableStyle(look))


def _map(sheet: Sheet, hand: Hand, styles: Styles) -> list[Flowable]:
    if sheet.seen is None:
        return [hand.one(say("no_place", sheet.language), styles.plain)]
    return [
        sketch.Map(
            hand,
            sheet.seen,
            width=WIDE,
            height=MAP_TALL,
            accuracy_m=sheet.accuracy_m,
            attribution=sheet.attribution,
        )
    ]


def _table(facts: Facts, hand: Hand, styles: Styles) -> Table:
    """Names and values in two columns of pairs; long values take the whole width."""
    rows: list[list[Any]] = []
    spans = []
    waiting: list[Any] = []
    for name, value in facts:
        pair = [hand.one(name, styles.soft), hand.one(value, styles.plain)]
        if len(value.encode("gb18030", "replace")) > 34:
            if waiting:
                rows.append([*waiting, "", ""])
                waiting = []
            spans.append(("SPAN", (1, len(rows)), (3, len(rows))))
            rows.append([*pair, "", ""])
        elif waiting:
            rows.append([*waiting, *pair])
            waiting = []
        else:
            waiting = pair
    if waiting:
        rows.append([*waiting, "", ""])
    look = [
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE),
        ("LINEABOVE", (0, 0), (-1, 0), 0.4, LINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        *spans,
    ]
    name = 27 * mm
    widths = [name, WIDE / 2 - name] * 2
    return Table(rows, colWidths=widths, style=TableStyle(look), splitInRow=1)


def _pictures(sheet: Sheet, hand: Hand, styles: Styles, head: Paragraph) -> list[Flowable]:
    """Two to a row; the heading stays with the first row."""
    if not sheet.photos:
        return [hand.one(say("no_photos", sheet.language), styles.soft)]
    cells = [_picture(shot, hand, styles, sheet.language) for shot in sheet.photos]
    rows = [cells[start : start + 2] for start in range(0, len(cells), 2)]
    look = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])
    tables = [
        Table([row if len(row) == 2 else [*row, ""]], colWidths=[WIDE / 2] * 2, style=look)
        for row in rows
    ]
    return [KeepTogether([head, tables[0]]), *tables[1:]]


def _picture(shot: Shot, hand: Hand, styles: Styles, lang: str) -> list[Flowable]:
    caption = hand.one(shot.caption, styles.soft)
    if shot.jpeg is None:
        return [hand.one(say("no_file", lang), styles.plain), caption]
    share = min(PHOTO_WIDE / shot.size[0], PHOTO_TALL / shot.size[1])
    wide, tall = shot.size[0] * share, shot.size[1] * share
    picture = Image(io.BytesIO(shot.jpeg), width=wide, height=tall)
    picture.hAlign = "LEFT"
    return [picture, caption]


def _signatures(hand: Hand, styles: Styles, lang: str) -> Table:
    names = ("handled_by", "checked_by", "approved_by")
    row = [hand.one(f"{say(one, lang)}：", styles.plain) for one in names]
    days = [hand.one(f"{say('date', lang)}：", styles.plain) for _ in names]
    look = TableStyle(
        [
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, SOFT),
            ("LINEBELOW", (0, 1), (-1, 1), 0.5, SOFT),
            ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ]
    )
    return Table([row, days], colWidths=[WIDE / 3] * 3, rowHeights=[14 * mm, 9 * mm], style=look)


def _words(sheet: Sheet) -> list[str]:
    """Everything that is written on it, so that rare letters can be cut."""
    shapes = sheet.seen
    drawn = [one.name for one in shapes.streets] if shapes else []
    drawn += [number for number, _door in shapes.doors] if shapes else []
    return [
        *(word for pair in WORDS.values() for word in pair),
        sheet.title,
        sheet.office,
        sheet.standing,
        sheet.words,
        sheet.public_words,
        sheet.foot,
        sheet.attribution,
        sheet.address,
        *(text for pair in (*sheet.facts, *sheet.times) for text in pair),
        *(text for line in sheet.lines for text in (line.head, line.words)),
        *sheet.ratings,
        *(shot.caption for shot in sheet.photos),
        *drawn,
    ]


class Numbered(Canvas):
    """Pages are held back until their number is known."""

    def __init__(self, *given: Any, hand: Hand, foot: str, language: str, **named: Any) -> None:
        super().__init__(*given, **named)
        self.hand, self.foot, self.language = hand, foot, language
        self.held: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        self.held.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self.held, start=1):
            self.__dict__.update(page)
            self._foot(number, len(self.held))
            super().showPage()
        super().save()

    def _foot(self, number: int, of: int) -> None:
        words = say("page", self.language).format(page=number, pages=of)
        style: ParagraphStyle = self.hand.style(7.5, textColor=SOFT)
        for text, x in ((self.foot, MARGIN), (words, A4[0] - MARGIN - 32 * mm)):
            line = self.hand.one(text, style)
            line.wrapOn(self, WIDE - 34 * mm, 10 * mm)
            line.drawOn(self, x, 8 * mm)
