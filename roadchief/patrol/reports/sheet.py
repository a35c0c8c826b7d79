"""The month on A4: one page to sign and file, every figure as on the screen."""

import io
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import SimpleDocTemplate, Spacer, Table, TableStyle

from roadchief.codes.writing import Hand
from roadchief.lib import clock
from roadchief.patrol.reports import assessment
from roadchief.patrol.reports.monthly import Month, finding_name

SHOWN = 25
LINE = colors.HexColor("#DCE2E5")


def as_pdf(month: Month, *, place: str, who: str, printed_at: Any) -> bytes:
    """The report as PDF with its own letters inside, so that it reads the same everywhere."""
    rows = _rows(month)
    title = f"{place} {month.name} 巡查月报"
    foot = f"{who}　{clock.local(printed_at):%Y-%m-%d %H:%M}　待佐证和有理由的不计入覆盖率"
    hand = Hand([title, foot, *(cell for table in rows for row in table for cell in row)])
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=16 * mm,
        title=title,
        author=place,
    )
    plain = hand.style(9.5, leading=13)
    flow: list[Any] = [hand.one(title, hand.style(17, leading=24)), Spacer(1, 4 * mm)]
    for table in rows:
        flow += [_table(table, hand, plain), Spacer(1, 5 * mm)]
    flow.append(hand.one(foot, plain))
    page.build(flow)
    return out.getvalue()


def _rows(month: Month) -> list[list[list[str]]]:
    bands, fresh = month.covered.bands, month.covered.freshness
    length = month.length_share
    effort = month.covered.effort
    figures = [
        [
            "铺位覆盖率",
            _percent(month.share),
            "其中",
            f"已核验 {bands.verified} / 应到 {bands.due}",
        ],
        ["待佐证", str(bands.provisional), "有理由 / 未到", f"{bands.excused} / {bands.unseen}"],
        ["走到的长度", _percent(length), "班次", f"{month.walked} / 计划 {month.planned}"],
        [
            "距上次到访（天）",
            f"中位 {_number(fresh.median_days)}，九成 {_number(fresh.p90_days)}",
            "最久 / 从未",
            f"{_number(fresh.oldest_days)} / {fresh.never} 家",
        ],
        [
            "间隔离散（天）",
            _number(month.regularity_days),
            "每小时",
            f"{effort[0]:.1f} 家，{effort[1]:.1f} 公里" if effort else "–",
        ],
        [
            "复核抽签",
            f"{month.rechecks.done} / {month.rechecks.drawn}",
            "结论不同",
            str(month.rechecks.differed),
        ],
    ]
    return [figures, _scores(month), *_lists(month)]


def _scores(month: Month) -> list[list[str]]:
    scores = [["考核项目", "满分", "得分"]]
    scores += [
        [assessment.NAMES[line.key][0], _number(line.most), _points(line)]
        for line in month.result.lines
    ]
    scores.append(["不实打卡扣分", "", _number(month.result.deduction)])
    total = month.result.of_100
    return [*scores, ["合计（按可考核项折算百分）", "100", _number(total)]]


def _lists(month: Month) -> list[list[list[str]]]:
    found = [["发现", "次数", "30 日内复发"]]
    found += [
        [finding_name(row.item), str(row.found), str(row.back)] for row in month.findings[:12]
    ]
    unseen = [["未到或最久未到的铺位", "地址", "最近到访"]]
    unseen += [
        [
            row.name or "空置铺位",
            row.address,
            f"{clock.local(row.last_at):%Y-%m-%d}" if row.last_at else "从未",
        ]
        for row in month.covered.shops[:SHOWN]
    ]
    return [found, unseen]


def _points(line: assessment.Line) -> str:
    return "未考核" if line.points is None else _number(line.points)


def _table(rows: list[list[str]], hand: Hand, style: ParagraphStyle) -> Table:
    width = A4[0] - 36 * mm
    count = len(rows[0])
    widths = [width * 0.52, width * 0.24, width * 0.24] if count == 3 else [width / count] * count
    cells = [[hand.one(cell, style) for cell in row] for row in rows]
    look = TableStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.4, LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    return Table(cells, colWidths=widths, style=look, repeatRows=1)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}".removesuffix(".0")
