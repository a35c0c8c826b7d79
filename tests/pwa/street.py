"""A committed street for the phone app: shops with plates, a shift, people, and a real server."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from roadchief.app import create_app
from roadchief.codes import plates, tokens
from roadchief.codes.plates import Target
from roadchief.config import Settings
from roadchief.db import Database
from roadchief.lib import clock
from roadchief.lib.geo import Plane
from roadchief.patrol.planning import shifts
from tests import databases, makers
from tests.cast import Cast, Player
from tests.conftest import WEIFANG, make_settings

FIRST = makers.LAOSHAN.interpolate(0.25, normalized=True)
APART_M = 40.0
NAMES = ["桂香早点铺", "永和五金", "知味面馆", "新风理发", "阿婆馄饨店", "晨光文具"]


@dataclass
class Shop:
    id: uuid.UUID
    name: str
    lon: float
    lat: float
    token: str = ""
    number: str = ""


@dataclass
class Street:
    """Where the tests walk."""

    address: str
    port: int
    database: Database
    settings: Settings
    cast: Cast
    shops: list[Shop]
    shift_id: uuid.UUID
    replaced_token: str
    people: dict[str, Player] = field(default_factory=dict)

    def count(self, sql: str, **values: object) -> int:
        with self.database.transaction(WEIFANG) as session:
            return int(session.scalar(text(sql), values) or 0)

    def plate(self, shop: Shop) -> str:
        """What the symbol on this shop's plate says."""
        return tokens.plate_text(tokens.site(self.settings.public_url), shop.token)

    def items(self) -> list[str]:
        with self.database.transaction(WEIFANG) as session:
            return [str(one) for one in session.scalars(text("SELECT id FROM patrol_item"))]


@contextmanager
def street(server: str, folder: Path) -> Iterator[Street]:
    """Everything is really committed, in a database of its own."""
    with databases.clone(server, databases.template(server)) as url:
        settings = make_settings(url, folder)
        database = Database(settings)
        app = create_app(settings, database)
        web = make_server("127.0.0.1", 0, app, threaded=True)
        address = f"http://127.0.0.1:{web.server_port}"
        settings = replace(settings, public_url=address)
        app.extensions["roadchief.settings"] = settings
        cast = Cast(database, settings)
        with database.transaction(WEIFANG) as session:
            made = lay(session, cast, settings)
        thread = threading.Thread(target=web.serve_forever, daemon=True)
        thread.start()
        try:
            yield Street(address, web.server_port, database, settings, cast, *made)
        finally:
            web.shutdown()
            thread.join()
            web.server_close()
            database.engine.dispose()


def lay(session: Session, cast: Cast, settings: Settings) -> tuple[list[Shop], uuid.UUID, str]:
    at = clock.now()
    segment = makers.make_segment(session, opened_at=at - timedelta(days=30))
    plane = Plane(lon=FIRST.x, lat=FIRST.y)
    rows = []
    for place, name in enumerate(NAMES):
        south = -APART_M * place
        door = plane.round(shapely.Point(8, south))
        line = plane.round(shapely.LineString([(8, south + 4), (8, south - 4)]))
        rows.append(
            makers.make_storefront(
                session,
                segment,
                name=name,
                door=door,
                frontage=line,
                measure_m=100 + APART_M * place,
                house_number=f"{527 + 2 * place}号",
                human_number=f"WF-LSL-{527 + 2 * place:04d}-{place}",
            )
        )
    where = tokens.site(settings.public_url)
    targets = [Target(storefront_id=row.id) for row in [*rows, rows[-1]]]
    minted = plates.mint(session, targets, where=where, batch_id=None, by=None, at=at)
    for place, one in enumerate(minted):
        state = "replaced" if place == len(rows) else "active"
        session.execute(
            text("UPDATE plate SET state = :state WHERE id = :id"),
            {"state": state, "id": one.plate_id},
        )
    shift = shifts.plan(
        session,
        person_id=cast["patroller"].person.id,
        segments=[segment],
        starts_at=at - timedelta(minutes=5),
        ends_at=at + timedelta(hours=3),
        by=None,
        at=at,
    )
    shops = [
        Shop(row.id, row.name or "", row.door.x, row.door.y, one.token, one.number)
        for row, one in zip(rows, minted, strict=False)
    ]
    return shops, shift.id, minted[-1].token
