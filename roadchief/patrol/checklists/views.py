"""The checklist as a form in versions: what visits are asked about, and since when."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from roadchief.accounts.signin import allows, current
from roadchief.errors import BadInput
from roadchief.lib import clock
from roadchief.patrol.checklists import questions
from roadchief.streets import standards
from roadchief.web import tenant_transaction
from roadchief.web.forms import text_field
from roadchief.web.pages import language

pages = Blueprint("forms", __name__, url_prefix="/chief/forms")
AUDIENCES = (standards.PATROL, standards.MERCHANT, standards.ENFORCEMENT)


@pages.get("")
@allows("patrol.forms")
def show() -> str:
    audience = request.args.get("for", standards.PATROL)
    audience = audience if audience in AUDIENCES else standards.PATROL
    with tenant_transaction(current().subdistrict_id) as session:
        form = questions.in_force(session, audience)
    groups = {
        code: pair[0 if language() == "zh" else 1] for code, pair in standards.groups().items()
    }
    return render_template(
        "patrol/forms.html",
        form=form,
        items=standards.items_for(audience).values(),
        groups=groups,
        language_now=language(),
    )


@pages.post("")
@allows("patrol.forms")
def publish() -> AnyResponse:
    actor = current()
    audience = request.form.get("for", "")
    if audience not in AUDIENCES:
        raise BadInput(field=gettext("对象"), reason_zh="请选择", reason_en="choose one")
    with tenant_transaction(actor.subdistrict_id) as session:
        questions.publish(
            session,
            audience=audience,
            version=text_field(request.form, "version", label=gettext("版本"), limit=40),
            items=request.form.getlist("item"),
            by=actor.person_id,
            at=clock.now(),
        )
    flash(gettext("新版检查表已生效，手机下次下载班次时更新；旧版填好的仍会收下。"), "ok")
    return redirect(f"{url_for('forms.show')}?for={audience}")
