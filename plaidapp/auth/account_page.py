"""The page *Your account*. Each section has a partial in templates/auth/account/."""

from flask import render_template
from flask_login import login_required

from plaidapp.htmx import is_htmx
from plaidapp.store.base.types import now

from . import activity_page, devices, email_address, mails, your_data
from .access import person
from .blueprint import blueprint
from .main_currency_form import MainCurrencyForm
from .second_factor import factors_page
from .time_zone_form import TimeZoneForm

CONTEXTS = (
    devices.context,
    email_address.context,
    factors_page.context,
    activity_page.context,
    mails.context,
    your_data.context,
)
"""What the partials show: each function returns names and values for its own ones."""


@blueprint.get("/account")
@login_required
def account() -> str:
    """The page; for HTMX only the list of devices."""
    if is_htmx():
        return render_template("auth/account/_devices.html", is_reloaded=True, **devices.context())
    return render()


def render(
    time_zone_form: TimeZoneForm | None = None,
    main_currency_form: MainCurrencyForm | None = None,
    sentence: str | None = None,
) -> str:
    """Return the page; for HTMX all its sections. `sentence` says what has changed."""
    shown = {name: value for context in CONTEXTS for name, value in context().items()}
    return render_template(
        f"auth/account/{'_sections' if is_htmx() else 'account'}.html",
        time_zone_form=time_zone_form or TimeZoneForm(time_zone=person().time_zone),
        main_currency_form=main_currency_form
        or MainCurrencyForm(main_currency=person().main_currency),
        time_there=now(),
        sentence=sentence,
        **shown,
    )
