"""All pages of plates, and the words that their templates ask for."""

from flask import Flask

from roadchief.codes import admin_views, batch_views, mount_views, views

# Imported for the views that they add to these blueprints.
__all__ = ["batch_views", "install", "mount_views"]


def install(app: Flask) -> None:
    for own in (views.pages, admin_views.pages):
        app.register_blueprint(own)
    app.context_processor(
        lambda: {
            "act_word": admin_views.act_word,
            "plate_state": admin_views.state_word,
            "batch_state": admin_views.batch_word,
            "may_do": admin_views.may_do,
            "url_names": app.view_functions,
        }
    )
