"""Compare what is stored with the bank, row by row, without the endpoint that syncs use.

/transactions/get and /accounts/get list what the bank has now. They know nothing of cursors, so a
bug in the sync can't hide itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from flask import current_app

from plaidapp.bank import payloads
from plaidapp.bank.client import DAYS_REQUESTED, Bank
from plaidapp.extensions import db
from plaidapp.store import Account, Item, Transaction
from plaidapp.store.base.currency import currency_of
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, reconnected_accounts
from plaidapp.store.reports import balance_history
from plaidapp.store.transactions import monthly_refresh, reader
from plaidapp.store.transactions.filters import Filter

FUTURE = timedelta(days=31)
"""Pending rows may be dated in the future."""


class Difference(NamedTuple):
    """`stored` or `bank` is None where the row is missing on that side."""

    kind: str
    plaid_id: str
    stored: dict[str, Any] | None
    bank: dict[str, Any] | None

    def __str__(self) -> str:
        if self.stored is None:
            return f"{self.kind} {self.plaid_id}: not stored"
        if self.bank is None:
            return f"{self.kind} {self.plaid_id}: not at the bank"
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
    """Return accounts whose daily balances or monthly totals don't fit their transactions."""
    plaid_ids = {row.id: row.plaid_account_id for row in accounts.of_item(item.id)}
    balances = sorted(balance_history.wrong(plaid_ids))
    months = sorted(monthly_refresh.wrong(plaid_ids))
    db.session.commit()
    return [
        *(Drift(plaid_ids[account], "its daily balances") for account in balances),
        *(Drift(plaid_ids[account], f"its totals of {month:%Y-%m}") for account, month in months),
    ]


def compare(item: Item) -> list[Difference]:
    """Return what differs, accounts first. Rows older than Plaid's two years can't be compared.

    The bank is read first and completely, with no transaction open. Raises BankError.
    """
    bank: Bank = current_app.extensions["bank"]
    start, end = now().date() - timedelta(days=DAYS_REQUESTED), now().date() + FUTURE
    listed = bank.accounts(item.access_token).accounts
    at_bank = list(_transactions_of(bank, item, start, end))
    departed = reconnected_accounts.departed_ids(item.id)  # another Item reports these accounts
    open_accounts = [row for row in accounts.of_item(item.id) if row.closed_at is None]
    stored = [
        row
        for row in reader.all_of(Filter(item.user_id, start, end, item.id, hidden="any"))
        if row.account.item_id == item.id
    ]
    differences = [
        *_differences(
            "account",
            {row.plaid_account_id: _stored_account(row) for row in open_accounts},
            {
                sent.account_id: _bank_account(sent)
                for sent in listed
                if sent.account_id not in departed
            },
        ),
        *_differences(
            "transaction",
            {row.plaid_transaction_id: _stored_transaction(row) for row in stored},
            {
                sent.transaction_id: _bank_transaction(sent)
                for sent in at_bank
                if sent.account_id not in departed
            },
        ),
    ]
    db.session.commit()
    return differences


def _transactions_of(
    bank: Bank, item: Item, start: date, end: date
) -> Iterator[payloads.PlaidTransaction]:
    offset = 0
    while True:
        page = bank.transactions_page(item.access_token, start, end, offset)
        yield from page.transactions
        offset += len(page.transactions)
        if not page.transactions or offset >= page.total_transactions:
            return


def _differences(
    kind: str, stored: Mapping[str, dict[str, Any]], bank: Mapping[str, dict[str, Any]]
) -> Iterator[Difference]:
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


def _bank_transaction(sent: payloads.PlaidTransaction) -> dict[str, Any]:
    return {
        "account": sent.account_id,
        "amount": sent.amount,
        "currency": currency_of(sent),
        "date": sent.date,
        "name": sent.title,
        "pending": sent.pending,
        "pending_transaction_id": sent.pending_transaction_id,
    }
