"""Data derived from transactions and stored beside them: matched transfers, monthly totals, and
daily balances.

All of it is updated in the database transaction that changes the rows, for the days that change.
"""

import datetime
from collections.abc import Collection, Iterable

from ..base.dates import month_of
from ..connections import accounts
from ..transactions import monthly_refresh, transfers
from . import balance_history

Day = tuple[int, datetime.date]
"""An account's id and a date."""


def refresh(
    changed_days: Collection[Day], balance_days: Iterable[Day], sizes: Collection[int] = ()
) -> None:
    """Update what depends on changed rows and balances.

    `changed_days` has the days of changed rows, both from before and from after the change, and
    `sizes` their amounts without the sign, in units of 10^-8, as far as they may be transfers.
    `balance_days` has the days for which the bank reported a different balance (`accounts.save`).
    """
    matched_days = set[Day]()
    if sizes and changed_days:
        user_id = accounts.owner(min(changed_days)[0])
        matched_days = transfers.match(user_id, {day for _, day in changed_days}, sizes)
    months = ((account_id, month_of(day)) for account_id, day in matched_days.union(changed_days))
    monthly_refresh.refresh(set(months))
    earliest: dict[int, datetime.date] = {}
    for account_id, day in (*changed_days, *balance_days):
        earliest[account_id] = min(day, earliest.get(account_id, day))
    balance_history.refresh(earliest)


def rebuild(account_ids: Collection[int]) -> None:
    """Compute everything again, whatever is stored, after rows have changed in another way.

    All accounts are one person's, whose transfers are matched again.
    """
    done = set(account_ids)
    if not done:
        return
    matched_days = transfers.match_everything(accounts.owner(min(done)))
    monthly_refresh.rebuild(account_ids)
    monthly_refresh.refresh(
        {(account_id, month_of(day)) for account_id, day in matched_days if account_id not in done}
    )
    balance_history.refresh(dict.fromkeys(account_ids, datetime.date.min))
