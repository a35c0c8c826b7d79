"""From an empty sub-district to the first patrolled street: what is done, and what comes next."""

from dataclasses import dataclass
from datetime import datetime

from flask import Flask, g, url_for
from flask_babel import gettext
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.accounts.access import may
from roadchief.db import tenant_of
from roadchief.lib import clock
from roadchief.web import tenant_transaction

# Each is answered by the first row of an index. Plates count once one hangs at a door.
DONE = text(
    "SELECT (SELECT area IS NOT NULL FROM subdistrict WHERE id = :here) AS border,"
    " EXISTS (SELECT FROM road_segment WHERE subdistrict_id = :here AND closed_at IS NULL)"
    "   AS roads,"
    " EXISTS (SELECT FROM storefront WHERE subdistrict_id = :here AND closed_at IS NULL)"
    "   AS storefronts,"
    " EXISTS (SELECT FROM post WHERE subdistrict_id = :here AND role <> ALL(:office)"
    "   AND (ends_at IS NULL OR ends_at > :at)) AS people,"
    " EXISTS (SELECT FROM assignment WHERE subdistrict_id = :here AND starts_at <= :at"
    "   AND (ends_at IS NULL OR ends_at > :at)) AS charge,"
    " EXISTS (SELECT FROM plate WHERE subdistrict_id = :here AND state = 'active') AS plates,"
    " EXISTS (SELECT FROM check_in WHERE subdistrict_id = :here) AS patrol"
)


@dataclass(frozen=True)
class Step:
    name: str
    hint: str
    address: str
    icon: str
    done: bool


def done(session: Session, *, at: datetime) -> dict[str, bool]:
    """Step to whether it is done. The order of the keys is the order of the work."""
    values = {"here": tenant_of(session), "at": at, "office": ["admin", "merchant"]}
    row = session.execute(DONE, values).one()._asdict()
    return {name: bool(is_so) for name, is_so in row.items()}


def steps() -> list[Step]:
    """For whoever sets a sub-district up; nothing once all of it is done."""
    actor = g.get("actor")
    if actor is None or not may(actor, "streets.import").allowed:
        return []
    with tenant_transaction(actor.subdistrict_id) as session:
        so_far = done(session, at=clock.now())
    if all(so_far.values()):
        return []
    return [Step(*words, done=so_far[name]) for name, words in _words().items()]


def _words() -> dict[str, tuple[str, str, str, str]]:
    imports = "imports.listing"
    return {
        "border": (
            gettext("边界"),
            gettext("街镇的范围，界外的行会被拒绝"),
            url_for(imports, what="boundaries"),
            "map",
        ),
        "roads": (
            gettext("道路"),
            gettext("道路图层或 OSM，按路口切成路段"),
            url_for(imports, what="roads"),
            "road",
        ),
        "storefronts": (
            gettext("铺位"),
            gettext("沿街店铺台账，自动对应路段和门面"),
            url_for(imports, what="storefronts"),
            "building-store",
        ),
        "people": (
            gettext("人员"),
            gettext("路长、段长、巡查员和部门人员"),
            url_for("appointments.start"),
            "users",
        ),
        "charge": (
            gettext("谁负责"),
            gettext("把路和路段交给具体的人"),
            url_for("streets.gaps"),
            "user-exclamation",
        ),
        "plates": (
            gettext("智能码"),
            gettext("生成、印制、送到门口、扫码启用"),
            url_for("plates.start"),
            "qrcode",
        ),
        "patrol": (
            gettext("第一次巡查"),
            gettext("路长排班，巡查员用手机打卡"),
            url_for("morning.start"),
            "walk",
        ),
    }


def install(app: Flask) -> None:
    app.jinja_env.globals["first_steps"] = steps
