"""All pages of patrol, and where its findings go."""

from flask import Flask

from roadchief.patrol import form_views, report_views, views, week_views


def install(app: Flask) -> None:
    for blueprint in (views.pages, week_views.pages, report_views.pages, form_views.pages):
        app.register_blueprint(blueprint)
