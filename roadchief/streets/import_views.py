"""Import by the page: upload, see what was understood, on the map, and only then write."""

import re
import shutil
import uuid
from pathlib import Path
from typing import Any

import shapely
from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select, update
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from roadchief import jobs
from roadchief.accounts.signin import allows, current
from roadchief.db import new_id, tenant_of
from roadchief.errors import BadInput, NotFound, Refusal, WrongState
from roadchief.lib import clock
from roadchief.lib.coords import Datum
from roadchief.lib.text import clean
from roadchief.streets.importing import mapping, run
from roadchief.streets.importing.models import ImportRun
from roadchief.streets.importing.orders import order_of
from roadchief.web import database, settings, tenant_transaction
from roadchief.web.pages import language
from roadchief.web.security import takes

pages = Blueprint("imports", __name__, url_prefix="/admin/imports")
KINDS = ("roads", "storefronts", "boundaries")
PREVIEW_SHAPES = 1500
SAFE = re.compile(r"[^\w.\-]+")


@pages.get("")
@allows("streets.import")
def listing() -> str:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        runs = session.scalars(
            select(ImportRun)
            .where(ImportRun.subdistrict_id == actor.subdistrict_id)
            .order_by(ImportRun.started_at.desc())
            .limit(30)
        ).all()
    return render_template("streets/imports.html", runs=runs, kinds=KINDS, datums=list(Datum))


@pages.post("")
@allows("streets.import")
@takes(lambda given: given.upload_limit_bytes)
def upload() -> AnyResponse:
    """Keep the files, try them without writing, and show what was understood."""
    actor, at = current(), clock.now()
    what = request.form.get("what", "")
    if what not in KINDS:
        raise BadInput(field=gettext("内容"), reason_zh="请选择", reason_en="choose one")
    files = [file for file in request.files.getlist("file") if file.filename]
    if not files:
        raise BadInput(field=gettext("文件"), reason_zh="请选择文件", reason_en="choose a file")
    run_id = new_id()
    folder = _folder(actor.subdistrict_id, run_id)
    path = _keep(files, folder)
    row = ImportRun(
        subdistrict_id=actor.subdistrict_id,
        id=run_id,
        what=what,
        file_name=path.name,
        file_sha256=run.fingerprint(path),
        source=clean(request.form.get("source", ""))[:100],
        options={
            "datum": _datum(),
            "encoding": clean(request.form.get("encoding", ""))[:20],
            "mapping": {},
        },
        state="previewed",
        by=actor.person_id,
        started_at=at,
    )
    try:
        report = run.take(database(), order_of(row, path, dry_run=True), by=None, at=at)
    except Refusal:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    row.report = report.as_json() | {"lines": {one: report.lines(one) for one in ("zh", "en")}}
    with tenant_transaction(actor.subdistrict_id) as session:
        session.add(row)
    return redirect(url_for("imports.show", run_id=run_id))


@pages.get("/<uuid:run_id>")
@allows("streets.import")
def show(run_id: uuid.UUID) -> str:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = _find(session, run_id)
    path = _folder(actor.subdistrict_id, run_id) / row.file_name
    columns = run.open_for(order_of(row, path)).columns if path.exists() else []
    return render_template(
        "streets/import.html",
        run=row,
        columns=columns,
        fields=mapping.WANTED[row.what],
        lines=(row.report or {}).get("lines", {}).get(language(), []),
        datums=list(Datum),
    )


@pages.get("/<uuid:run_id>/shapes.json")
@allows("streets.import")
def shapes(run_id: uuid.UUID) -> AnyResponse:
    """The first shapes of the file as they would be written, for the preview map."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = _find(session, run_id)
    path = _folder(actor.subdistrict_id, run_id) / row.file_name
    if not path.exists():
        raise NotFound
    found = run.preview(order_of(row, path), limit=PREVIEW_SHAPES)
    features: list[dict[str, Any]] = [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shape)}
        for shape in found
    ]
    return jsonify(type="FeatureCollection", features=features)


@pages.post("/<uuid:run_id>/settings")
@allows("streets.import")
def change(run_id: uuid.UUID) -> AnyResponse:
    """Another datum, encoding or column: try again without writing."""
    actor, at = current(), clock.now()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = _find(session, run_id)
        if row.state != "previewed":
            raise WrongState
        chosen = {
            field: request.form[f"map-{field}"]
            for field in mapping.WANTED[row.what]
            if request.form.get(f"map-{field}")
        }
        encoding = clean(request.form.get("encoding", ""))[:20]
        row.options = {"datum": _datum(), "encoding": encoding, "mapping": chosen}
        path = _folder(actor.subdistrict_id, run_id) / row.file_name
        report = run.take(database(), order_of(row, path, dry_run=True), by=None, at=at)
        row.report = report.as_json() | {"lines": {one: report.lines(one) for one in ("zh", "en")}}
    return redirect(url_for("imports.show", run_id=run_id))


@pages.post("/<uuid:run_id>/confirm")
@allows("streets.import")
def confirm(run_id: uuid.UUID) -> AnyResponse:
    """Write it: a job, in the transaction that says so. Pressed twice, it runs once."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        _find(session, run_id)
        taken = session.execute(
            update(ImportRun)
            .where(ImportRun.subdistrict_id == actor.subdistrict_id, ImportRun.id == run_id)
            .where(ImportRun.state == "previewed")
            .values(state="waiting")
        )
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            raise WrongState
        jobs.later(
            session, "streets.import", subdistrict_id=actor.subdistrict_id, run_id=str(run_id)
        )
    return redirect(url_for("imports.show", run_id=run_id))


def _find(session: Any, run_id: uuid.UUID) -> ImportRun:
    row = session.get(ImportRun, (tenant_of(session), run_id))
    if row is None:
        raise NotFound
    return row


def _folder(subdistrict_id: int, run_id: uuid.UUID) -> Path:
    return settings().var_dir / "uploads" / str(subdistrict_id) / str(run_id)


def _keep(files: list[FileStorage], folder: Path) -> Path:
    """The upload on disk under safe names. A Shapefile comes as several files or as a zip."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = []
    for file in files[:8]:
        name = SAFE.sub("_", Path(file.filename or "").name).strip("._")[:120] or "file"
        file.save(folder / name)
        kept.append(folder / name)
    main = [path for path in kept if path.suffix.lower() == ".shp"]
    return (main or kept)[0]


def _datum() -> str:
    given = request.form.get("datum", "wgs84")
    if given not in {one.value for one in Datum}:
        raise BadInput(field=gettext("坐标系"), reason_zh="请选择", reason_en="choose one")
    return given
