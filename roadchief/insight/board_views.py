"""The pages of sums: one sub-district, and several side by side."""

import uuid

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup

from roadchief.accounts.signin import allows, current
from roadchief.insight import charts, dashboards, goals
from roadchief.insight.dashboards import Board, Group
from roadchief.lib import clock
from roadchief.streets import kinds
from roadchief.web import settings, tenant_transaction
from roadchief.web.pages import day, language

pages = Blueprint("boards", __name__, url_prefix="/chief")


@pages.get("/district")
@allows("insight.board")
def district() -> str:
    """`?to=` a day of the last week; `?block=` drawn over the whole."""
    over = dashboards.span(request.args.get("to"), at=clock.now())
    with tenant_transaction(current().subdistrict_id) as session:
        found = dashboards.board(session, over)
    chosen = _block(found, request.args.get("block"))
    return render_template(
        "insight/district.html",
        found=found,
        goals=goals.goals(),
        themes=goals.themes(),
        chosen=chosen,
        picture=_picture(found, chosen),
        current_week=over.ends[-1] == over.at,
    )


@pages.get("/districts")
@allows("insight.rollup")
def districts() -> str:
    """Each sub-district in a transaction of its own; only sums come out of it."""
    own = current().subdistrict_id
    over = dashboards.span(request.args.get("to"), at=clock.now())
    rows = []
    for code in together(own, settings().rollup_subdistricts):
        with tenant_transaction(code) as session:
            rows.append((code == own, dashboards.totals(session, over)))
    return render_template(
        "insight/districts.html",
        rows=rows,
        over=over,
        names=dashboards.shown(),
        alone=len(rows) < 2,
    )


def together(own: int, setting: str) -> list[int]:
    """Who is seen: those of the setting, if one's own is among them; else the own one alone."""
    codes = list(dict.fromkeys(int(code) for code in setting.split()))
    return codes if own in codes else [own]


@pages.app_context_processor
def words() -> dict[str, object]:
    return {
        "indicator": lambda name: goals.indicators()[name],
        "measure_change": goals.change,
        "theme_score": goals.score,
        "trend_line": _trend,
        "opens": _opens,
        "theme_word": lambda theme: kinds.word("themes", theme, language()),
    }


def _opens(name: str) -> str:
    return url_for(goals.indicators()[name].opens)


def _trend(name: str, found: Board) -> Markup:
    series = found.weekly[name]
    said = [f"{one.share * 100:.0f}%" if one.share is not None else "–" for one in series]
    first, last = found.span.mondays[0], found.span.mondays[-1]
    title = gettext(
        "%(name)s，%(since)s 至 %(until)s 各周：%(values)s",
        name=goals.indicators()[name].say(language()),
        since=day(first),
        until=day(last),
        values=" ".join(said),
    )
    return charts.line([one.share for one in series], title=title)


def _picture(found: Board, chosen: Group | None) -> Markup:
    axes = []
    for theme in goals.themes():
        value = goals.score(theme, found.total.measures)
        told = gettext("暂无数据") if value is None else f"{value * 100:.0f}"
        word = kinds.word("themes", theme, language())
        axes.append(charts.Axis(word, told, value))
    title = gettext("六个街区：") + " ".join(f"{axis.label} {axis.told}" for axis in axes)
    other = [goals.score(theme, chosen.measures) for theme in goals.themes()] if chosen else ()
    return charts.radar(axes, title=title, other=other)


def _block(found: Board, asked: str | None) -> Group | None:
    """The block of the address; anything odd is none."""
    try:
        wanted = uuid.UUID(asked or "")
    except ValueError:
        return None
    return next((block for block in found.blocks if block.id == wanted), None)
