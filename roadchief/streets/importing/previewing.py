"""What the page shows of a file before anything is written: its shapes, and some values."""

from dataclasses import dataclass, field

import numpy as np
import shapely

from roadchief.streets.importing.batches import Source
from roadchief.streets.importing.columns import cleaned
from roadchief.streets.importing.report import Report
from roadchief.streets.importing.run import Order, choose, open_for, rows_of

MOST_TAKEN = 1500
MOST_REFUSED = 300
MOST_ROWS = 100_000  # looked through for shapes of ours in a file of a larger area
LONGEST_EXAMPLE = 12


@dataclass
class Shapes:
    """The first shapes that would be taken, and the first that lie outside the border."""

    taken: list[shapely.Geometry] = field(default_factory=list)
    outside: list[shapely.Geometry] = field(default_factory=list)
    more: bool = False


def shapes(order: Order, *, area: shapely.Geometry | None) -> Shapes:
    source = open_for(order)
    aside = Report(order.what, order.path.name)
    aside.mapping = choose(source, order)
    found = Shapes()
    area = None if order.what == "boundaries" else area
    if area is not None:
        shapely.prepare(area)
    for rows in rows_of(source.batches(), order, aside, lambda _n: None):
        here = np.full(len(rows), True) if area is None else _inside(rows.shapes, area, order.what)
        taken = rows.shapes[here]
        if area is not None and order.what == "roads":  # as they are cut
            taken = shapely.intersection(taken, area)
        found.taken += list(taken)
        found.outside += list(rows.shapes[~here][: MOST_REFUSED - len(found.outside)])
        if len(found.taken) > MOST_TAKEN or aside.rows >= MOST_ROWS:
            found.more = True
            break
    del found.taken[MOST_TAKEN:]
    return found


def _inside(shapes: np.ndarray, area: shapely.Geometry, what: str) -> np.ndarray:
    """As the import judges: a shop by its middle, a line by any part of it."""
    if what == "storefronts":
        return np.asarray(shapely.intersects(area, shapely.centroid(shapes)))
    return np.asarray(shapely.intersects(area, shapes))


def examples(source: Source) -> dict[str, str]:
    """For each column the first value that is not empty, so that a person knows what is in it."""
    first = next(source.batches(), None)
    if first is None:
        return {}
    top = first.sample(200)
    found = {}
    for name, column in top.columns.items():
        shown = next((value for value in cleaned(column).to_pylist() if value), "")
        found[name] = shown[:LONGEST_EXAMPLE] + "…" * (len(shown) > LONGEST_EXAMPLE)
    return found
