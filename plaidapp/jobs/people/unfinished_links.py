"""Connections that a leaving person has made at Plaid and that are not stored here yet.

Only an access token can end an Item at Plaid. So each is exchanged, and then ended like the others.
https://plaid.com/docs/api/items/#itemremove
"""

from collections.abc import Callable
from typing import TypeVar

from cryptography.fernet import InvalidToken
from flask import current_app

from plaidapp import policy
from plaidapp.bank.client import Bank
from plaidapp.bank.errors import BankError
from plaidapp.bank.link_calls import Connection
from plaidapp.extensions import db
from plaidapp.store import LinkSession, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import items, leaving, link_results, link_sessions
from plaidapp.store.pulls import leaving as leaving_pulls
from plaidapp.store.pulls import parameters

from ..connections import link_looks

T = TypeVar("T")


def exchange_all(bank: Bank, user_id: int) -> list[BankError]:
    """Store what can be exchanged, and destroy all tokens of links. Commits.

    Return the errors that may pass. What they are about is kept for the next attempt.
    """
    problems = []
    for session in leaving.sessions_of(user_id):
        try:
            _exchange_results(bank, session)
        except BankError as error:
            problems.append(error)
    for pull in leaving_pulls.unfinished_links(user_id):
        try:
            _exchange_test_bank(bank, pull)
        except BankError as error:
            problems.append(error)
    return problems


def _exchange_results(bank: Bank, session: LinkSession) -> None:
    """Raises BankError."""
    user_id = session.user_id
    if session.sealed_token is not None:
        is_over = session.expires_at and session.expires_at + policy.LINK_KEPT < now()
        _try(lambda: link_looks.look(bank, session), may_pass=not is_over)
        link_sessions.forget(session.id)
        db.session.commit()
    for result in link_results.of_session(session.id):
        if result.may_be_exchanged:
            sealed = result.token_of(user_id)
            db.session.commit()  # hold no transaction while Plaid is asked
            made = _try(lambda: bank.exchange_sealed(user_id, sealed), may_pass=True)  # noqa: B023
            _store(user_id, made)
        link_results.change(result.id, sealed_token=None)
        db.session.commit()
    leaving.forget_session(session.id)
    db.session.commit()


def _exchange_test_bank(bank: Bank, pull: Pull) -> None:
    """Raises BankError."""
    user_id, until = pull.user_id, pull.created_at + policy.PUBLIC_TOKEN_LIFE
    try:
        token = parameters.unseal(current_app.extensions["cipher"], pull).get("public_token")
    except InvalidToken:
        token = None
    db.session.commit()
    if token:
        _store(user_id, _try(lambda: bank.exchange(user_id, token), may_pass=now() < until))
    pull.sealed = None
    db.session.commit()


def _try(call: Callable[[], T], *, may_pass: bool) -> T | None:
    """Return None if the call failed, and would fail again. Raises BankError if it may not."""
    try:
        return call()
    except BankError as error:
        if error.retryable and may_pass:
            raise
        return None


def _store(user_id: int, made: Connection | None) -> None:
    if made and items.by_plaid_id(made.plaid_item_id) is None:
        items.add(user_id=user_id, plaid_item_id=made.plaid_item_id, access_token=made.token.value)
