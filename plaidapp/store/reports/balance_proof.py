"""Do an opening balance and the rows since then come to the bank's balance?

https://plaid.com/docs/api/accounts/#accounts-get-response-accounts-balances-current
"""

import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Select, select

from plaidapp.bank.amounts import LARGEST
from plaidapp.extensions import db

from ..base.dates import days_later
from ..base.sums import joined, money_sum
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


def prove(account: Account, since: datetime.date, at_bank: Decimal) -> Proof | None:
    """Add up from the day before `since`, or from the account's oldest balance.

    None where the balance is not the sum of rows, or is not known. Pending rows are left out, and
    so are rows in another currency, which are in no balance.
    """
    if account.type not in COMPUTED_TYPES:
        return None
    opening = _opening(account.id, days_later(since, -1))
    reported_on = _first(_balances(account.id).where(Balance.source == BANK), newest=True)
    if opening is None or reported_on is None:
        return None
    opened_on, balance = opening
    query = select(money_sum(Transaction.amount)).where(
        Transaction.account_id == account.id,
        Transaction.date > opened_on,
        Transaction.date <= reported_on.date,
        Transaction.removed_at.is_(None),
        Transaction.pending.is_(False),
    )
    if account.currency is not None:
        query = query.where(
            (Transaction.currency == account.currency) | Transaction.currency.is_(None)
        )
    spent = db.session.scalar(query) or Decimal(0)
    gap = at_bank - (balance + (spent if is_debt(account.type) else -spent))
    return Proof(opened_on, gap) if abs(gap) <= LARGEST else None


def _opening(account_id: int, day: datetime.date) -> tuple[datetime.date, Decimal] | None:
    """Return the balance at the end of the day or, if none is known, the oldest one."""
    before = _first(_balances(account_id).where(Balance.date <= day), newest=True)
    found = before or _first(_balances(account_id), newest=False)
    if found is None:
        return None
    return day if before else found.date, joined(found.current, found.current_high)


def _balances(account_id: int) -> Select[Balance]:
    return select(Balance).where(Balance.account_id == account_id)


def _first(query: Select[Balance], *, newest: bool) -> Balance | None:
    order = Balance.date.desc() if newest else Balance.date
    return db.session.scalars(query.order_by(order).limit(1)).first()
