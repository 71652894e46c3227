"""Split the monthly totals from before there were detailed ones.

Once no database has such totals anymore, a release can drop this module, the index
ix_monthly_total_unsplit and the column `detailed_rows`.
"""

from sqlalchemy import select

from plaidapp.extensions import db

from ..base.dates import AccountMonth
from ..connections.accounts import Account
from ..people import users
from . import monthly_refresh
from .monthly_totals import UNSPLIT, MonthlyTotal

MOST_MONTHS = 250
"""Months of accounts that are looked at."""


def fill(most: int) -> int:
    """Split totals of one person, with about `most` rows or one month. Return their number."""
    total = MonthlyTotal
    query = select(total.account_id, total.month, total.count + total.hidden, Account.user_id)
    query = query.join(Account, Account.id == total.account_id).where(UNSPLIT)
    found = db.session.execute(query.order_by(total.account_id, total.month).limit(MOST_MONTHS))
    months: dict[AccountMonth, None] = {}
    rows = 0
    for account_id, month, count, user_id in found.all():
        if not months:
            owner = user_id
            users.lock_ledger(owner)
        if user_id != owner or (rows > most and (account_id, month) not in months):
            break
        months[account_id, month] = None
        rows += count
    monthly_refresh.refresh(months)
    return len(months)
