"""`roadchief maps export` and `roadchief openapi`: layers as files, the API as a description."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

import roadchief.maps.duty_collections  # noqa: F401 (makes its collections known)
from roadchief import config
from roadchief.db import Database
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.maps import api, exporting, features
from roadchief.maps.collections import COLLECTIONS
from roadchief.maps.duty_layers import ALL_CASES
from roadchief.maps.features import Wanted
from roadchief.maps.saving_cli import of_one, page, whole_or_nothing, write_page

# The operator of the machine sees all that the sub-district has.
EVERYTHING = {"everywhere": True, "who": None, **ALL_CASES}


PAPER = (".html", ".png")


@click.group(name="maps")
def group() -> None:
    """Maps and layers as files."""


@group.command()
@click.argument("layer")
@click.option(
    "--subdistrict", required=True, type=click.IntRange(100_000_000, 999_999_999), help="9 digits"
)
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False))
@click.option("--bbox", help="west,south,east,north")
@of_one
@click.pass_obj
def export(
    make_app: Callable[[], Any],
    /,
    layer: str,
    subdistrict: int,
    out: Path,
    bbox: str | None,
    **of_page: Any,
) -> None:
    """Write LAYER to --out; its ending says the format: gpkg, shp.zip, geojson, xlsx.

    With the ending .html or .png LAYER is a map page, as `roadchief maps page` names them.
    The file is there whole or not at all: broken off by Ctrl-C, what was there before stays.
    """
    if out.suffix in PAPER:
        write_page(make_app, layer, subdistrict, out, **of_page)
        return
    _write_layer(layer, subdistrict, out, bbox)


def _write_layer(layer: str, subdistrict: int, out: Path, bbox: str | None) -> None:
    known = COLLECTIONS.get(layer)
    if known is None:
        names = ", ".join(sorted(COLLECTIONS))
        raise BadInput(field="LAYER", reason_zh=f"可选：{names}", reason_en=f"one of {names}")
    form = next((one for one in exporting.FORMATS if out.name.endswith(f".{one}")), "")
    database = Database(config.with_private_parts(config.load(os.environ)))
    values = {
        name: value
        for name, value in EVERYTHING.items()
        if f":{name}" in known.source + known.first
    }
    box = features.read_box(bbox) if bbox else None
    done = [0]
    with (
        whole_or_nothing(out, lambda: f"{done[-1]} {layer}") as part,
        Progress(console=Console(stderr=True), transient=True) as progress,
        database.streaming(subdistrict) as session,
    ):
        bar = progress.add_task(layer, total=None)

        def tell(count: int) -> None:
            done.append(count)
            progress.update(bar, completed=count)

        wanted = Wanted(box=box, values=values, at=clock.now())
        exporting.write(session, known, part, form, wanted=wanted, tell=tell)
    click.echo(f"{out}: {done[-1]} {layer}")


group.add_command(page)


@click.command()
def openapi() -> None:
    """Print the OpenAPI description of /api/v1."""
    settings = config.load(os.environ)
    click.echo(json.dumps(api.description(settings.public_url), ensure_ascii=False, indent=1))
