"""Bring one Item's transactions up to date: fetch a whole update, then store it at once.

A cursor never passes data that is not stored. All pages are fetched with no transaction open; then
one transaction writes the rows and moves the cursor, if it is still where the update began.
https://plaid.com/docs/api/products/transactions/#transactionssync
"""

from sqlalchemy import bindparam, select

from plaidapp import sealing
from plaidapp.bank.errors import NOT_OFFERED, BankError
from plaidapp.extensions import db
from plaidapp.sealing import Sealed
from plaidapp.store import Item, PullItem
from plaidapp.store.connections import accounts, standby, sync_progress
from plaidapp.store.connections.sync_progress import Advance
from plaidapp.store.identity import logos
from plaidapp.store.pulls import pulls

from ..connections.read_accounts import read_accounts
from ..pulls.attempt import Attempt
from .fetch import Start, fetch
from .spool import Spool
from .store_update import store_update


def first_sync(attempt: Attempt, pull_item: PullItem) -> None:
    """Read the accounts and transactions of a new Item. Raises BankError."""
    if not pull_item.accounts:  # an earlier attempt may have read them
        read_accounts(attempt, pull_item)
    _sync(attempt, pull_item)


def sync(attempt: Attempt, pull_item: PullItem) -> None:
    """Read what has changed since the last sync. Raises BankError and RefusedCursorError.

    If the first sync failed before it stored the accounts, they are read first: a transaction needs
    its account, which may be one of an earlier connection.
    """
    pull_item.started_over = False  # an earlier attempt may have
    if pull_item.item.synced_at is None:
        known = accounts.ids_of_item(pull_item.item_id)
        db.session.commit()  # hold no transaction while the bank is asked
        if not known:
            read_accounts(attempt, pull_item)
    _sync(attempt, pull_item)


def resume(attempt: Attempt, pull_item: PullItem) -> None:
    """Read the accounts, which may be others now, and what has changed, after the person has
    logged in again. Raises BankError.
    """
    read_accounts(attempt, pull_item)
    _sync(attempt, pull_item)


def _take_over(attempt: Attempt, pull_item: PullItem) -> None:
    attempt.lock_ledger(pull_item)
    standby.take_over(pull_item.item_id)
    attempt.report(pull_item, stored=True)
    read_accounts(attempt, pull_item)


def resync(attempt: Attempt, pull_item: PullItem) -> None:
    """Read the accounts, and all transactions from the beginning. Raises BankError.

    Rows that differ from the bank's are corrected; what the person edited stays.
    """
    read_accounts(attempt, pull_item)
    _sync(attempt, pull_item, from_beginning=True)


def start_over(attempt: Attempt, pull_item: PullItem) -> None:
    """Read all transactions from the beginning: the bank refused the cursor. Raises BankError.

    What the person edited stays. The sync history says that this happened.
    """
    pull_item.started_over = True
    _sync(attempt, pull_item, from_beginning=True)


def _sync(attempt: Attempt, pull_item: PullItem, *, from_beginning: bool = False) -> None:
    """Repeat until an update is stored and every request made so far is applied.

    Accounts that another connection no longer reports are taken over first. After a reading
    `from_beginning` is stored, the next round continues from its cursor.
    """
    outcome = Advance.LOST
    while outcome is not Advance.APPLIED:
        start = where_to_start(pull_item.item_id, from_beginning=from_beginning)
        if start.takes_over:
            _take_over(attempt, pull_item)
            continue
        with Spool() as spool:
            try:
                update = fetch(attempt, pull_item, start, spool)
            except BankError as error:
                if error.code not in NOT_OFFERED:
                    raise
                _store_refusal(attempt, pull_item, start, error)
                return
            if update.pages > 1:  # a single page is stored before a panel could say so
                attempt.report(pull_item, phase=pulls.STORING, pages=update.pages, rows=update.rows)
            outcome = store_update(attempt, pull_item, start, spool, update)
        if update.logos or not start.knows_logo:  # no person waits for it: the rows are stored
            logos.want(pull_item.item.institution_id, update.logos)
            db.session.commit()
        from_beginning = from_beginning and outcome is Advance.LOST


def _store_refusal(attempt: Attempt, pull_item: PullItem, start: Start, error: BankError) -> None:
    """The bank offers no transactions: there is nothing to sync, and nothing is wrong."""
    sync_progress.refused(pull_item.item_id, start.requests, error.code)
    attempt.report(
        pull_item,
        stored=True,
        phase=attempt.after_sync,
        refusal=error.code,
        request_id=error.request_id,
    )


_START = select(
    *(Item.user_id, Item.plaid_item_id, Item.access_token, Item.cursor, Item.sync_requested),
    *(standby.IS_NEEDED, Item.logo.has() | Item.institution_id.is_(None)),
).where(Item.id == bindparam("item_id"))


def where_to_start(item_id: int, *, from_beginning: bool = False) -> Start:
    """Read before the bank is asked: a request made during the update is for the next one.

    Does not commit. The caller does, so that no transaction is open while the bank is asked.
    """
    found = db.session.execute(_START, {"item_id": item_id}).one()
    user_id, plaid_item_id, access_token, cursor, requests, takes_over, knows_logo = found
    token = Sealed(sealing.access_token(user_id, plaid_item_id), access_token)
    reads_from = "" if from_beginning else cursor
    return Start(token, cursor, reads_from, requests, takes_over, knows_logo)
