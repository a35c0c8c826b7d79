"""Import by the page: upload, see what was understood, on the map, and only then write."""

import re
import shutil
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import shapely
from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from roadchief import jobs
from roadchief.accounts.signin import allows, current
from roadchief.db import new_id, tenant_of
from roadchief.errors import BadInput, NotFound, Refusal, WrongState
from roadchief.lib import clock
from roadchief.lib.coords import Datum
from roadchief.lib.text import clean
from roadchief.streets.import_words import datum_words, field_words, kind_words
from roadchief.streets.importing import mapping, previewing, refused, run, uploads
from roadchief.streets.importing.models import ImportRun
from roadchief.streets.importing.orders import order_of
from roadchief.streets.importing.reading import ACCEPTED
from roadchief.streets.importing.report import SOURCES, TRIED, Problem, Report
from roadchief.streets.models import RoadSegment, Subdistrict
from roadchief.web import database, settings, tenant_transaction
from roadchief.web.pages import language
from roadchief.web.security import takes

pages = Blueprint("imports", __name__, url_prefix="/admin/imports")
KINDS = ("roads", "storefronts", "boundaries")
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
        asked = request.args.get("what")
        what = asked if asked in KINDS else _next_kind(session)
    return render_template(
        "streets/imports.html",
        runs=runs,
        kind_words=kind_words,
        kinds=KINDS,
        what=what,
        accepted=",".join(ACCEPTED),
    )


def _next_kind(session: Session) -> str:
    """What is most likely uploaded now: the border first, then roads, and storefronts for ever."""
    if session.get_one(Subdistrict, tenant_of(session)).area is None:
        return "boundaries"
    some = select(RoadSegment.id).where(RoadSegment.subdistrict_id == tenant_of(session)).limit(1)
    return "storefronts" if session.scalar(some) else "roads"


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
        row.report = _try(row, path, at=at)
    except Refusal:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    with tenant_transaction(actor.subdistrict_id) as session:
        session.add(row)
    return redirect(url_for("imports.show", run_id=run_id))


@pages.get("/<uuid:run_id>")
@allows("streets.import")
def show(run_id: uuid.UUID) -> str:
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = _find(session, run_id)
        sources = _sources(session, row)
    path = _folder(actor.subdistrict_id, run_id) / row.file_name
    there, order = path.exists(), order_of(row, path)
    source = run.open_for(order) if there and row.state == "previewed" else None
    return render_template(
        "streets/import.html",
        run=row,
        columns=source.columns if source else [],
        examples=previewing.examples(source) if source else {},
        own_source=order.path.stem,
        sources=sources,
        there=there,
        all_refused=_all_refused(row) is not None,
        total=(row.report or {}).get("rows", 0),
        fields={name: field_words(name) for name in mapping.WANTED[row.what]},
        field_words=field_words,
        kind_words=kind_words,
        datum_words=datum_words,
        lines=_lines(row),
        datums=list(Datum),
    )


