"""Read the recurring payments of one Item: subscriptions, bills and income.

A pull of its own, after the sync: whatever goes wrong here, the transactions are stored.
"""

from plaidapp.bank.errors import BankError
from plaidapp.bank.payloads import Recurring
from plaidapp.store import PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, stream_times
from plaidapp.store.pulls import pulls
from plaidapp.store.recurring import save_streams

from ..pulls.attempt import Attempt


def read_streams(attempt: Attempt, pull_item: PullItem) -> None:
    """Store the bank's answer, unless a later answer is stored. Raises BankError.

    A final refusal, such as of a product that is not enabled, is stored as "nothing recurring": it
    is not a problem with the connection. Errors that may pass are raised, and those of the
    connection as a whole, such as an expired log-in.
    """
    attempt.report_asking(pull_item)
    moment, refusal = now(), None
    try:
        answer = attempt.bank.recurring(pull_item.item.token)
    except BankError as error:
        if not error.refuses_product:
            raise
        refusal = error.code
        answer = Recurring([], [], error.request_id or "")
    attempt.lock_ledger(pull_item)  # first, as a sync does
    is_newest = stream_times.read(pull_item.item_id, moment, refusal)
    if is_newest:
        account_ids = accounts.ids_of_item(pull_item.item_id)
        save_streams.save(attempt.pull.user_id, pull_item.item_id, account_ids, answer)
    attempt.report(
        pull_item,
        stored=is_newest,
        phase=pulls.DONE,
        refusal=refusal,
        request_id=answer.request_id,
    )
