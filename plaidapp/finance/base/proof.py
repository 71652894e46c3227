"""What the overview says of the last checks against the banks: one quiet line for all accounts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from plaidapp.store import Account, AccountCheck, Item
from plaidapp.store.connections import item_states


@dataclass(frozen=True)
class Proof:
    """`compared` are the accounts that could be compared, with their checks; `as_of` is the oldest
    of these. `adds_up` is False if the rows of an account don't come to its balance.

    `differing` has the connections with differences, and how many. `unchecked` counts accounts that
    wait for their first check, and `first_at` is when the next of these comes, if that is planned.
    """

    compared: Sequence[tuple[Account, AccountCheck]]
    as_of: datetime | None
    adds_up: bool
    differing: Sequence[tuple[Item, int]]
    unchecked: int
    first_at: datetime | None

    @property
    def rows(self) -> int:
        return sum(check.rows for _, check in self.compared)


def of_accounts(
    accounts: Sequence[Account], items: Sequence[Item], checks: Mapping[int, AccountCheck]
) -> Proof:
    """Return what is proved of these accounts. Those that can't be compared don't count.

    `items` are their connections, and `checks` is what `store.connections.checks.of_user` returns.
    """
    going_on = {item.id: item for item in items if item.state not in item_states.ENDED}
    compared = [
        (account, check)
        for account in accounts
        if (check := checks.get(account.id)) and not account.closed_at and check.impossible is None
    ]
    differences = Counter[int]()
    for account in accounts:
        if account.id in checks and account.item_id in going_on:
            differences[account.item_id] += checks[account.id].differences
    waiting = [
        account
        for account in accounts
        if account.id not in checks and not account.closed_at and account.item_id in going_on
    ]
    first = [
        going_on[account.item_id].check_at
        for account in waiting
        if going_on[account.item_id].is_reporting
    ]
    return Proof(
        compared,
        as_of=min((check.checked_at for _, check in compared), default=None),
        adds_up=all(check.adds_up for _, check in compared),
        differing=[(item, differences[item.id]) for item in items if differences[item.id]],
        unchecked=len(waiting),
        first_at=min((moment for moment in first if moment), default=None),
    )
