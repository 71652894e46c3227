"""Do an opening balance and the rows since then come to the bank's balance?

https://plaid.com/docs/api/accounts/#accounts-get-response-accounts-balances-current
"""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import CTE, case, func, select

from plaidapp.bank.amounts import LARGEST
from plaidapp.extensions import db

from ..base.dates import days_later
from ..base.sums import joined, money_sum
from ..base.writes import in_batches
from ..connections.account_types import is_debt
from ..connections.accounts import Account
from ..connections.balances import BANK, Balance
from ..transactions.transactions import Transaction
from .balance_history import COMPUTED_TYPES


class Proof(NamedTuple):
    """`gap` is what the balance of the day `opened_on` and the rows since then lack of the bank's
    balance. It is in Plaid's sign: on a card, of what is owed."""

    opened_on: datetime.date
    gap: Decimal


def prove(at_bank: Mapping[int, Decimal], since: datetime.date) -> dict[int, Proof]:
    """Add up from the day before `since`, or from an account's oldest balance.

    `at_bank` has the bank's balances by account id. There is no proof for an account whose balance
    is not the sum of rows, or not known. Pending rows are left out, and so are rows in another
    currency, which are in no balance.
    """
    proofs = {}
    for account_ids in in_batches(list(at_bank)):
        for account_id, opened_on, gap in _gaps(account_ids, days_later(since, -1), at_bank):
            if abs(gap) <= LARGEST:
                proofs[account_id] = Proof(opened_on, gap)
    return proofs


def _gaps(
    account_ids: Sequence[int], day: datetime.date, at_bank: Mapping[int, Decimal]
) -> list[tuple[int, datetime.date, Decimal]]:
    ends = _ends(account_ids, day)
    opening = (
        select(ends.c.id, ends.c.type, ends.c.opened_on, Balance.current, Balance.current_high)
        .join(Balance, (Balance.account_id == ends.c.id) & (Balance.date == ends.c.stored_on))
        .where(ends.c.reported_on.is_not(None))
    )
    posted = (
        select(ends.c.id, money_sum(Transaction.amount))
        .join(Transaction, Transaction.account_id == ends.c.id)
        .where(
            Transaction.date > ends.c.opened_on,
            Transaction.date <= ends.c.reported_on,
            Transaction.removed_at.is_(None),
            Transaction.pending.is_(False),
            func.coalesce(Transaction.currency, ends.c.currency).is_not_distinct_from(
                func.coalesce(ends.c.currency, Transaction.currency)
            ),
        )
        .group_by(ends.c.id)
    )
    spent = dict(db.session.execute(posted).all())
    return [
        (
            account_id,
            opened_on,
            at_bank[account_id]
            - joined(low, high)
            + (-1 if is_debt(kind) else 1) * spent.get(account_id, Decimal(0)),
        )
        for account_id, kind, opened_on, low, high in db.session.execute(opening)
    ]


def _ends(account_ids: Sequence[int], day: datetime.date) -> CTE:
    """Return, for each account, the days from and to which rows are added up.

    `stored_on` is the day of the stored balance that held at the end of `opened_on`.
    """
    of_account = Balance.account_id == Account.id
    before = select(func.max(Balance.date)).where(of_account, Balance.date <= day).scalar_subquery()
    oldest = select(func.min(Balance.date)).where(of_account).scalar_subquery()
    reported = (
        select(func.max(Balance.date)).where(of_account, Balance.source == BANK).scalar_subquery()
    )
    query = select(
        *(Account.id, Account.type, Account.currency),
        func.coalesce(before, oldest).label("stored_on"),
        case((before.is_not(None), day), else_=oldest).label("opened_on"),
        reported.label("reported_on"),
    ).where(Account.id.in_(account_ids), Account.type.in_(COMPUTED_TYPES))
    # Without MATERIALIZED, PostgreSQL might look for those days once for each transaction.
    return query.cte("ends").prefix_with("MATERIALIZED")
