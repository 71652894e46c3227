"""Where the person lives: their days begin and end at midnight there."""

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext
from flask_login import login_required
from werkzeug import Response

from plaidapp.extensions import db
from plaidapp.htmx import is_htmx
from plaidapp.store.people import activity, users

from . import account_page
from .access import person
from .time_zone_form import TimeZoneForm

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
blueprint = Blueprint("preferences", __name__)


@blueprint.post("/finance/time-zone")
@login_required
def change_time_zone() -> Answer:
    """From then on, the days and times of all pages are those of the zone."""
    form = TimeZoneForm(request.form)
    if not form.validate():
        return account_page.render(time_zone_form=form), 422
    place = form.time_zone.data.replace("_", " ")
    users.set_time_zone(person(), form.time_zone.data)
    activity.note(person().id, activity.Kind.TIME_ZONE_CHANGED, place)
    db.session.commit()
    sentence = gettext("Days and times are now those of %(place)s.", place=place)
    if is_htmx():
        html = account_page.render(time_zone_form=form, sentence=sentence)
        return html, 200, {"HX-Trigger": "ledger-changed"}
    flash(sentence)
    return redirect(url_for("auth.account", _anchor="preferences"))
