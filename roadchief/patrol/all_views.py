"""All pages of patrol, and where its findings go."""

from flask import Flask

from roadchief.codes import faces
from roadchief.patrol import (
    face_views,
    form_views,
    radius_views,
    report_views,
    self_views,
    views,
    week_views,
)


def install(app: Flask) -> None:
    faces.contribute(face_views.visits)
    faces.contribute(self_views.face)
    for blueprint in (
        views.pages,
        week_views.pages,
        report_views.pages,
        form_views.pages,
        self_views.pages,
        radius_views.pages,
    ):
        app.register_blueprint(blueprint)
