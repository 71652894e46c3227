"""Compare everything that is stored of an Item with the bank, for `flask verify`.

The rows are compared as in a check (check.py), and so are names and types of accounts. Pending rows
count here, and data derived from rows is looked at too.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from flask import current_app

from plaidapp.bank import payloads
from plaidapp.bank.client import Bank
from plaidapp.bank.link_calls import DAYS_REQUESTED
from plaidapp.bank.unread import ACCOUNT
from plaidapp.extensions import db
from plaidapp.store import Account, Item
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, former_accounts
from plaidapp.store.reports import balance_history
from plaidapp.store.transactions import monthly_refresh, set_aside, transfers

from . import row_comparison
from .row_comparison import ASIDE, Aside, Row, Side

FUTURE = timedelta(days=31)
"""Pending rows may be dated in the future."""


class Difference(NamedTuple):
    """A side is None where the row is missing. `kind` is "account" or "transaction"."""

    kind: str
    plaid_id: str
    stored: Mapping[str, Any] | Aside | None
    bank: Mapping[str, Any] | Aside | None

    def __str__(self) -> str:
        if self.stored is None:
            return f"{self.kind} {self.plaid_id}: not stored"
        if self.bank is None:
            return f"{self.kind} {self.plaid_id}: not at the bank"
        if isinstance(self.bank, Aside):
            return f"{self.kind} {self.plaid_id}: can't be read, and is not set aside"
        if isinstance(self.stored, Aside):
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

    A row that can't be stored is no difference if it is set aside. No transaction is open while the
    bank is asked. Raises BankError.
    """
    bank: Bank = current_app.extensions["bank"]
    today = now().date()
    listed = bank.accounts(item.token)
    compared = row_comparison.compare(
        bank, item, today - timedelta(days=DAYS_REQUESTED), today + FUTURE
    )
    departed = former_accounts.departed_ids(item.id)  # another Item reports these accounts
    known = [row for row in accounts.of_item(item.id) if not row.closed_at]
    aside = set_aside.keys(item.id)[ACCOUNT].difference(sent.account_id for sent in listed.accounts)
    db.session.commit()
    return [
        *_account_differences(
            {row.plaid_account_id: _stored_account(row) for row in known},
            {row.plaid_id: ASIDE for row in listed.unread if row.plaid_id}
            | {
                sent.account_id: _bank_account(sent)
                for sent in listed.accounts
                if sent.account_id not in departed
            },
            aside,
        ),
        *(
            Difference("transaction", row.plaid_id, _as_fields(row.ours), _as_fields(row.theirs))
            for row in compared.differing.values()
        ),
    ]


def _account_differences(
    stored: Mapping[str, Mapping[str, Any]],
    bank: Mapping[str, Mapping[str, Any] | Aside],
    aside: Collection[str],
) -> Iterator[Difference]:
    """`aside` has the ids of accounts that are set aside, of which an older form may be stored."""
    for plaid_id in sorted(stored.keys() | bank.keys()):
        theirs = bank.get(plaid_id)
        ours = (ASIDE if theirs else None) if plaid_id in aside else stored.get(plaid_id)
        if ours != theirs:
            yield Difference("account", plaid_id, ours, theirs)


def _as_fields(side: Side) -> Mapping[str, Any] | Aside | None:
    return side._asdict() if isinstance(side, Row) else side


def _stored_account(row: Account) -> dict[str, Any]:
    return {"name": row.name, "mask": row.mask, "type": row.type, "current": row.current}


def _bank_account(sent: payloads.PlaidAccount) -> dict[str, Any]:
    current = sent.balances.current
    return {"name": sent.name, "mask": sent.mask, "type": sent.type, "current": current}
