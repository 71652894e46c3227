"""How a person arranges their accounts: a name of their own, an order, and which ones are hidden.

Rows and totals stay as they are; whatever reads them leaves hidden accounts out (for rows, see
transactions/filters.py). The ledger is locked meanwhile (users.lock_ledger).
"""

from sqlalchemy import bindparam, exists, select, update

from plaidapp.extensions import db

from ..people import users
from ..people.users import User
from . import accounts
from .accounts import TABLE, Account


def rename(account: Account, name: str | None) -> None:
    """Give the account the person's own name. None brings the bank's name back."""
    account.nickname = name
    users.ledger_changed(account.user_id)


def hide(account: Account, *, hidden: bool) -> None:
    """Leave the account out of lists and totals, or show it again."""
    account.is_hidden = hidden
    db.session.flush()
    theirs = exists().where(Account.user_id == account.user_id, Account.is_hidden)
    owner = db.session.get_one(User, account.user_id)
    owner.hides_accounts = bool(db.session.scalar(select(theirs)))
    users.ledger_changed(account.user_id)


def move(account: Account, neighbor: Account, *, after: bool) -> None:
    """Put the account directly before another one of the person's, or after it."""
    order = [row.id for row in accounts.of_user(account.user_id) if row.id != account.id]
    order.insert(order.index(neighbor.id) + after, account.id)
    places = [{"account_id": number, "place": place} for place, number in enumerate(order)]
    db.session.connection().execute(_PLACE, places)
    users.ledger_changed(account.user_id)


_PLACE = (
    update(TABLE).where(TABLE.c.id == bindparam("account_id")).values(position=bindparam("place"))
)
