"""All pages of patrol, and where its findings go."""

from flask import Flask

from roadchief import blobs
from roadchief.codes import faces
from roadchief.patrol import face_views
from roadchief.patrol.checklists import views as form_views
from roadchief.patrol.chief import other_views, week_views
from roadchief.patrol.chief import views as chief_views
from roadchief.patrol.doubts import twins
from roadchief.patrol.presence import radius
from roadchief.patrol.presence import views as radius_views
from roadchief.patrol.reports import views as report_views
from roadchief.patrol.selfchecks import views as self_views
from roadchief.streets import succession


def install(app: Flask) -> None:
    faces.contribute(face_views.visits)
    faces.contribute(self_views.face)
    if radius.carry_over not in succession.carriers:
        succession.carriers.append(radius.carry_over)
    if twins.look_later not in blobs.on_arrival:
        blobs.on_arrival.append(twins.look_later)
    for blueprint in (
        chief_views.pages,
        week_views.pages,
        other_views.pages,
        report_views.pages,
        form_views.pages,
        self_views.pages,
        radius_views.pages,
    ):
        app.register_blueprint(blueprint)
