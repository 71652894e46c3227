"""Compare what is stored with the bank, row by row, without the endpoint that syncs use.

/transactions/get and /accounts/get list what the bank has now. They know nothing of cursors, so a
bug in the sync can't hide itself.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from flask import current_app

from plaidapp.bank import payloads
from plaidapp.bank.client import Bank
from plaidapp.bank.link_calls import DAYS_REQUESTED
from plaidapp.bank.unread import ACCOUNT, TRANSACTION
from plaidapp.extensions import db
from plaidapp.store import Account, Item, Transaction
from plaidapp.store.base.currency import currency_of
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, former_accounts
from plaidapp.store.reports import balance_history
from plaidapp.store.transactions import monthly_refresh, reader, set_aside, transfers
from plaidapp.store.transactions.filters import Filter

FUTURE = timedelta(days=31)
"""Pending rows may be dated in the future."""
ASIDE: Mapping[str, Any] = {"is": "set aside"}
"""Stands for a row that is set aside, and at the bank for one that can't be stored."""


class Difference(NamedTuple):
    """`stored` or `bank` is None where the row is missing on that side."""

    kind: str
    plaid_id: str
    stored: Mapping[str, Any] | None
    bank: Mapping[str, Any] | None

    def __str__(self) -> str:
        if self.stored is None:
            return f"{self.kind} {self.plaid_id}: not stored"
        if self.bank is None:
            return f"{self.kind} {self.plaid_id}: not at the bank"
        if self.bank is ASIDE:
            return f"{self.kind} {self.plaid_id}: can't be read, and is not set aside"
        if self.stored is ASIDE:
            return f"{self.kind} {self.plaid_id}: set aside, but can be read"
        fields = [
            f"{name} is {self.stored[name]!s}, at the bank {value!s}"
            for name, value in self.bank.items()
            if self.stored[name] != value
        ]
        return f"{self.kind} {self.plaid_id}: {'; '.join(fields)}"


class Drift(NamedTuple):
    """Derived data of an account that does not fit its transactions; `derived` names it."""

    plaid_id: str
    derived: str

    def __str__(self) -> str:
        return f"account {self.plaid_id}: {self.derived} don't match its transactions"


def find(item: Item) -> Sequence[Difference | Drift]:
    """Return the differences from the bank or, if there are none, wrong derived data."""
    return compare(item) or drifted(item)


def drifted(item: Item) -> list[Drift]:
    """Return accounts whose daily balances, monthly totals or transfers don't fit their
    transactions."""
    plaid_ids = {row.id: row.plaid_account_id for row in accounts.of_item(item.id)}
    balances = sorted(balance_history.wrong(plaid_ids))
    months = sorted(monthly_refresh.wrong(plaid_ids))
    transferred = sorted({account for account, _ in transfers.wrong(item.user_id)} & set(plaid_ids))
    db.session.commit()
    return [
        *(Drift(plaid_ids[account], "its daily balances") for account in balances),
        *(Drift(plaid_ids[account], f"its totals of {month:%Y-%m}") for account, month in months),
        *(Drift(plaid_ids[account], "its matched transfers") for account in transferred),
    ]


def compare(item: Item) -> list[Difference]:
    """Return what differs, accounts first. Rows older than Plaid's two years can't be compared.

    A row that can't be stored is no difference if it is set aside. The bank is read first and
    completely, with no transaction open. Raises BankError.
    """
    bank: Bank = current_app.extensions["bank"]
    start, end = now().date() - timedelta(days=DAYS_REQUESTED), now().date() + FUTURE
    listed = bank.accounts(item.token)
    pages = list(_pages(bank, item, start, end))
    departed = former_accounts.departed_ids(item.id)  # another Item reports these accounts
    known = accounts.of_item(item.id)
    known_ids = {row.plaid_account_id for row in known}
    aside = set_aside.keys(item.id)
    stored = [
        row
        for row in reader.all_of(Filter(item.user_id, start, end, item.id, hidden="any"))
        if row.account.item_id == item.id
    ]
    differences = [
        *_differences(
            "account",
            {row.plaid_account_id: _stored_account(row) for row in known if not row.closed_at},
            _unread([listed])
            | {
                sent.account_id: _bank_account(sent)
                for sent in listed.accounts
                if sent.account_id not in departed
            },
            aside[ACCOUNT].difference(sent.account_id for sent in listed.accounts),
        ),
        *_differences(
            "transaction",
            {row.plaid_transaction_id: _stored_transaction(row) for row in stored},
            _unread(pages)
            | {
                sent.transaction_id: _bank_transaction(sent, known_ids)
                for page in pages
                for sent in page.transactions
                if sent.account_id not in departed
            },
            aside[TRANSACTION].difference(_partly_read(pages)),
        ),
    ]
    db.session.commit()
    return differences


def _pages(bank: Bank, item: Item, start: date, end: date) -> Iterator[payloads.TransactionsPage]:
    offset = 0
    while True:
        page = bank.transactions_page(item.token, start, end, offset)
        yield page
        rows = len(page.transactions) + sum(not row.is_part for row in page.unread)
        offset += rows
        if not rows or offset >= page.total_transactions:
            return


def _unread(
    answers: Iterable[payloads.Accounts | payloads.TransactionsPage],
) -> dict[str, Mapping[str, Any]]:
    rows = (row for answer in answers for row in answer.unread)
    return {row.plaid_id: ASIDE for row in rows if row.plaid_id}


def _partly_read(pages: Iterable[payloads.TransactionsPage]) -> Iterator[str | None]:
    """Yield the ids of rows of which a part is set aside, while the rest has to be stored."""
    return (row.plaid_id for page in pages for row in page.unread if row.is_part)


def _differences(
    kind: str,
    stored: dict[str, Mapping[str, Any]],
    bank: Mapping[str, Mapping[str, Any]],
    aside: Collection[str],
) -> Iterator[Difference]:
    """`aside` has the ids of rows that are set aside, of which an older form may be stored.

    One that the bank does not have in the time that is compared may have an unreadable date.
    """
    for plaid_id in aside:
        if plaid_id in bank:
            stored[plaid_id] = ASIDE
        else:
            stored.pop(plaid_id, None)
    for plaid_id in sorted(stored.keys() | bank.keys()):
        ours, theirs = stored.get(plaid_id), bank.get(plaid_id)
        if ours != theirs:
            yield Difference(kind, plaid_id, ours, theirs)


def _stored_account(row: Account) -> dict[str, Any]:
    return {"name": row.name, "mask": row.mask, "type": row.type, "current": row.current}


def _bank_account(sent: payloads.PlaidAccount) -> dict[str, Any]:
    current = sent.balances.current
    return {"name": sent.name, "mask": sent.mask, "type": sent.type, "current": current}


def _stored_transaction(row: Transaction) -> dict[str, Any]:
    return {
        "account": row.account.plaid_account_id,
        "amount": row.amount,
        "currency": row.currency,
        "date": row.date,
        "name": row.name,
        "pending": row.pending,
        "pending_transaction_id": row.pending_transaction_id,
    }


def _bank_transaction(
    sent: payloads.PlaidTransaction, known_accounts: Container[str]
) -> Mapping[str, Any]:
    if sent.account_id not in known_accounts:
        return ASIDE
    return {
        "account": sent.account_id,
        "amount": sent.amount,
        "currency": currency_of(sent),
        "date": sent.date,
        "name": sent.title,
        "pending": sent.pending,
        "pending_transaction_id": sent.pending_transaction_id,
    }
