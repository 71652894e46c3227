"""Reading what recurs at one Item: subscriptions, bills and pay.

A pull of its own, after the sync's: whatever goes wrong here, the transactions are stored.
"""

from flask import current_app

from plaidapp.bank.client import Bank
from plaidapp.bank.errors import LOGIN_REQUIRED, BankError
from plaidapp.bank.payloads import Recurring
from plaidapp.store import PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls
from plaidapp.store.recurring import save_streams

from ..pulls.attempt import Attempt


def read_streams(attempt: Attempt, part: PullItem) -> None:
    """Stores the bank's answer unless a later one is there. Raises BankError for what may pass.

    A refusal for good, such as of a product that is not enabled, means that nothing recurs as far
    as anybody can tell; it is no trouble of the Item's. An ended log-in is, and is raised too.
    """
    attempt.ask(part)
    bank: Bank = current_app.extensions["bank"]
    moment, refusal = now(), None
    try:
        answer = bank.recurring(part.item.access_token)
    except BankError as error:
        if error.retryable or error.code == LOGIN_REQUIRED:
            raise
        refusal = error.code
        answer = Recurring([], [], error.request_id or "")
    users.lock_ledger(attempt.pull.user_id)  # first, as a sync does
    fresh = sync_progress.streams_read(part.item_id, moment, refusal)
    if fresh:
        account_ids = accounts.ids_of_item(part.item_id)
        save_streams.save(attempt.pull.user_id, part.item_id, account_ids, answer)
    attempt.report(part, stored=fresh, phase=pulls.DONE, request_id=answer.request_id)
