"""Exchange the token of a new connection and store its Item."""

from cryptography.fernet import InvalidToken
from flask import current_app

from plaidapp.bank.errors import BankError
from plaidapp.store import PullItem
from plaidapp.store.base import encryption
from plaidapp.store.connections import items
from plaidapp.store.pulls import pulls
from plaidapp.texts import gettext_noop

from ..pulls.attempt import Attempt


def connect(attempt: Attempt) -> None:
    """Add the new Item to the pull, unless an earlier attempt has. Raises BankError.

    Plaid shows an access token only once, so the Item is committed before Plaid is asked anything
    else.
    """
    pull = attempt.pull
    if pull.items:
        return
    given = _unseal(pull.sealed)
    public_token = attempt.bank.sandbox_public_token(
        pull.institution_id or "", given.get("username", ""), given.get("password", "")
    )
    connection = attempt.bank.exchange(public_token)
    item = items.add(
        user_id=pull.user_id,
        plaid_item_id=connection.plaid_item_id,
        institution_id=pull.institution_id,
        access_token=connection.sealed_token,
        sync_requested=1,
    )
    pull_item = PullItem(pull_id=pull.id, item=item)
    pull.items.append(pull_item)
    attempt.report(pull_item, stored=True, phase=pulls.ASKING)


def _unseal(sealed: bytes | None) -> dict[str, str]:
    try:
        return encryption.unseal(current_app.extensions["cipher"], sealed) if sealed else {}
    except InvalidToken:
        message = gettext_noop(
            "What you entered was encrypted with a key that the app no longer has. Start again."
        )
        raise BankError("TOKEN_UNREADABLE", message, retryable=False) from None
