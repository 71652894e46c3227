"""Exchange the token of a new connection and store its Item."""

from collections.abc import Mapping

from cryptography.fernet import InvalidToken
from flask import current_app

from plaidapp.bank.errors import BankError
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store import Pull, PullItem
from plaidapp.store.connections import items
from plaidapp.store.people import users
from plaidapp.store.pulls import parameters, pulls
from plaidapp.texts import gettext_noop

from ..pulls.attempt import Attempt

EXPIRED = "INVALID_PUBLIC_TOKEN"


def connect(attempt: Attempt) -> None:
    """Add the new Item to the pull, unless an earlier attempt has. Raises BankError.

    The public token is committed before it is exchanged, and the Item before Plaid is asked
    anything else. If a worker dies in between, the next one repeats the exchange: until the public
    token expires, Plaid answers with the same Item.
    """
    pull = attempt.pull
    if pull.items:
        return
    user_id, given = pull.user_id, _parameters(pull)
    try:
        connection = attempt.bank.exchange(
            user_id, given.get("public_token") or _begin(attempt, given)
        )
    except BankError as error:
        if error.code != EXPIRED or "public_token" not in given:
            raise
        connection = attempt.bank.exchange(user_id, _begin(attempt, given))
    item = items.by_plaid_id(connection.plaid_item_id) or items.add(
        user_id=user_id,
        plaid_item_id=connection.plaid_item_id,
        institution_id=pull.institution_id,
        access_token=connection.token.value,
        sync_requested=1,
    )
    pull_item = PullItem(pull_id=pull.id, item=item)
    pull.items.append(pull_item)
    opaque_id = users.opaque_id(user_id)
    item_id = item.id
    attempt.report(pull_item, stored=True, phase=pulls.ASKING)
    event("connect", person=opaque_id, item=item_id)


def _begin(attempt: Attempt, given: Mapping[str, str]) -> str:
    """Return a public token of a new log-in, which is stored for the next attempt."""
    pull = attempt.pull
    public_token = attempt.bank.sandbox_public_token(
        pull.institution_id or "", given.get("username", ""), given.get("password", "")
    )
    cipher = current_app.extensions["cipher"]
    values = {**given, "public_token": public_token}
    pull.sealed = parameters.seal(cipher, pull.user_id, pull.institution_id, values)
    db.session.commit()
    return public_token


def _parameters(pull: Pull) -> dict[str, str]:
    try:
        return parameters.unseal(current_app.extensions["cipher"], pull)
    except InvalidToken:
        message = gettext_noop(
            "What you entered was encrypted with a key that the app no longer has. Start again."
        )
        raise BankError("TOKEN_UNREADABLE", message, retryable=False) from None
