"""The page of a storefront where patrollers saw another shop: what they read, what is on record."""

import uuid

from flask import Blueprint, render_template

from roadchief import blobs
from roadchief.accounts.signin import allows, current
from roadchief.errors import NotFound
from roadchief.lib import clock
from roadchief.patrol import other_shops
from roadchief.patrol.chief.views import mine_of
from roadchief.streets import merchants, storefronts, tenancies
from roadchief.web import settings, tenant_transaction

pages = Blueprint("other_shops", __name__)


@pages.get("/chief/other-shops/<uuid:storefront_id>")
@allows("patrol.chief")
def look(storefront_id: uuid.UUID) -> str:
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        shop = storefronts.find(session, storefront_id)
        mine = mine_of(session)
        if mine is not None and shop.segment_id not in mine:
            raise NotFound
        rows = other_shops.told(session, storefront_id)
        running = tenancies.running(session, shop)
        merchant = merchants.find(session, running.merchant_id) if running else None
        links = {
            photo: blobs.link(
                actor.subdistrict_id, photo, size="screen", settings=settings(), at=at
            )
            for row in rows
            for photo in row.photos
        }
        return render_template(
            "patrol/other_shop.html",
            shop=shop,
            rows=rows,
            running=running,
            merchant=merchant,
            links=links,
        )
