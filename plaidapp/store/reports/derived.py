"""Data derived from transactions and stored beside them: daily balances and monthly totals.

Both are updated in the database transaction that changes the rows, for the days that change.
"""

import datetime
from collections.abc import Collection, Iterable, Sequence

from ..base.dates import month_of
from ..transactions import monthly_refresh
from . import balance_history

Day = tuple[int, datetime.date]
"""An account's id and a date."""


def refresh(changed_days: Collection[Day], balance_days: Iterable[Day]) -> None:
    """Update what depends on changed rows and balances.

    `changed_days` has the days of changed rows, both from before and from after the change.
    `balance_days` has the days for which the bank reported a different balance (`accounts.save`).
    """
    monthly_refresh.refresh({(account_id, month_of(day)) for account_id, day in changed_days})
    earliest: dict[int, datetime.date] = {}
    for account_id, day in (*changed_days, *balance_days):
        earliest[account_id] = min(day, earliest.get(account_id, day))
    balance_history.refresh(earliest)


def rebuild(account_ids: Sequence[int]) -> None:
    """Compute everything again, whatever is stored, after rows have changed in another way."""
    monthly_refresh.rebuild(account_ids)
    balance_history.refresh(dict.fromkeys(account_ids, datetime.date.min))
