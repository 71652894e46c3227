"""Fetch all pages of one update with no transaction open.

The next page is requested before this one is turned into rows, so that both happen at once.
https://plaid.com/docs/api/products/transactions/#transactionssync
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from plaidapp import policy
from plaidapp.bank.error_sentences import LOOP, MUTATION
from plaidapp.bank.errors import BankError, transport_error
from plaidapp.bank.logo_addresses import logo_of
from plaidapp.bank.payloads import PlaidAccount, SyncPage
from plaidapp.bank.responses import decode_page
from plaidapp.bank.unread import ACCOUNT, Unread
from plaidapp.sealing import Sealed
from plaidapp.store import PullItem
from plaidapp.store.pulls import pulls
from plaidapp.store.transactions import raw_pages
from plaidapp.store.transactions.ingest import row_of

from ..pulls.attempt import Attempt
from .spool import Page, Spool

PROGRESS_EVERY = 0.25
"""Seconds between two progress reports; each costs a commit."""


class RefusedCursorError(Exception):
    """The bank does not continue from the stored cursor: the sync has to start over."""


class Start(NamedTuple):
    """Where an update begins.

    `stored_cursor` must still be the Item's cursor when the update is stored. `cursor` is the same,
    or empty to read the Item from the beginning. `requests` is how many requests to sync had been
    made; the update answers all of them. `takes_over` says that another Item no longer reports
    accounts that this one stands by for, and `knows_logo` that its bank's is not to be fetched.
    """

    token: Sealed
    stored_cursor: str
    cursor: str
    requests: int
    takes_over: bool
    knows_logo: bool

    @property
    def from_beginning(self) -> bool:
        return self.cursor == ""

    @property
    def is_first(self) -> bool:
        """No update of the Item has been stored yet."""
        return self.stored_cursor == ""


class Update(NamedTuple):
    """A whole update. Its rows are in the spool.

    `accounts` has each account's newest version, and `unread_accounts` what can't be read of them.
    `logos` are where those of its merchants are, by their names.
    """

    accounts: list[PlaidAccount]
    unread_accounts: list[Unread]
    next_cursor: str
    status: str
    pages: int
    rows: int
    request_id: str
    logos: dict[str, str]


def fetch(attempt: Attempt, pull_item: PullItem, start: Start, spool: Spool) -> Update:
    """Spool every page of the update. Raises BankError and RefusedCursorError.

    If the bank changes its records between two pages, all pages are thrown away and the update
    starts over, a few times. A bank that still does so, or doesn't know the stored cursor, would
    refuse that cursor forever.
    """
    restarts = 0
    while True:
        try:
            return _fetch_pages(attempt, pull_item, start, spool)
        except BankError as error:
            spool.clear()
            if error.code == MUTATION and restarts < policy.MAX_RESTARTS:
                restarts += 1
            elif error.may_be_of_cursor and not start.from_beginning:
                raise RefusedCursorError from error
            else:
                raise


def _fetch_pages(attempt: Attempt, pull_item: PullItem, start: Start, spool: Spool) -> Update:
    bank = attempt.bank
    attempt.report_asking(pull_item)
    accounts: dict[str, PlaidAccount] = {}
    unread_accounts: dict[str | bytes, Unread] = {}
    logos: dict[str, str] = {}
    rows, reported, cursors = 0, time.monotonic(), {start.cursor}
    with ThreadPoolExecutor(1) as ahead:
        asked = ahead.submit(bank.sync_page, start.token, start.cursor)
        while True:
            body = asked.result()
            page = decode_page(body)
            if page.has_more:
                if page.next_cursor in cursors:
                    raise transport_error(LOOP)
                cursors.add(page.next_cursor)
                asked = ahead.submit(bank.sync_page, start.token, page.next_cursor, patient=True)
            for account in page.accounts:
                accounts[account.account_id] = account
                unread_accounts.pop(account.account_id, None)
            unread_accounts |= {
                row.plaid_id or row.raw: row for row in page.unread if row.kind == ACCOUNT
            }
            rows += _spool(page, body, spool)
            _note_logos(page, logos)
            if not page.has_more:
                break
            if time.monotonic() - reported > PROGRESS_EVERY:
                attempt.report(
                    pull_item,
                    phase=pulls.READING,
                    pages=len(spool),
                    rows=rows,
                    request_id=page.request_id,
                )
                reported = time.monotonic()
    return Update(
        list(accounts.values()),
        list(unread_accounts.values()),
        page.next_cursor,
        page.transactions_update_status,
        len(spool),
        rows,
        page.request_id,
        logos,
    )


def _spool(page: SyncPage, body: bytes, spool: Spool) -> int:
    """Return how many transactions the page names.

    The page is compressed first: that lets other threads run, so that the next page is asked for.
    """
    kept = raw_pages.compressed(body) if page.added or page.modified else b""
    number = len(spool)
    added = [row_of(sent, number) for sent in page.added]
    modified = [row_of(sent, number) for sent in page.modified]
    removed = [sent.transaction_id for sent in page.removed]
    unread = [row for row in page.unread if row.kind != ACCOUNT]
    spool.append(Page(added, modified, removed, kept, unread))
    whole = sum(not row.is_part for row in unread)
    return len(added) + len(modified) + len(removed) + whole


def _note_logos(page: SyncPage, logos: dict[str, str]) -> None:
    """Keep where the logos are, by merchant. A row without one, or with nonsense, is as good."""
    for sent in (*page.added, *page.modified):
        name, url = sent.merchant_name, logo_of(sent)
        if not (name and url) or len(logos) >= policy.NEW_LOGOS:
            continue
        if max(len(name), len(url)) <= policy.LONGEST_OF_LOGO:
            logos[name] = url
