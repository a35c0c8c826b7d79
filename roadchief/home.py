"""The start page and the menu: what there is, for whoever asks."""

from dataclasses import dataclass

from flask import Blueprint, Flask, g, redirect, render_template, request, url_for
from flask_babel import gettext, pgettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.access import CHIEFS, may
from roadchief.accounts.signin import allows, current_or_none, public
from roadchief.lib import clock
from roadchief.streets import catalog
from roadchief.streets.importing.report import REASONS
from roadchief.web import tenant_transaction
from roadchief.web.pages import language

pages = Blueprint("home", __name__)

# Where a day begins; who has several roles begins with the first of these.
STARTS: tuple[tuple[frozenset[str], str], ...] = (
    (CHIEFS | {"segment_chief"}, "/chief/"),
    (frozenset({"operator", "officer"}), "/desk/"),
    (frozenset({"patroller", "road_member", "steward", "rotating_chief"}), "/patrol/"),
    (frozenset({"merchant"}), "/merchant/"),
    (frozenset({"admin"}), "/admin/"),
    (frozenset({"auditor"}), "/admin/people"),
)


@dataclass(frozen=True)
class Entry:
    label: str
    address: str
    here: str  # of aria-current: this very page, a page below it ("true"), or nothing


@pages.get("/")
@public("the start page")
def start() -> str:
    at = clock.now()
    with tenant_transaction(None) as session:
        known = catalog.subdistricts(session)
    places = []
    for row in known[:12]:
        with tenant_transaction(row.id) as session:
            places.append(catalog.place(session, row, at=at))
    current_or_none()
    return render_template("home.html", places=places)


@pages.get("/start")
@allows("own.account")
def own() -> AnyResponse:
    """After signing in: to where this person's day begins."""
    return redirect(start_of(g.actor.roles))


def start_of(roles: frozenset[str]) -> str:
    return next((address for holders, address in STARTS if roles & holders), "/map/")


def menu() -> list[Entry]:
    """Pages that exist and that this person may open, where the day begins first; nothing else."""
    lines = [
        ("maps.district", gettext("地图"), None),
        ("issues.report", gettext("反映问题"), None),
        ("morning.start", gettext("今天"), "patrol.chief"),
        ("pwa.start", gettext("巡查"), "patrol.walk"),
        ("desk.start", pgettext("many", "案件"), "issues.desk"),
        ("insight.start", gettext("值得去看"), "insight.read"),
        ("boards.district", gettext("街道看板"), "insight.board"),
        ("merchant.start", gettext("我的店铺"), "issues.own"),
        ("figures.show", gettext("案件统计"), "issues.desk"),
        ("streets.start", gettext("管理"), "streets.read"),
        ("streets.listing", gettext("路段"), "streets.read"),
        ("plates.start", gettext("智能码"), "codes.history"),
        ("people.listing", gettext("人员"), "people.read"),
        ("imports.listing", gettext("导入"), "streets.import"),
        ("routing.listing", gettext("派遣规则"), "issues.routing"),
        ("replies.listing", gettext("回复模板"), "issues.replies"),
        ("keys.listing", gettext("接口密钥"), "issues.keys"),
        ("pipes.show", gettext("运行状况"), "issues.pipes"),
    ]
    actor = g.get("actor")
    shown = [
        (url_for(endpoint), label)
        for endpoint, label, action in lines
        if action is None or (actor and may(actor, action).allowed)
    ]
    begins = start_of(actor.roles) if actor else None
    shown.sort(key=lambda entry: entry[0] != begins)
    above = [address for address, _ in shown if request.path.startswith(address)]
    here = max(above, key=len, default="")
    current = "page" if request.path == here else "true"
    return [Entry(label, address, current if address == here else "") for address, label in shown]


def install(app: Flask) -> None:
    app.register_blueprint(pages)
    app.jinja_env.globals["menu"] = menu
    app.jinja_env.globals["reason_words"] = lambda key: REASONS.get(key, (key, key))[
        0 if language() == "zh" else 1
    ]
