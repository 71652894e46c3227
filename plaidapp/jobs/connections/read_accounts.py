"""Read an Item's accounts and balances, and store them."""

from plaidapp import policy
from plaidapp.bank import payloads
from plaidapp.bank.error_sentences import PRODUCT_NOT_READY
from plaidapp.bank.errors import BankError
from plaidapp.bank.unread import ACCOUNT
from plaidapp.store import PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import (
    accounts,
    former_accounts,
    items,
    known_accounts,
    reconnected_accounts,
    state_changes,
)
from plaidapp.store.pulls import pulls
from plaidapp.store.reports import derived
from plaidapp.store.transactions import set_aside

from ..pulls import item_requests
from ..pulls.attempt import Attempt


def read_accounts(attempt: Attempt, pull_item: PullItem) -> None:
    """Store the accounts with the balances Plaid has, before a sync. Raises BankError."""
    answer = attempt.bank.accounts(pull_item.item.token)
    _lock(attempt, pull_item)
    _store(attempt, pull_item, answer, phase=pulls.ASKING)


def refresh_balances(attempt: Attempt, pull_item: PullItem) -> None:
    """Store the accounts with balances that Plaid asks the bank for now. Raises BankError.

    If the bank refuses that, the balances that Plaid has are stored instead: it is not a problem
    with the connection. The refusal is remembered for a while, because Plaid bills each call.
    """
    attempt.report_asking(pull_item)
    item, moment = pull_item.item, now()
    refusal, refused_at = item.balances_refusal, item.balances_refused_at
    answer = None
    if refused_at is None or refused_at <= moment - policy.BALANCES_RETRY_INTERVAL:
        try:
            answer = attempt.bank.balances(item.token, moment)
            refusal = refused_at = None
        except BankError as error:
            if not (error.refuses_product or error.code == PRODUCT_NOT_READY):
                raise
            refusal, refused_at = error.code, moment if error.refuses_product else None
    if answer is None:
        answer = attempt.bank.accounts(item.token)
    _lock(attempt, pull_item)
    if refused_at != item.balances_refused_at:
        items.remember_balances_refusal(item.id, refusal if refused_at else None, refused_at)
    _store(attempt, pull_item, answer, phase=pulls.DONE, refusal=refusal)


def _lock(attempt: Attempt, pull_item: PullItem) -> None:
    attempt.lock_ledger(pull_item)
    items.lock_all(attempt.pull.user_id)


def _store(
    attempt: Attempt, pull_item: PullItem, answer: payloads.Accounts, **reported: str | None
) -> None:
    user_id, item_id = attempt.pull.user_id, pull_item.item_id
    if pull_item.item.institution_name is None:
        items.note_connected(user_id, answer.item.institution_name)
    state_changes.answered(item_id, answer.item.institution_id, answer.item.institution_name)
    known = known_accounts.of_item(item_id)
    listed = [sent for sent in answer.accounts if sent.account_id not in known.departed]
    saved = reconnected_accounts.save_accounts(user_id, item_id, listed, known.ids)
    derived.refresh((), saved.reported_days)
    aside = set_aside.keys(item_id)
    set_aside.replace(item_id, ACCOUNT, aside.pop(ACCOUNT, ()), answer.unread)
    _close_missing(item_id, answer)
    if aside and set_aside.is_due(item_id):  # a sync reads them again; the clock rings for it
        item_requests.sync(pull_item.item, pulls.CLOCK)
    if attempt.pull.facts.connects:
        pull_item.accounts_kept = former_accounts.count_reconnected(item_id)
    attempt.report(
        pull_item,
        stored=True,
        accounts=len(listed),
        request_id=answer.request_id,
        **reported,
    )


def _close_missing(item_id: int, answer: payloads.Accounts) -> None:
    """Close accounts that the bank no longer lists, unless another Item lists them.

    If one has no readable id, it may be any of them, so none is closed.
    """
    unread = {row.plaid_id for row in answer.unread if row.plaid_id}
    if all(row.plaid_id for row in answer.unread):
        listed = unread.union(sent.account_id for sent in answer.accounts)
        accounts.close_missing(item_id, listed)
        former_accounts.note_listed(item_id, listed)
        item_requests.standby(item_id)
