"""All pages of the ground. The modules named here add their views to one blueprint."""

from roadchief.streets import (
    alteration_views,
    chief_views,
    merchant_views,
    place_views,
    road_views,
    storefront_views,
    views,
)

__all__ = [
    "alteration_views",
    "chief_views",
    "merchant_views",
    "pages",
    "place_views",
    "road_views",
    "storefront_views",
]
pages = views.pages
