"""巡办清单: chosen cases in walking order on paper, for who goes out without a phone."""

import io
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

import shapely
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Spacer, Table, TableStyle
from sqlalchemy import select
from sqlalchemy.orm import Session

from roadchief.codes.writing import Hand
from roadchief.db import tenant_of
from roadchief.issues import board, categories, moves, opening
from roadchief.issues.models import Case
from roadchief.issues.sheets import sketch, surroundings, walking
from roadchief.issues.sheets.paper import LINE, WIDE, Numbered, Styles, a4
from roadchief.issues.sheets.surroundings import NORTH_M, Surroundings
from roadchief.issues.sheets.words import LIGHTS, WORDS, say
from roadchief.lib import clock
from roadchief.lib.geo import Plane
from roadchief.streets.models import Storefront, Subdistrict

MOST = 60
MAP_TALL = 92 * mm
BESIDE_M = 45.0  # around the outermost places
FARTHEST_M = 4000.0  # a case that lies so far off is listed and not drawn
LONGEST_WORDS = 160
QR = 17 * mm


@dataclass(frozen=True)
class Stop:
    """One case on the list."""

    head: str
    lines: tuple[str, ...]
    address: str


@dataclass(frozen=True)
class Round:
    """The list in walking order, with its map."""

    title: str
    office: str
    stops: list[Stop]
    seen: Surroundings | None
    places: list[tuple[float, float]]
    north_m: float
    attribution: str
    foot: str
    language: str


def gather(
    session: Session,
    ids: list[uuid.UUID],
    *,
    at: datetime,
    by: str,
    lang: str,
    address: Callable[[uuid.UUID], str],
    attribution: str,
) -> Round:
    """A fixed number of questions. `ids` are those that the asker may see."""
    here = tenant_of(session)
    rows = list(
        session.scalars(
            select(Case).where(Case.subdistrict_id == here, Case.id.in_(ids)).order_by(Case.id)
        )
    )
    rows, centre, flat = _walk(rows)
    units: dict[uuid.UUID | None, str] = {unit.id: unit.name for unit in opening.units(session)}
    shops = _shops(session, rows)
    share = WIDE / MAP_TALL
    half = max((max(abs(x) / share, abs(y)) for x, y in flat), default=0.0)
    north_m = max(NORTH_M, half + BESIDE_M)
    seen = (
        surroundings.around(session, centre, north_m=north_m, east_m=north_m * share)
        if centre is not None
        else None
    )
    stops = [
        _stop(row, units.get(row.unit_id), shops.get(row.storefront_id), at, lang, address(row.id))
        for row in rows
    ]
    printed = f"{clock.local(at):%Y-%m-%d %H:%M}"
    return Round(
        title=say("round", lang).format(n=len(stops)),
        office=session.get_one(Subdistrict, here).name,
        stops=stops,
        seen=seen,
        places=flat,
        north_m=north_m,
        attribution=attribution,
        foot=say("round_foot", lang).format(by=by, at=printed),
        language=lang,
    )


def _shops(session: Session, rows: list[Case]) -> dict[uuid.UUID | None, str | None]:
    found = session.execute(
        select(Storefront.id, Storefront.name).where(
            Storefront.subdistrict_id == tenant_of(session),
            Storefront.id.in_({row.storefront_id for row in rows if row.storefront_id}),
        )
    )
    return {row.id: row.name for row in found}


def _walk(
    rows: list[Case],
) -> tuple[list[Case], shapely.Point | None, list[tuple[float, float]]]:
    """In walking order; those without a place, or far from all others, come last."""
    placed = [row for row in rows if row.place is not None]
    if not placed:
        return rows, None, []
    middle = shapely.Point(
        median(row.place.x for row in placed),  # type: ignore[union-attr]
        median(row.place.y for row in placed),  # type: ignore[union-attr]
    )
    plane = Plane(lon=middle.x, lat=middle.y)
    flat = {row.id: plane.flat(row.place) for row in placed}
    near = [row for row in placed if shapely.Point(0, 0).distance(flat[row.id]) <= FARTHEST_M]
    points = [(flat[row.id].x, flat[row.id].y) for row in near]
    way = walking.ordered(points)
    # The drawing is centred on what it shows.
    xs, ys = [x for x, _y in points], [y for _x, y in points]
    cx, cy = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    known = {row.id for row in near}
    rest = [row for row in rows if row.id not in known]
    return (
        [near[one] for one in way] + rest,
        plane.round(shapely.Point(cx, cy)),
        [(points[one][0] - cx, points[one][1] - cy) for one in way],
    )


def _stop(
    case: Case, unit: str | None, shop: str | None, at: datetime, lang: str, address: str
) -> Stop:
    pick = 0 if lang == "zh" else 1
    kind, light = categories.find(case.category).say(lang), LIGHTS[board.light(case, at)][pick]
    due = f"{clock.local(case.due_at):%m-%d %H:%M}" if case.due_at else "—"
    words = " ".join(case.words.split())
    if len(words) > LONGEST_WORDS:
        words = words[:LONGEST_WORDS] + "…"
    danger = f"　{say('danger', lang)}" if case.danger else ""
    return Stop(
        head=f"{kind}　#{case.number}　{light}{danger}",
        lines=tuple(
            line
            for line in (
                "　".join(part for part in (case.address, shop or "") if part),
                f"{say('due', lang)} {due}　{moves.STATES[case.state][pick]}　{unit or ''}",
                words,
                say("round_boxes", lang),
            )
            if line.strip()
        ),
        address=address,
    )


def as_pdf(told: Round) -> bytes:
    hand = Hand(_words(told))
    styles, out = Styles(hand), io.BytesIO()
    page = a4(out, title=told.title, author=told.office)

    def canvas(*given: Any, **named: Any) -> Canvas:
        return Numbered(*given, hand=hand, foot=told.foot, language=told.language, **named)

    flow: list[Flowable] = [
        hand.one(told.office, styles.soft),
        hand.one(told.title, styles.huge),
        Spacer(1, 2 * mm),
    ]
    if told.seen is not None:
        flow.append(
            sketch.Map(
                hand,
                told.seen,
                width=WIDE,
                height=MAP_TALL,
                accuracy_m=None,
                attribution=told.attribution,
                north_m=told.north_m,
                stops=told.places,
            )
        )
    flow += [_row(number, stop, hand, styles) for number, stop in enumerate(told.stops, start=1)]
    page.build(flow, canvasmaker=canvas)
    return out.getvalue()


def _row(number: int, stop: Stop, hand: Hand, styles: Styles) -> Table:
    said = [hand.one(stop.head, styles.bold)]
    said += [hand.one(line, styles.plain) for line in stop.lines]
    cells = [hand.one(str(number), styles.huge), said, sketch.Symbol(stop.address, QR)]
    look = TableStyle(
        [
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, LINE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("TOPPADDING", (0, 0), (-1, -1), 4),
        ]
    )
    widths = [14 * mm, WIDE - 14 * mm - QR - 3 * mm, QR + 3 * mm]
    return Table([cells], colWidths=widths, style=look)


def _words(told: Round) -> list[str]:
    seen = told.seen
    return [
        *(word for pair in WORDS.values() for word in pair),
        told.title,
        told.office,
        told.foot,
        told.attribution,
        *(text for stop in told.stops for text in (stop.head, *stop.lines)),
        *((one.name for one in seen.streets) if seen else ()),
        *((number for number, _door in seen.doors) if seen else ()),
    ]
