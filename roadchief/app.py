"""Wiring: settings, database and packages become one Flask application."""

import ctypes
import multiprocessing
import os
import signal
import threading
import time

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from roadchief import beginning, blobs, config, home, privacy
from roadchief.accounts import account_views, door_views, notice_views, oidc, signin
from roadchief.accounts import views as accounts
from roadchief.codes import all_views as codes
from roadchief.config import ROOT, Settings
from roadchief.db import Database
from roadchief.insight import views as insight
from roadchief.issues import all_views as issues
from roadchief.issues import reach
from roadchief.issues.merchants import selfhelp
from roadchief.issues.merchants import views as merchant_views
from roadchief.issues.sources import promises
from roadchief.issues.sources.patrolled import take_finding
from roadchief.maps import (
    api_views,
    export_views,
    ogc_views,
    open_views,
    sheet_views,
    tile_views,
    touch_views,
)
from roadchief.maps import views as maps
from roadchief.patrol import all_views as patrol
from roadchief.patrol.phone import checkins
from roadchief.patrol.planning import beats
from roadchief.patrol.selfchecks import checks as self_checks
from roadchief.patrol.selfchecks import views as self_views
from roadchief.pwa import all_views as pwa
from roadchief.streets import all_views as streets
from roadchief.streets import import_views
from roadchief.streets.appointments import views as appointments
from roadchief.web import addresses, health, limits, logs, pages, refusals, security
from roadchief.web import blobs as photos

END_WITH_PARENT = 1  # Linux: PR_SET_PDEATHSIG
LOOK_S, LAST_WORDS_S = 1.0, 3.0


def create_served_app() -> Flask:
    """For a worker process of the web server: it ends with the server, however that ends, so that
    the next one finds the port free and no old code goes on answering."""
    ctypes.CDLL(None).prctl(END_WITH_PARENT, signal.SIGTERM)
    server = multiprocessing.parent_process()
    if server is not None:
        if server.pid != os.getppid():  # it ended while we began
            raise SystemExit(0)
        threading.Thread(target=_end_after, args=(server.pid,), daemon=True).start()
    return create_app()


def _end_after(server: int) -> None:
    """The signal alone can be lost: a worker that is just beginning has nobody yet to take it."""
    while os.getppid() == server:
        time.sleep(LOOK_S)
    time.sleep(LAST_WORDS_S)
    os._exit(0)


def create_app(settings: Settings | None = None, database: Database | None = None) -> Flask:
    """The application. Without arguments: settings from the environment, as servers start it."""
    settings = config.with_private_parts(settings or config.load(os.environ))
    app = Flask(
        "roadchief",
        static_folder=str(ROOT / "static"),
        template_folder=str(ROOT / "roadchief" / "templates"),
    )
    app.extensions["roadchief.settings"] = settings
    app.extensions["roadchief.database"] = database or Database(settings)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    logs.configure(settings)
    logs.install(app)
    security.install(app, settings)
    addresses.install(app)
    limits.install(app, settings)
    refusals.install(app)
    health.install(app)
    pages.install(app, settings)
    register_packages(app)
    return app


def register_packages(app: Flask) -> None:
    """The packages' pages, lowest first."""
    signin.install(app)
    photos.install(app)
    oidc.install(app)
    for blueprint in (
        door_views.pages,
        account_views.pages,
        accounts.pages,
        notice_views.pages,
        streets.pages,
        import_views.pages,
        appointments.pages,
        maps.pages,
        touch_views.pages,
        sheet_views.pages,
        open_views.pages,
        ogc_views.pages,
        export_views.pages,
        api_views.pages,
    ):
        app.register_blueprint(blueprint)
    refusals.dialects["/ogc/"] = ogc_views.refused
    tile_views.install(app)
    codes.install(app)
    issues.install(app)
    patrol.install(app)
    if take_finding not in checkins.on_finding:
        checkins.on_finding.append(take_finding)
    if selfhelp.take_wish not in self_checks.on_help:
        self_checks.on_help.append(selfhelp.take_wish)
    if promises.arrived not in blobs.on_arrival:
        blobs.on_arrival.append(promises.arrived)
    if beats.walked not in reach.walked:
        reach.walked.append(beats.walked)
    merchant_views.contribute(self_views.shop_parts)
    insight.install(app)
    pwa.install(app)
    home.install(app)
    privacy.install(app)
    beginning.install(app)
