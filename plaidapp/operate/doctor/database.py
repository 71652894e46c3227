"""Checks of the database: its version, and whether the keys open what is in it."""

from flask_babel import lazy_gettext
from sqlalchemy.exc import SQLAlchemyError

from plaidapp import policy, schema
from plaidapp.jobs.connections import rotation

from .result import Verdict, bad, good, unknown

AWAY = lazy_gettext("The database can’t be reached.")
START = lazy_gettext("Start it, and look whether DATABASE_URL is right.")


def migrations(_patience: float) -> Verdict:
    try:
        current = schema.current()
    except SQLAlchemyError:
        return bad(AWAY, START)
    newest = schema.newest()
    if current == newest:
        return good(
            lazy_gettext("The database is at migration %(number)s, the newest.", number=current)
        )
    return bad(
        lazy_gettext(
            "The database is at migration %(current)s, and this version of the app needs"
            " %(newest)s.",
            current=current or lazy_gettext("none"),
            newest=newest,
        ),
        lazy_gettext("Run: flask --app wsgi db upgrade"),
    )


def token_keys(_patience: float) -> Verdict:
    """Do the keys decrypt what is stored? A sample is enough: a lost key is lost for all."""
    tried, unreadable = rotation.sample(policy.SECRETS_TRIED)
    if unreadable:
        return bad(
            lazy_gettext(
                "TOKEN_KEYS does not decrypt %(unreadable)s of the %(tried)s stored secrets that"
                " were tried.",
                unreadable=unreadable,
                tried=tried,
            ),
            lazy_gettext(
                "Put the missing key back, after the first one. If it is lost, each person presses"
                " Log in again at each bank: the accounts are recognized and keep every row."
            ),
        )
    if not tried:
        return unknown(lazy_gettext("Nothing is encrypted yet."))
    return good(
        lazy_gettext("TOKEN_KEYS decrypts every secret that was tried (%(tried)s).", tried=tried)
    )
