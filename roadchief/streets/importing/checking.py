"""One batch of a file: each row fit for us, or a problem that says why. *Pure.*"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from roadchief.lib import geo
from roadchief.lib.coords import Datum, shape_to_wgs84, to_wgs84
from roadchief.streets.importing import columns as text_columns
from roadchief.streets.importing.columns import Column
from roadchief.streets.importing.report import Problem, Report

LONGEST = 200


@dataclass(frozen=True)
class Rows:
    """The good rows of a batch, in WGS-84: shapes, clean texts by field, and their lines."""

    shapes: NDArray[np.object_]
    texts: dict[str, Column]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.shapes)

    def text(self, field: str) -> Column:
        """The texts of a field; empty ones where the file has no such column."""
        found = self.texts.get(field)
        return text_columns.blank(len(self)) if found is None else found

    def keep(self, fit: NDArray[np.bool_]) -> "Rows":
        if fit.all():
            return self
        mask = pa.array(fit)
        texts = {name: column.filter(mask) for name, column in self.texts.items()}
        return Rows(self.shapes[fit], texts, self.lines[fit])


def raw_shapes(
    shapes: NDArray[np.object_],
    columns: Mapping[str, Column],
    mapping: dict[str, str],
    lines: NDArray[np.int64],
    report: Report,
) -> NDArray[np.object_]:
    """Shapes of a table out of its WKT or its lon and lat; others have theirs already."""
    if "wkt" in mapping and shapes.size and shapes[0] is None:
        texts = columns[mapping["wkt"]].to_pylist()
        found = shapely.from_wkt(np.array(texts, dtype=object), on_invalid="ignore")
        for at in np.flatnonzero(shapely.is_missing(found)):
            report.refuse(Problem(int(lines[at]), mapping["wkt"], str(texts[at])[:60], "bad_wkt"))
        return np.asarray(found, dtype=object)
    if "lon" not in mapping or "lat" not in mapping:
        return shapes
    pair = [text_columns.numbers(columns[mapping[name]]) for name in ("lon", "lat")]
    good = np.isfinite(pair[0]) & np.isfinite(pair[1])
    out = np.full(len(shapes), None, dtype=object)
    out[good] = shapely.points(pair[0][good], pair[1][good])
    for at in np.flatnonzero(~good):
        name = mapping["lon"] if not math.isfinite(pair[0][at]) else mapping["lat"]
        value = str(columns[name][at].as_py() or "")[:60]
        report.refuse(Problem(int(lines[at]), name, value, "not_a_number" if value else "empty"))
    return out


def fit(
    shapes: NDArray[np.object_],
    columns: Mapping[str, Column],
    mapping: dict[str, str],
    lines: NDArray[np.int64],
    datum: Datum,
    report: Report,
) -> Rows:
    """Repair, convert and clean a batch; what cannot be used goes into the report."""
    already = report.refused
    shapes = raw_shapes(shapes, columns, mapping, lines, report)
    told = report.refused > already
    points = (shapely.get_type_id(shapes) == 0) & ~shapely.is_empty(shapes)
    good = np.zeros(len(shapes), dtype=bool)
    out = np.full(len(shapes), None, dtype=object)
    _fit_points(shapes, points, out, good, lines, datum, report)
    for at in np.flatnonzero(~points):
        if shapes[at] is None and told:
            continue
        mended = geo.repair(shapes[at])
        for note in mended.notes if mended.shape is not None else ():
            report.notes[note] += 1
        if mended.shape is None:
            report.refuse(Problem(int(lines[at]), "geometry", "", mended.notes[-1]))
        else:
            out[at], good[at] = shape_to_wgs84(mended.shape, datum), True
    texts = _texts(columns, mapping, lines, good, report)
    return Rows(out, texts, lines).keep(good)


def _fit_points(
    shapes: NDArray[np.object_],
    points: NDArray[np.bool_],
    out: NDArray[np.object_],
    good: NDArray[np.bool_],
    lines: NDArray[np.int64],
    datum: Datum,
    report: Report,
) -> None:
    """All points at once: the usual case of hundreds of thousands."""
    places = np.flatnonzero(points)
    if not places.size:
        return
    if shapely.has_z(shapes[places]).any():
        report.notes["height_dropped"] += int(shapely.has_z(shapes[places]).sum())
    lon, lat = shapely.get_x(shapes[places]), shapely.get_y(shapes[places])
    finite = np.isfinite(lon) & np.isfinite(lat)
    if finite.any() and geo.swapped_axes(np.column_stack([lon[finite], lat[finite]])):
        lon, lat = lat, lon
        report.notes["axes_swapped"] += len(places)
    ranged = finite & (np.abs(lon) <= 180) & (np.abs(lat) <= 90)
    for at in places[~ranged]:
        reason = "not_finite" if not finite[places == at][0] else "out_of_range"
        report.refuse(Problem(int(lines[at]), "geometry", shapes[at].wkt[:60], reason))
    lon, lat = to_wgs84(lon[ranged], lat[ranged], datum)
    out[places[ranged]] = shapely.points(lon, lat)
    good[places[ranged]] = True


def _texts(
    columns: Mapping[str, Column],
    mapping: dict[str, str],
    lines: NDArray[np.int64],
    good: NDArray[np.bool_],
    report: Report,
) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for name, column in mapping.items():
        if name in {"lon", "lat", "wkt"}:
            continue
        found[name] = text_columns.cleaned(columns[column])
        long = pc.greater(pc.utf8_length(found[name]), LONGEST).to_numpy(zero_copy_only=False)
        for at in np.flatnonzero(long & good):
            good[at] = False
            shown = found[name][int(at)].as_py()[:60] + "…"
            report.refuse(Problem(int(lines[at]), column, shown, "too_long"))
    return found


def made_ids(shapes: NDArray[np.object_], names: Sequence[str]) -> list[str]:
    """Stable ids for files without: the same place and name give the same id again."""
    places = shapely.to_wkb(shapely.set_precision(shapes, 1e-7))
    return [
        "h" + hashlib.blake2b(place + name.encode(), digest_size=12).hexdigest()
        for place, name in zip(places, names, strict=True)
    ]


def content_hash(*parts: object) -> int:
    """63 bits of a row's content: equal means unchanged."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
