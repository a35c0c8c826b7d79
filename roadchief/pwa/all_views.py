"""The phone app's addresses, in one call."""

from flask import Flask

from roadchief.pwa import downloads, sync, views


def install(app: Flask) -> None:
    for blueprint in (views.pages, sync.pages, downloads.pages):
        app.register_blueprint(blueprint)
