"""What the person prefers: where their days begin, and which currency comes first."""

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext
from flask_login import login_required
from werkzeug import Response

from plaidapp.extensions import db
from plaidapp.formats import currency_name
from plaidapp.htmx import is_htmx
from plaidapp.store.people import activity, preferences

from . import account_page
from .access import person
from .main_currency_form import MainCurrencyForm
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
    preferences.set_time_zone(person(), form.time_zone.data)
    activity.note(person().id, activity.Kind.TIME_ZONE_CHANGED, place)
    return _changed(gettext("Days and times are now those of %(place)s.", place=place))


@blueprint.post("/finance/main-currency")
@login_required
def change_main_currency() -> Answer:
    """From then on, the overview begins with it."""
    form = MainCurrencyForm(request.form)
    if not form.validate():
        return account_page.render(main_currency_form=form), 422
    preferences.set_main_currency(person(), form.main_currency.data or None)
    if form.main_currency.data:
        chosen = currency_name(form.main_currency.data)
        return _changed(gettext("The overview now begins with %(currency)s.", currency=chosen))
    return _changed(gettext("The overview now begins with the currency of the most accounts."))


def _changed(sentence: str) -> Answer:
    db.session.commit()
    if is_htmx():
        return account_page.render(sentence=sentence), 200, {"HX-Trigger": "ledger-changed"}
    flash(sentence)
    return redirect(url_for("auth.account", _anchor="preferences"))
