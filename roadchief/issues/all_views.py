"""The pages of cases, registered by one call."""

from flask import Flask

from roadchief.codes import faces
from roadchief.issues import face_views
from roadchief.issues.citizens import mail_views, report_views
from roadchief.issues.desk import bulk_views, publishing_views
from roadchief.issues.feeds import views as feed_views
from roadchief.issues.figures import views as figures_views
from roadchief.issues.mail import messages
from roadchief.issues.merchants import views as merchant_views
from roadchief.issues.office import pipe_views, reply_views, routing_views
from roadchief.issues.open311 import filing_views, key_views
from roadchief.issues.open311 import views as open311_views
from roadchief.issues.sheets import views as sheet_views
from roadchief.web import refusals


def install(app: Flask) -> None:
    messages.wire()
    faces.contribute(face_views.running)
    refusals.dialects["/open311/"] = open311_views.refused
    # Several modules write the routes of one blueprint: it is registered once.
    for blueprint in dict.fromkeys(
        (
            report_views.pages,
            mail_views.pages,
            publishing_views.pages,
            bulk_views.pages,
            merchant_views.pages,
            figures_views.pages,
            feed_views.pages,
            filing_views.pages,
            key_views.pages,
            reply_views.pages,
            routing_views.pages,
            pipe_views.pages,
            sheet_views.pages,
        )
    ):
        app.register_blueprint(blueprint)
