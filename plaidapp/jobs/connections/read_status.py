"""Ask Plaid about a connection: when its bank last delivered data, and what is wrong with it.

It costs nothing and needs no answer from the bank. No person waits for it.
"""

from plaidapp import policy
from plaidapp.bank.error_sentences import MEANINGS
from plaidapp.bank.errors import BankError, from_plaid
from plaidapp.bank.link_payloads import ItemAnswer, ProductStatus
from plaidapp.extensions import db
from plaidapp.store import Item, PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import bank_status, item_states, state_changes, sync_progress
from plaidapp.store.pulls import pulls

from ..pulls import item_requests
from ..pulls.attempt import Attempt
from . import item_state, update_mode
from .item_state import ENDS_SOON, IS_DOWN

PENDING = "PENDING_EXPIRATION"


def read_status(attempt: Attempt, pull_item: PullItem) -> None:
    """Raises BankError if the connection has an error that lasts.

    A failure that may pass is none here, and neither is a refusal of the question alone.
    """
    item = pull_item.item
    try:
        answer = attempt.bank.item(item.token)
    except BankError as error:
        if not (error.retryable or error.refuses_product):
            raise
        attempt.report(pull_item, phase=pulls.DONE, refusal=error.code)
        return
    is_down = item.failing_since is not None and _is_down(attempt, item)
    attempt.lock_ledger(pull_item)
    _store(db.session.get_one(Item, item.id, populate_existing=True), answer)
    if is_down:
        sync_progress.failing(item.id, IS_DOWN, MEANINGS[IS_DOWN].sentence)
    attempt.report(pull_item, stored=True, phase=pulls.DONE, request_id=answer.request_id)


def _is_down(attempt: Attempt, item: Item) -> bool:
    """Ask whether the bank works, but no bank more often than once in policy.DOWN_INTERVAL."""
    bank = item.institution_id
    may_ask = bank is not None and bank_status.claim_bank(bank, item.institution_name)
    db.session.commit()  # hold no transaction while Plaid is asked
    if bank is None or not may_ask:
        return False
    try:
        status = attempt.bank.institution_status(bank)
    except BankError:  # it says nothing of the connection
        return False
    bank_status.save_bank(bank, status)
    return status == bank_status.DOWN


def _store(item: Item, answer: ItemAnswer) -> None:
    status = (answer.status and answer.status.transactions) or ProductStatus()
    bank_status.save(item.id, status.last_successful_update, status.last_failed_update)
    if answer.item.error:
        item_state.store(item, from_plaid(answer.item.error, status=400))
    elif item.state in update_mode.ERRORS:  # repaired elsewhere
        update_mode.mend(item)
        item_requests.sync(item, pulls.CLOCK)
    else:
        _store_expiry(item, answer)


def _store_expiry(item: Item, answer: ItemAnswer) -> None:
    """Warn a week before the permission ends, as Plaid does, and stop once it is renewed."""
    until = answer.item.consent_expiration_time
    if until is None or item.error_code not in (None, PENDING):
        return
    bank_status.save_expiry(item.id, until)
    ends_soon = until <= now() + policy.EXPIRY_WARNING
    if ends_soon and item.state == item_states.GOOD:
        state_changes.set_state(item.id, item_states.EXPIRING, PENDING, ENDS_SOON)
    elif item.state == item_states.EXPIRING and not ends_soon:
        state_changes.set_state(item.id, item_states.GOOD, None, None)
