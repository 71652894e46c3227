"""Check of the mail server. No mail is sent."""

from flask import current_app
from flask_babel import lazy_gettext

from config import Config
from plaidapp.jobs.mail import mail_server

from .result import Verdict, bad, good, unknown


def server(patience: float) -> Verdict:
    config: Config = current_app.config["PLAIDAPP"]
    if config.mail_url is None or not config.sends_mail:
        return unknown(
            lazy_gettext("MAIL_URL names no mail server, so nobody can reset a password by mail.")
        )
    try:
        mail_server.try_out(config.mail_url, patience)
    except mail_server.NotNowError as problem:
        return bad(
            lazy_gettext("The mail server takes no mail: %(problem)s.", problem=str(problem)),
            lazy_gettext("Look at the host, port, name and password in MAIL_URL."),
        )
    return good(lazy_gettext("This app can log in to the mail server. No mail was sent."))
