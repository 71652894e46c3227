"""What is worked out from transactions and kept beside them: daily balances and monthly totals.

Both are brought up to date in the transaction that changes the rows, for the days that it changes.
"""

import datetime
from collections.abc import Collection, Iterable, Sequence

from ..transactions import monthly_totals
from . import balance_history

Day = tuple[int, datetime.date]
"""An account's id and a date."""


def refresh(moved: Collection[Day], said: Iterable[Day]) -> None:
    """`moved` are the days of rows that changed, both as they were and as they are now; `said` are
    those of which the bank gave another balance (`accounts.save`)."""
    monthly_totals.refresh(
        {(account_id, monthly_totals.month_of(day)) for account_id, day in moved}
    )
    earliest: dict[int, datetime.date] = {}
    for account_id, day in (*moved, *said):
        earliest[account_id] = min(day, earliest.get(account_id, day))
    balance_history.refresh(earliest)


def rebuild(account_ids: Sequence[int]) -> None:
    """Works everything out anew, whatever is stored: after rows have changed by other ways."""
    monthly_totals.rebuild(account_ids)
    balance_history.refresh(dict.fromkeys(account_ids, datetime.date.min))
