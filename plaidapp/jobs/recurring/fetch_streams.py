"""Read the recurring payments of one Item: subscriptions, bills and income.

A pull of its own, after the sync: whatever goes wrong here, the transactions are stored.
"""

from plaidapp.bank.errors import LOGIN_REQUIRED, BankError
from plaidapp.bank.payloads import Recurring
from plaidapp.store import PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls
from plaidapp.store.recurring import save_streams

from ..pulls.attempt import Attempt


def read_streams(attempt: Attempt, pull_item: PullItem) -> None:
    """Store the bank's answer, unless a later answer is stored. Raises BankError.

    A final refusal, such as of a product that is not enabled, is stored as "nothing recurring": it
    is not a problem with the connection. Retryable errors and an expired log-in are raised.
    """
    attempt.report_asking(pull_item)
    moment, refusal = now(), None
    try:
        answer = attempt.bank.recurring(pull_item.item.access_token)
    except BankError as error:
        if error.retryable or error.code == LOGIN_REQUIRED:
            raise
        refusal = error.code
        answer = Recurring([], [], error.request_id or "")
    users.lock_ledger(attempt.pull.user_id)  # first, as a sync does
    is_newest = sync_progress.streams_read(pull_item.item_id, moment, refusal)
    if is_newest:
        account_ids = accounts.ids_of_item(pull_item.item_id)
        save_streams.save(attempt.pull.user_id, pull_item.item_id, account_ids, answer)
    attempt.report(pull_item, stored=is_newest, phase=pulls.DONE, request_id=answer.request_id)
