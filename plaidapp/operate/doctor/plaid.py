"""Checks of Plaid: keys, environment, products, and the time."""

from flask import current_app
from flask_babel import lazy_gettext

from config import Config
from plaidapp import policy
from plaidapp.bank.client import Bank
from plaidapp.bank.error_sentences import UNREADABLE_TOKEN
from plaidapp.bank.errors import BankError
from plaidapp.extensions import db
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, overview

from .result import Verdict, bad, good, unknown

INVALID_KEYS = "INVALID_API_KEYS"
NOT_ENABLED = "INVALID_PRODUCT"
ITEMS_ASKED = 100
"""How many of the newest Items tell which products Plaid refuses."""
NOBODY = 0
DOCTOR = "doctor"
"""The id by which Plaid knows who asks for a link that nobody opens."""


def bank() -> Bank:
    bank: Bank = current_app.extensions["bank"]
    return bank


def config() -> Config:
    config: Config = current_app.config["PLAIDAPP"]
    return config


def refused(error: BankError) -> Verdict:
    """Plaid says no, or nothing. Other checks say what is wrong with keys."""
    if error.code == INVALID_KEYS:
        return unknown(lazy_gettext("Plaid has to accept the keys first."))
    if error.code == UNREADABLE_TOKEN:
        return unknown(lazy_gettext("The token of the newest connection can’t be decrypted."))
    if error.retryable:
        fix = lazy_gettext(
            "Look whether this machine can reach Plaid, and at https://status.plaid.com."
        )
    else:
        fix = lazy_gettext("Look the code up at https://plaid.com/docs/errors/.")
    return bad(f"{error.message} ({error.code})", fix)


def keys(patience: float) -> Verdict:
    environment = config().plaid_env
    try:
        bank().plaids_time(config().plaid_country_codes[0], patience)
    except BankError as error:
        if error.code != INVALID_KEYS:
            return refused(error)
        return bad(
            lazy_gettext(
                "Plaid does not accept PLAID_CLIENT_ID and PLAID_SECRET_KEY for %(environment)s.",
                environment=environment,
            ),
            lazy_gettext(
                "Copy both from Plaid’s dashboard. Each environment has a secret of its own:"
                " PLAID_ENV is %(environment)s.",
                environment=environment,
            ),
        )
    return good(
        lazy_gettext("Plaid accepts the keys for %(environment)s.", environment=environment)
    )


def environment(_patience: float) -> Verdict:
    """Are the stored connections of the environment that the keys are for?"""
    item = overview.newest((item_states.GOOD, *item_states.NEEDING_CARE))
    db.session.remove()
    if item is None:
        return unknown(lazy_gettext("There is no connection yet."))
    try:
        found = bank().environment_of(item.token)
    except BankError as error:
        return refused(error)
    wanted = config().plaid_env
    if found and found != wanted:
        return bad(
            lazy_gettext(
                "PLAID_ENV is %(wanted)s, but the newest connection, Item %(id)s, is of %(found)s.",
                wanted=wanted,
                id=item.id,
                found=found,
            ),
            lazy_gettext(
                "Set PLAID_ENV to %(found)s, or use another database for %(wanted)s.",
                found=found,
                wanted=wanted,
            ),
        )
    return good(
        lazy_gettext("The stored connections belong to %(environment)s too.", environment=wanted)
    )


def products(patience: float) -> Verdict:
    """Would Plaid make a link to connect a bank with? This one is never opened."""
    public = config().public_url or "http://localhost"
    missing = overview.refused_products(NOT_ENABLED, ITEMS_ASKED)
    db.session.rollback()
    try:
        bank().create_link(NOBODY, DOCTOR, f"{public}/finance/connections/0", deadline=patience)
    except BankError as error:
        if error.code != NOT_ENABLED:
            return refused(error)
        return bad(
            lazy_gettext("The product Transactions is not enabled at Plaid."),
            lazy_gettext("Request it in Plaid’s dashboard, under Products."),
        )
    if missing:
        return good(
            lazy_gettext(
                "Transactions is enabled. This app does without what is not: %(products)s.",
                products=", ".join(missing),
            )
        )
    return good(
        lazy_gettext("Plaid makes links to connect banks with, for the product Transactions.")
    )


def time(patience: float) -> Verdict:
    """Is this machine's clock right? Plaid's is."""
    try:
        theirs = bank().plaids_time(config().plaid_country_codes[0], patience)
    except BankError:
        return unknown(lazy_gettext("Plaid did not say what time it is."))
    if theirs is None:
        return unknown(lazy_gettext("Plaid did not say what time it is."))
    seconds = round(abs((now() - theirs).total_seconds()))
    if seconds > policy.CLOCK_SKEW.total_seconds():
        return bad(
            lazy_gettext(
                "This machine’s time differs from Plaid’s by %(seconds)s seconds.", seconds=seconds
            ),
            lazy_gettext(
                "Have the machine synchronize its time, for example with systemd-timesyncd."
            ),
        )
    return good(lazy_gettext("This machine’s time is right."))
