"""Fetching one update, all of its pages, with no transaction open.

The next page is asked for before this one is made into rows, so that the bank works meanwhile.
https://plaid.com/docs/api/products/transactions/#transactionssync
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from flask import current_app

from plaidapp import policy
from plaidapp.bank.client import Bank, decode_page
from plaidapp.bank.errors import MUTATION, NONSENSE, BankError, transport_error
from plaidapp.bank.payloads import Account, SyncPage
from plaidapp.store import PullItem
from plaidapp.store.pulls import pulls
from plaidapp.store.transactions import raw_pages
from plaidapp.store.transactions.ingest import row_of

from ..pulls.attempt import Attempt
from .spool import Page, Spool

PROGRESS_EVERY = 0.25
"""Seconds between two reports of how far it is; each costs a commit."""


class Start(NamedTuple):
    """Where an update begins. `want` is the newest request it will satisfy.

    `came_from` is the cursor that has to stand when the update is stored; it is `cursor` itself
    unless the Item is read afresh.
    """

    token: bytes
    came_from: str
    cursor: str
    want: int

    @property
    def afresh(self) -> bool:
        return self.cursor == ""

    @property
    def first(self) -> bool:
        """No update of the Item was stored before."""
        return self.came_from == ""


class Update(NamedTuple):
    """A whole update. Its rows are in the spool; `accounts` are as the last page has each."""

    accounts: list[Account]
    next_cursor: str
    status: str
    pages: int
    rows: int
    request_id: str


def fetch(attempt: Attempt, part: PullItem, start: Start, spool: Spool) -> Update:
    """Spools every page of the update. Raises BankError."""
    for _ in range(policy.MAX_RESTARTS):
        try:
            return _fetch_pages(attempt, part, start, spool)
        except BankError as error:
            if error.code != MUTATION:
                raise
            spool.clear()
    return _fetch_pages(attempt, part, start, spool)


def _fetch_pages(attempt: Attempt, part: PullItem, start: Start, spool: Spool) -> Update:
    bank: Bank = current_app.extensions["bank"]
    attempt.ask(part)
    accounts: dict[str, Account] = {}
    rows, reported = 0, time.monotonic()
    with ThreadPoolExecutor(1) as ahead:
        asked, cursor = ahead.submit(bank.sync_page, start.token, start.cursor), start.cursor
        while True:
            body = asked.result()
            page = decode_page(body)
            if page.has_more:
                if page.next_cursor == cursor:
                    raise transport_error(NONSENSE)  # would go on for ever
                cursor = page.next_cursor
                asked = ahead.submit(bank.sync_page, start.token, cursor)
            accounts |= {account.account_id: account for account in page.accounts}
            rows += _spool(attempt.pull.user_id, page, body, spool)
            if not page.has_more:
                break
            if time.monotonic() - reported > PROGRESS_EVERY:
                attempt.report(
                    part,
                    phase=pulls.READING,
                    pages=len(spool),
                    rows=rows,
                    request_id=page.request_id,
                )
                reported = time.monotonic()
    return Update(
        list(accounts.values()),
        page.next_cursor,
        page.transactions_update_status,
        len(spool),
        rows,
        page.request_id,
    )


def _spool(user_id: int, page: SyncPage, body: bytes, spool: Spool) -> int:
    """Returns how many transactions the page names."""
    number = len(spool)
    added = [row_of(user_id, sent, number) for sent in page.added]
    modified = [row_of(user_id, sent, number) for sent in page.modified]
    removed = [sent.transaction_id for sent in page.removed]
    kept = raw_pages.compressed(body) if added or modified else b""
    spool.append(Page(added, modified, removed, kept))
    return len(added) + len(modified) + len(removed)
