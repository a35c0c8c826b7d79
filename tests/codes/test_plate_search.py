"""A plate is found by any part of its number or by its shop, without reading them all."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from roadchief.codes import shelf
from roadchief.db import APP_ROLE, tenant_of
from roadchief.streets.models import Storefront
from roadchief.streets.tenancies import make_findable
from tests import makers

MANY = 20_000
PLATES = """
INSERT INTO plate (subdistrict_id, id, kind, number, token_hash, state, state_at, made_at, printed,
  photo_public)
SELECT :here, gen_random_uuid(), 'shop', 'WF-' || lpad(CAST(n AS text), 6, '0'),
  sha256(CAST('p' || n AS bytea)), 'generated', now(), now(), '{}', false
FROM generate_series(1, :many) n
"""
READ = text(
    "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_xact_user_tables "
    "WHERE relname IN ('plate', 'storefront')"
)


@pytest.fixture
def shop(session: Session) -> Storefront:
    """One shop with plate WF-012345 among twenty thousand."""
    makers.make_subdistrict(session)
    shop = makers.make_storefront(session, name="桂香早点铺", house_number="527号")
    make_findable(shop)
    session.execute(text(PLATES), {"here": tenant_of(session), "many": MANY})
    session.execute(
        text("UPDATE plate SET storefront_id = :shop WHERE number = 'WF-012345'"),
        {"shop": shop.id},
    )
    tidied = ("SELECT gin_clean_pending_list('ix_plate_number')", "ANALYZE plate, storefront")
    for step in ("RESET ROLE", *tidied, f"SET ROLE {APP_ROLE}"):  # as autovacuum leaves it
        session.execute(text(step))
    return shop


def numbers(session: Session, wanted: str) -> list[str]:
    rows, total = shelf.listing(session, state=None, wanted=wanted, number=1)
    assert total == len(rows)
    return [row[0].number for row in rows]


def test_by_number_and_by_shop_alike(session: Session, shop: Storefront) -> None:
    for wanted in ("012345", "12345", "wf-012345", "早点", "桂香早点铺", "崂山路527", "路527号"):
        assert numbers(session, wanted) == ["WF-012345"], wanted
    assert numbers(session, "2345") == ["WF-002345", "WF-012345"]
    rows, total = shelf.listing(session, state="generated", wanted="WF-01", number=3)
    assert (total, rows[0][0].number, len(rows)) == (10_000, "WF-010100", shelf.PAGE)
    assert shelf.listing(session, state="active", wanted="WF-01", number=1) == ([], 0)
    for wanted in ("%", "_12345", "早%铺", "没有的", "\\"):
        assert numbers(session, wanted) == [], wanted
    shop.closed_at = makers.NOON
    session.flush()
    assert numbers(session, "早点铺") == [
        "WF-012345"
    ]  # a plate at a closed door is looked for, too


@pytest.mark.parametrize("wanted", ["12345", "桂香早点"], ids=["number", "shop"])
def test_no_search_reads_every_row(session: Session, shop: Storefront, wanted: str) -> None:
    """As the app's role, under row security; the rows that it read are counted."""
    before = session.scalar(READ)
    assert numbers(session, wanted) == ["WF-012345"]
    assert session.scalar(READ) - before < 100
