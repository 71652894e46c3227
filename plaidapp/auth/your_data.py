"""What is stored of a person, in numbers: for the section *Your data* and the page that deletes."""

from dataclasses import dataclass
from typing import Any

from plaidapp.store.connections import accounts, items
from plaidapp.store.transactions import monthly_totals

from .access import person


@dataclass(frozen=True)
class Stored:
    """How much there is. `connected` are the banks that Plaid has to be told about."""

    accounts: int
    transactions: int
    connected: int


def stored() -> Stored:
    mine = person().id
    account_ids = [account.id for account, _ in accounts.with_items(mine)]
    rows = monthly_totals.count_stored(account_ids)
    return Stored(len(account_ids), rows, len(items.connected(mine)))


def context() -> dict[str, Any]:
    return {"stored": stored()}
