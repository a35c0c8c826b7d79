"""One batch of a file: each row fit for us, or a problem that says why. *Pure.*"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

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
DOUBTS = (
    ("", "long_numbers", r"^-?[0-9](\.[0-9]+)?E\+[0-9]{2,3}$"),
    ("house_number", "door_dates", r"^[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}$"),
    ("house_number", "door_dates", r"^([0-9]{1,2}月[0-9]{1,2}日|[0-9]{1,2}-[A-Z][a-z]{2})$"),
)


# Shapes; or, for plain points, by far the most, an array of their x and y.
Places: TypeAlias = NDArray[Any]


def is_xy(places: Places) -> bool:
    return places.dtype != object


def as_shapes(places: Places) -> NDArray[np.object_]:
    return np.asarray(shapely.points(places) if is_xy(places) else places, dtype=object)


@dataclass(frozen=True)
class Rows:
    """The good rows of a batch, in WGS-84: places, clean texts by field, and their lines."""

    places: Places
    texts: dict[str, Column]
    lines: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def shapes(self) -> NDArray[np.object_]:
        return as_shapes(self.places)

    def text(self, field: str) -> Column:
        """The texts of a field; empty ones where the file has no such column."""
        found = self.texts.get(field)
        return text_columns.blank(len(self)) if found is None else found

    def keep(self, fit: NDArray[np.bool_]) -> "Rows":
        if fit.all():
            return self
        mask = pa.array(fit)
        texts = {name: column.filter(mask) for name, column in self.texts.items()}
        return Rows(self.places[fit], texts, self.lines[fit])


def raw_places(
    places: Places,
    columns: Mapping[str, Column],
    mapping: dict[str, str],
    lines: NDArray[np.int64],
    report: Report,
) -> Places:
    """Places of a table out of its WKT or its lon and lat; others have theirs already.

    What is refused here, and told, is None or NaN in the answer.
    """
    if "wkt" in mapping:
        texts = columns[mapping["wkt"]].to_pylist()
        found = shapely.from_wkt(np.array(texts, dtype=object), on_invalid="ignore")
        for at in np.flatnonzero(shapely.is_missing(found)):
            report.refuse(Problem(int(lines[at]), mapping["wkt"], str(texts[at])[:60], "bad_wkt"))
        return np.asarray(found, dtype=object)
    if "lon" not in mapping or "lat" not in mapping:
        return places
    xy = np.column_stack([text_columns.numbers(columns[mapping[one]]) for one in ("lon", "lat")])
    bad = ~np.isfinite(xy)
    for at in np.flatnonzero(bad.any(axis=1)):
        name = mapping["lon" if bad[at, 0] else "lat"]
        value = str(columns[name][int(at)].as_py() or "")[:60]
        report.refuse(Problem(int(lines[at]), name, value, "not_a_number" if value else "empty"))
    xy[bad.any(axis=1)] = np.nan
    return xy


def fit(
    places: Places,
    columns: Mapping[str, Column],
    mapping: dict[str, str],
    lines: NDArray[np.int64],
    datum: Datum,
    report: Report,
) -> Rows:
    """Repair, convert and clean a batch; what cannot be used goes into the report."""
    already = report.refused
    places = raw_places(places, columns, mapping, lines, report)
    told = report.refused > already
    if is_xy(places):
        good, fine = _fit_xy(places, np.isnan(places[:, 0]), lines, datum, report), places
    else:
        fine, good = _fit_shapes(places, told, lines, datum, report)
    texts = _texts(columns, mapping, lines, good, report)
    return Rows(fine, texts, lines).keep(good)


def _fit_shapes(
    shapes: Places, told: bool, lines: NDArray[np.int64], datum: Datum, report: Report
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Shapes of any kind, mended and converted, and which of them are good."""
    points = (shapely.get_type_id(shapes) == 0) & ~shapely.is_empty(shapes)
    good = np.zeros(len(shapes), dtype=bool)
    out = np.full(len(shapes), None, dtype=object)
    if points.any():
        report.notes["height_dropped"] += int(shapely.has_z(shapes[points]).sum())
        xy = shapely.get_coordinates(shapes[points])
        untold = np.zeros(len(xy), dtype=bool)
        good[points] = _fit_xy(xy, untold, lines[points], datum, report)
        out[good] = shapely.points(xy[good[points]])
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
    return out, good


def _fit_xy(
    xy: NDArray[np.float64],
    told: NDArray[np.bool_],
    lines: NDArray[np.int64],
    datum: Datum,
    report: Report,
) -> NDArray[np.bool_]:
    """All points at once, turned and converted in place: the case of hundreds of thousands."""
    finite = np.isfinite(xy[:, 0]) & np.isfinite(xy[:, 1])
    if finite.any() and geo.swapped_axes(xy[finite]):
        xy[:] = xy[:, ::-1]
        report.notes["axes_swapped"] += len(xy)
    with np.errstate(invalid="ignore"):
        ranged = finite & (np.abs(xy[:, 0]) <= 180) & (np.abs(xy[:, 1]) <= 90)
    for at in np.flatnonzero(~ranged & ~told):
        reason = "out_of_range" if finite[at] else "not_finite"
        shown = f"{xy[at, 0]:.6g}, {xy[at, 1]:.6g}"
        report.refuse(Problem(int(lines[at]), "geometry", shown, reason))
    xy[ranged] = np.column_stack(to_wgs84(xy[ranged, 0], xy[ranged, 1], datum))
    return ranged


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
        _doubt(name, found[name], report)
        long = pc.greater(pc.utf8_length(found[name]), LONGEST).to_numpy(zero_copy_only=False)
        for at in np.flatnonzero(long & good):
            good[at] = False
            shown = found[name][int(at)].as_py()[:60] + "…"
            report.refuse(Problem(int(lines[at]), column, shown, "too_long"))
    return found


def _doubt(name: str, column: Column, report: Report) -> None:
    """Spreadsheets make 9.13101151234567E+17 of a code and a date of door 5-12, and say nothing."""
    for field, note, form in DOUBTS:
        if field in (name, ""):
            count = pc.sum(pc.match_substring_regex(column, form)).as_py()
            if count:
                report.notes[note] += count


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