@pages.get("/<uuid:run_id>/shapes.json")
@allows("streets.import")
def shapes(run_id: uuid.UUID) -> AnyResponse:
    """The first shapes of the file as they would be written, for the preview map."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = _find(session, run_id)
        area = session.get_one(Subdistrict, actor.subdistrict_id).area
    path = _folder(actor.subdistrict_id, run_id) / row.file_name
    if not path.exists():
        raise NotFound
    found = previewing.shapes(order_of(row, path), area=area)
    features = [
        {"type": "Feature", "properties": {"as": name}, "geometry": shapely.geometry.mapping(shape)}
        for name, drawn in (("outside", found.outside), ("taken", found.taken))
        for shape in drawn
    ]
    border = shapely.geometry.mapping(area) if area is not None else None
    return jsonify(type="FeatureCollection", features=features, border=border, more=found.more)


@pages.get("/<uuid:run_id>/problems.csv")
@allows("streets.import")
def problems(run_id: uuid.UUID) -> AnyResponse:
    """The refused rows for a spreadsheet, to be put right at home."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = _find(session, run_id)
    all_of_them = _all_refused(row)
    listed = (Problem(**one) for one in (row.report or {}).get("problems", []))
    found = refused.kept(all_of_them) if all_of_them else listed
    answer = Response(refused.lines(found, language()), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f"attachment; filename=refused-{run_id}.csv"
    return answer


def _all_refused(row: ImportRun) -> Path | None:
    """The file with every refused row, until uploads are swept."""
    path = _folder(row.subdistrict_id, row.id) / refused.KEPT
    return path if path.exists() else None


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
        row.source = clean(request.form.get("source", row.source))[:100]
        path = _folder(actor.subdistrict_id, run_id) / row.file_name
        row.report = _try(row, path, at=at)
    return redirect(url_for("imports.show", run_id=run_id))


def _try(row: ImportRun, path: Path, *, at: datetime) -> dict[str, Any]:
    """What an import would do. Where a column is not found, the page asks for it."""
    order = order_of(row, path, dry_run=True)
    try:
        with refused.keeping(path.parent / refused.KEPT) as keep:
            report = run.take(database(), order, by=None, at=at, keep=keep)
    except run.MissingColumn as missing:
        report = Report(row.what, path.name, dry_run=True)
        report.mapping = mapping.guess(run.open_for(order).columns, row.what)
        lines = {one: [missing.say(one)] for one in ("zh", "en")}
        return report.as_json() | {"lines": lines, "missing": True}
    return report.as_json() | {"lines": {one: report.lines(one) for one in ("zh", "en")}}


@pages.post("/<uuid:run_id>/confirm")
@allows("streets.import")
def confirm(run_id: uuid.UUID) -> AnyResponse:
    """Write it: a job, in the transaction that says so. Pressed twice, it runs once."""
    actor = current()
    with tenant_transaction(actor.subdistrict_id) as session:
        row = _find(session, run_id)
        if not (_folder(actor.subdistrict_id, run_id) / row.file_name).exists():
            raise WrongState
        taken = session.execute(
            update(ImportRun)
            .where(ImportRun.subdistrict_id == actor.subdistrict_id, ImportRun.id == run_id)
            .where(ImportRun.state.in_(("previewed", "stopped")))
            .values(state="waiting")
        )
        if taken.rowcount != 1:  # type: ignore[attr-defined]
            raise WrongState
        jobs.later(
            session, "streets.import", subdistrict_id=actor.subdistrict_id, run_id=str(run_id)
        )
    return redirect(url_for("imports.show", run_id=run_id))


def _lines(row: ImportRun) -> list[str]:
    """What was said of the file; that nothing is written holds only until it is confirmed."""
    said: list[str] = (row.report or {}).get("lines", {}).get(language(), [])
    return said if row.state == "previewed" else [line for line in said if line not in TRIED]


def _sources(session: Session, row: ImportRun) -> dict[str, str]:
    """Sources that this file may correct: of earlier imports, and those where it was met again."""
    done = session.execute(
        select(ImportRun.source, ImportRun.file_name)
        .where(ImportRun.subdistrict_id == row.subdistrict_id, ImportRun.what == row.what)
        .where(ImportRun.state == "done")
        .order_by(ImportRun.started_at.desc())
        .limit(200)
    )
    names = [source or Path(name).stem for source, name in done]
    names += [name for name in (row.report or {}).get("twins", {}) if name != "register"]
    own = Path(row.file_name).stem
    index = 0 if language() == "zh" else 1
    words = {name: SOURCES.get(name, (name, name))[index] for name in [*names, row.source]}
    return {name: said for name, said in words.items() if name and name != own}


def _find(session: Any, run_id: uuid.UUID) -> ImportRun:
    row = session.get(ImportRun, (tenant_of(session), run_id))
    if row is None:
        raise NotFound
    return row


def _folder(subdistrict_id: int, run_id: uuid.UUID) -> Path:
    return uploads.folder(settings(), subdistrict_id, run_id)


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
