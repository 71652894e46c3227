"""Sign-up, log-in, log-out and the account. `access` tells other packages who is logged in."""

from flask import Flask

from . import (
    account_page,
    activity_page,
    bank_mail_pages,
    calendar_address,
    confirm_page,
    current_session,
    deletion,
    devices,
    download,
    email_address,
    mails,
    name_change,
    password_change,
    preferences,
    reset,
    routes,
)
from .blueprint import blueprint
from .passkeys import challenges, log_in_pages, pages
from .second_factor import (
    authenticator_pages,
    factors_page,
    log_in_step,
    recovery_pages,
    requirement,
)

__all__ = [
    "account_page",
    "activity_page",
    "authenticator_pages",
    "bank_mail_pages",
    "calendar_address",
    "confirm_page",
    "deletion",
    "devices",
    "download",
    "email_address",
    "factors_page",
    "init_app",
    "log_in_pages",
    "log_in_step",
    "name_change",
    "pages",
    "password_change",
    "recovery_pages",
    "reset",
    "routes",
]  # importing them registers their routes


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.register_blueprint(preferences.blueprint)
    app.add_template_global(mails.can_send_links)
    current_session.init_app(app)
    requirement.init_app(app)
    app.add_template_global(challenges.host, "passkey_host")
