"""What the page of a connection shows of its last check against the bank."""

from collections.abc import Sequence
from dataclasses import dataclass

from plaidapp.store import Account, AccountCheck, CheckDifference
from plaidapp.store.connections import checks

SHOWN = 50
"""How many differences the page shows; it says how many more there are."""


@dataclass(frozen=True)
class CheckView:
    """`accounts` are the open ones that were checked, and `names` those of all by Plaid's ids."""

    accounts: Sequence[tuple[Account, AccountCheck]]
    differences: Sequence[tuple[Account, CheckDifference]]
    names: dict[str, str]

    @property
    def total(self) -> int:
        return sum(check.differences for _, check in self.accounts)

    @property
    def rows(self) -> int:
        return sum(check.rows for _, check in self.accounts)

    @property
    def adds_up(self) -> bool:
        """Do the rows come to the bank's balance in each account where that can hold?"""
        return all(check.adds_up for _, check in self.accounts)


def of_item(item_id: int, accounts: Sequence[Account]) -> CheckView:
    found = checks.of_item(item_id)
    by_id = {account.id: account for account in accounts}
    return CheckView(
        [(each, found[each.id]) for each in accounts if each.id in found and not each.closed_at],
        [
            (by_id[each.account_id], each)
            for each in checks.differences(item_id, SHOWN)
            if each.account_id in by_id
        ],
        {account.plaid_account_id: account.title for account in accounts},
    )
