"""What can be drawn: the layers that tiles are made of, who may see them, and how each is asked.

A layer gives the SQL of one MVT layer for a zoom. Every question states its box (`shape && box`),
the only spatial test whose index works under row-level security. Other packages' layers come in
by `register`; a set names several layers that are fetched as one tile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from roadchief.accounts.access import TABLE, Actor
from roadchief.streets.charge import IN_CHARGE, RUNNING, STATE

LOWEST, HIGHEST = 9, 18
SINGLE_FROM, NAMED_FROM = 15, 17
MARGIN = 64  # of 4096: shapes run a little over the edge, so that lines meet
DAY_S = 24 * 3600
BOX = "ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
TILE = "ST_TileEnvelope(:z, :x, :y)"
NOTHING: Mapping[str, Any] = MappingProxyType({})


def _nothing(_actor: Actor | None) -> Mapping[str, Any]:
    return NOTHING


@dataclass(frozen=True)
class Layer:
    """`draw(zoom)` is a scalar SELECT of bytea over :here, :z, :x, :y, :west … :north, :at, :on.

    `sources` are the tables whose change makes a kept tile stale (tile_change knows them);
    `fresh_s` bounds the age of what also changes with time. `values(actor)` narrows the rows to
    what a person may see: its result is bound, and kept tiles are told apart by it.
    """

    name: str
    draw: Callable[[int], str]
    fields: Mapping[str, str]
    sources: tuple[str, ...]
    lowest: int = LOWEST
    highest: int = HIGHEST
    public: bool = True
    action: str | None = None  # of access.TABLE, asked where the layer is not public
    fresh_s: int = DAY_S
    values: Callable[[Actor | None], Mapping[str, Any]] = field(default=_nothing)
    single_from: int = LOWEST  # below, numbers by squares come as the MVT layer `counted_as`
    counted_as: str = ""
    counts: Mapping[str, str] = field(default_factory=dict)


LAYERS: dict[str, Layer] = {}
SETS: dict[str, tuple[str, ...]] = {
    "background": ("buildings", "roads"),
    "streets": ("segments", "storefronts", "fronts", "stations", "permits"),
}


def register(layer: Layer) -> None:
    """Make a layer known; a name is taken once."""
    if layer.name in LAYERS or layer.name in SETS:
        raise ValueError(f"layer {layer.name} is there already")
    if not layer.public and layer.action is None:
        raise ValueError(f"layer {layer.name} says neither that it is public nor who may see it")
    if layer.action is not None and layer.action not in TABLE:
        raise ValueError(f"layer {layer.name} asks for {layer.action}, which nobody holds")
    LAYERS[layer.name] = layer


def named(name: str) -> tuple[Layer, ...]:
    """The layers behind an address: one, or those of a set; none where the name is unknown."""
    return tuple(LAYERS[one] for one in SETS.get(name, (name,)) if one in LAYERS)


def features(name: str, columns: str, shape: str, source: str, *, first: str = "") -> str:
    """One MVT layer: `source` is FROM and WHERE and names the box; `first` is a WITH clause."""
    drawn = f"ST_AsMVTGeom(ST_Transform({shape}, 3857), {TILE}, 4096, {MARGIN}) AS g"
    rows = ", ".join(part for part in (columns, drawn) if part)
    return (
        f"({first} SELECT coalesce(ST_AsMVT(q, '{name}', 4096, 'g'), ''::bytea) FROM "
        f"(SELECT {rows} {source}) q WHERE g IS NOT NULL)"
    )


def dots(name: str, columns: str, place: str, source: str) -> str:
    """Points as one MVT layer: figured here, which spares each of them a projection."""
    x = f"((ST_X({place}) + 180) / 360 * 2.0 ^ :z - :x) * 4096"
    lat = f"radians(45 + ST_Y({place}) / 2)"
    y = f"((1 - ln(tan({lat})) / pi()) / 2 * 2.0 ^ :z - :y) * 4096"
    rows = f"{columns}, ST_Point({x}, {y}) AS g"
    return (
        f"(SELECT coalesce(ST_AsMVT(q, '{name}', 4096, 'g'), ''::bytea) FROM "
        f"(SELECT {rows} {source}) q)"
    )


def _buildings(zoom: int) -> str:
    return features(
        "buildings",
        "b.kind",
        "b.shape",
        f"FROM background_shape b WHERE b.subdistrict_id = :here AND b.shape && {BOX}"
        + ("" if zoom >= 14 else " AND b.kind <> 'building'"),
    )


def _roads(zoom: int) -> str:
    return features(
        "roads",
        "r.name, r.name_en, r.kind, s.kerb_m" if zoom >= 13 else "r.kind, s.kerb_m",
        "s.line",
        "FROM road_segment s JOIN road r "
        "ON r.subdistrict_id = s.subdistrict_id AND r.id = s.road_id "
        f"WHERE s.subdistrict_id = :here AND s.closed_at IS NULL AND s.line && {BOX}",
    )


def _segments(zoom: int) -> str:
    """Closed ones too where single shops are seen, first, so that successors lie over them."""
    state = f"CASE WHEN s.closed_at IS NULL THEN {STATE} ELSE 'closed' END AS state"
    return features(
        "segments",
        (f"s.id::text AS id, s.code, {state}" if zoom >= 13 else state),
        "s.line",
        f"FROM road_segment s WHERE s.subdistrict_id = :here AND s.line && {BOX}"
        + (
            " ORDER BY s.closed_at IS NULL, s.id"
            if zoom >= SINGLE_FROM
            else " AND s.closed_at IS NULL"
        ),
        first=f"WITH {RUNNING}, {IN_CHARGE}",
    )


def _storefronts(zoom: int) -> str:
    """Low: counts by squares of a quarter tile; then bare dots; then what a touch asks for."""
    if zoom < SINGLE_FROM:
        return (
            "(SELECT coalesce(ST_AsMVT(q, 'clusters', 4096, 'g'), ''::bytea) FROM "
            "(SELECT count, ST_Point(px, py) AS g "
            "FROM storefront_clusters(:here, :z, :x, :y)) q)"
        )
    columns = ["f.name IS NULL AS empty"]
    if zoom > SINGLE_FROM:
        columns.append("f.id::text AS id")
    if zoom >= NAMED_FROM:
        columns += ["f.name", "f.house_number AS number"]
    return dots(
        "storefronts",
        ", ".join(columns),
        "f.door",
        "FROM storefront f "
        f"WHERE f.subdistrict_id = :here AND f.closed_at IS NULL AND f.door && {BOX}",
    )


def _fronts(_zoom: int) -> str:
    return features(
        "fronts",
        "",
        "f.frontage",
        "FROM storefront f WHERE f.subdistrict_id = :here AND f.closed_at IS NULL "
        f"AND f.frontage IS NOT NULL AND f.door && {BOX}",
    )


def _duty_zones(_zoom: int) -> str:
    return features(
        "duty_zones",
        "f.id::text AS id, f.duty_zone_drawn AS drawn",
        "f.duty_zone",
        "FROM storefront f WHERE f.subdistrict_id = :here AND f.closed_at IS NULL "
        f"AND f.duty_zone && {BOX}",
    )


def _stations(_zoom: int) -> str:
    return dots(
        "stations",
        "p.id::text AS id, p.name, p.kind",
        "p.place",
        "FROM station p "
        f"WHERE p.subdistrict_id = :here AND p.closed_at IS NULL AND p.place && {BOX}",
    )


def _permits(_zoom: int) -> str:
    return features(
        "permits",
        "p.id::text AS id, p.name",
        "p.area",
        f"FROM permit_area p WHERE p.subdistrict_id = :here AND p.area && {BOX} "
        "AND p.closed_at IS NULL AND :on BETWEEN p.valid_from AND p.valid_to",
    )


SHOP_FIELDS = {"empty": "Boolean", "id": "String", "name": "String", "number": "String"}
for _layer in (
    Layer("buildings", _buildings, {"kind": "String"}, ("background_shape",)),
    Layer(
        "roads",
        _roads,
        {"name": "String", "name_en": "String", "kind": "String", "kerb_m": "Number"},
        ("road_segment", "road"),
    ),
    Layer(
        "segments",
        _segments,
        {"id": "String", "code": "String", "state": "String"},
        ("road_segment", "assignment", "post"),
        fresh_s=60,  # posts begin and end with the time
    ),
    Layer(
        "storefronts",
        _storefronts,
        SHOP_FIELDS,
        ("storefront",),
        single_from=SINGLE_FROM,
        counted_as="clusters",
        counts={"count": "Number"},
    ),
    Layer("fronts", _fronts, {}, ("storefront",), lowest=NAMED_FROM),
    Layer(
        "duty_zones",
        _duty_zones,
        {"id": "String", "drawn": "Boolean"},
        ("storefront",),
        lowest=16,
        public=False,
        action="streets.read",
    ),
    Layer(
        "stations",
        _stations,
        {"id": "String", "name": "String", "kind": "String"},
        ("station",),
        lowest=13,
    ),
    Layer(
        "permits",
        _permits,
        {"id": "String", "name": "String"},
        ("permit_area",),
        lowest=15,
        fresh_s=600,  # permits begin and end with the day
    ),
):
    register(_layer)
