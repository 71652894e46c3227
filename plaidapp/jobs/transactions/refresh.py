"""Have Plaid look for new transactions at a bank. A later sync stores them."""

from datetime import timedelta

from plaidapp import policy
from plaidapp.bank.error_sentences import TIMEOUT
from plaidapp.bank.errors import BankError
from plaidapp.extensions import db
from plaidapp.store import PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import refreshes
from plaidapp.store.pulls import pulls

from ..pulls import item_requests
from ..pulls.attempt import Attempt


def refresh(attempt: Attempt, pull_item: PullItem) -> None:
    """Ask, and have the Item synced some seconds later. Raises BankError.

    Plaid also sends a webhook if there is something new, which makes the sync come sooner. A bank
    that takes too long counts as asked: Plaid goes on, and would bill a second request too. A
    final refusal of the product is remembered; it is not a problem with the connection.
    """
    attempt.report_asking(pull_item)
    refusal, request_id = None, None
    try:
        request_id = attempt.bank.refresh(pull_item.item.token).request_id
    except BankError as error:
        if error.wait:
            refreshes.postpone(pull_item.item_id, now() + timedelta(seconds=error.wait))
            db.session.commit()  # the caller rolls back
        if error.refuses_product:
            refusal, request_id = error.code, error.request_id
        elif error.code != TIMEOUT:
            raise
    refreshes.asked(pull_item.item_id, refusal)
    if not refusal:
        item_requests.sync_later(pull_item.item, now() + policy.REFRESH_SYNC_DELAY)
    attempt.report(pull_item, stored=True, phase=pulls.DONE, refusal=refusal, request_id=request_id)
