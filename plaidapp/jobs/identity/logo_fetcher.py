"""Fetches logos, in a thread of the clock: it delays no sync, and a worker has more important work.

Several clocks do no harm. While Plaid's hosts can't be reached, only one logo is tried at a time.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

from flask import current_app

from plaidapp import policy
from plaidapp.bank import logo_hosts
from plaidapp.bank.errors import BankError
from plaidapp.bank.link_payloads import Identity
from plaidapp.bank.logo_hosts import LogoError, UnreachableError
from plaidapp.extensions import db
from plaidapp.store import BankLogo, MerchantLogo
from plaidapp.store.identity import logos

from .small_picture import NoPictureError, small_picture

log = logging.getLogger(__name__)


def fetch_due(pool: Any, stop: threading.Event | None = None) -> None:
    """Fetch the logos that are due, those of banks first. Commits after each."""
    _fetch(BankLogo, _of_bank, stop)
    _fetch(MerchantLogo, lambda logo: logo_hosts.fetch(logo.url, pool), stop)


def _fetch(kind: Any, ask: Callable[[Any], bytes | None], stop: threading.Event | None) -> None:
    due = logos.due(kind, policy.LOGOS_BATCH)
    db.session.commit()
    for key in due:
        if stop and stop.is_set():
            return
        logo = logos.claim(kind, key)
        db.session.commit()  # asking takes a while, so no transaction stays open
        if logo is None:
            continue
        try:
            body = ask(logo)
            logos.store(logo, None if body is None else small_picture(body))
        except (LogoError, NoPictureError, BankError) as problem:
            log.debug("A logo can't be had now: %s", problem)
            if isinstance(problem, UnreachableError):
                return
        db.session.commit()


def _of_bank(logo: BankLogo) -> bytes | None:
    """Ask Plaid, and save the color. Raises BankError."""
    bank = current_app.extensions["bank"]
    identity: Identity = bank.institution_identity(logo.institution_id)
    logos.save_color(logo, identity.known_color)
    db.session.commit()
    return identity.picture
