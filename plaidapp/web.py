"""Everything that answers browsers: pages, actions, errors, static files. Workers don't load it."""

from flask import Flask
from sqlalchemy.orm import configure_mappers

from . import (
    assets,
    auth,
    body_limits,
    cli,
    days,
    error_pages,
    finance,
    formats,
    forms,
    health,
    hosts,
    languages,
    metrics_page,
    operate,
    origins,
    request_ids,
    request_times,
    schema,
    security,
    sentences,
    sessions,
    styleguide,
    theme,
    webhooks,
)
from .auth import mails, passwords
from .csrf import csrf
from .extensions import login, signing_keys
from .store.people import time_zones


def init_app(app: Flask) -> None:
    app.config.update(
        WTF_CSRF_SECRET_KEY=signing_keys(app),
        WTF_CSRF_TIME_LIMIT=None,  # valid as long as the session: a page may stay open overnight
        WTF_CSRF_SSL_STRICT=False,  # it wants a Referer, which some browsers leave out; see origins
    )
    app.request_class = forms.FormRequest
    _configure_login()
    login.init_app(app)
    request_times.init_app(app)
    request_ids.init_app(app)  # first, so that whatever follows can be found in the log
    hosts.init_app(app)  # what it refuses, nothing else may see
    origins.init_app(app)
    body_limits.init_app(app)
    csrf.init_app(app)
    parts = (
        assets,
        sessions,
        languages,
        theme,
        auth,
        finance,
        webhooks,
        operate,
        styleguide,
        health,
        metrics_page,
        error_pages,
        security,
        formats,
        days,
        sentences,
        schema,
        cli,
    )
    for part in parts:
        part.init_app(app)


def warm_up(app: Flask) -> None:
    """Do the work that first pages would wait for, before gunicorn forks its processes.

    Most of it is compiling the templates, which takes half a second to a second.
    """
    hosts.warn_if_any_is_accepted(app.config["PLAIDAPP"])
    mails.warn_if_no_site(app.config["PLAIDAPP"])
    configure_mappers()
    passwords.warm_up()
    time_zones.names()
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)


def _configure_login() -> None:
    login.login_view = "auth.login"
    login.login_message = None
