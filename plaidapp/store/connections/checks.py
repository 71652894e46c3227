"""What the last check of an account against its bank has found, and every difference.

A check (jobs/transactions/check.py) compares rows and balances with the bank's and changes nothing
but what is stored here.
"""

import datetime
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

import msgspec
from sqlalchemy import BigInteger, ForeignKey, String, Table, Text, bindparam, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.types import BigId, Moment, Money
from ..base.upsert import upsert
from ..base.writes import in_batches, write
from .accounts import Account

ONLY_HERE, ONLY_AT_BANK, DIFFERENT, BALANCE = "only_here", "only_at_bank", "different", "balance"
"""The kinds of a difference. Of BALANCE there is at most one for each account."""
INVESTMENTS, CLOSED, NOT_LISTED = "investments", "closed", "not_listed"
"""Why nothing of an account can be compared: it holds investments, it is closed or its bank was
disconnected, or the bank does not list it at the moment."""


class AccountCheck(Base):
    """The last check of an account.

    Rows from the day `since` on were compared: `rows` of them. `differences` counts the rows that
    are only here, only at the bank, or different, and one more if the stored balance is not the
    bank's. `pending` rows and `older` rows, from before `since`, can't be compared; the check of
    the last days leaves `older` as the last full one has counted it.

    The balance at the end of the day `opened_on` plus the rows since then is the bank's balance,
    less `gap`. Both are None where that can't hold. `impossible` says why nothing was compared.
    """

    __tablename__ = "account_check"

    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    checked_at: Mapped[datetime.datetime] = mapped_column(Moment)
    since: Mapped[datetime.date | None]
    rows: Mapped[int] = mapped_column(default=0)
    differences: Mapped[int] = mapped_column(default=0)
    pending: Mapped[int] = mapped_column(default=0)
    older: Mapped[int] = mapped_column(default=0)
    opened_on: Mapped[datetime.date | None]
    gap: Mapped[Decimal | None] = mapped_column(Money)
    impossible: Mapped[str | None] = mapped_column(String(16))

    @property
    def is_exact(self) -> bool:
        """All rows match, and they add up to the bank's balance where that can hold."""
        return self.impossible is None and not self.differences and self.adds_up

    @property
    def adds_up(self) -> bool:
        """False if the bank's own balances don't fit its rows."""
        return not (self.rows and self.gap)


class Side(msgspec.Struct, frozen=True):
    """A row as it is stored, or as the bank has it; or a balance, which has the first two fields.

    Amounts have Plaid's sign. `account` is Plaid's id, or empty for one of another connection.
    """

    amount: Decimal | None
    currency: str | None
    date: datetime.date | None = None
    name: str = ""
    pending: bool = False
    pending_transaction_id: str | None = None
    account: str = ""


class CheckDifference(Base):
    """One difference. `here` and `at_bank` are JSON of a `Side`, with amounts as decimal strings.

    One of them is None where the row is missing. `transaction_id` is the stored row's.
    """

    __tablename__ = "check_difference"

    id: Mapped[BigId]
    account_id: Mapped[int] = mapped_column(
        ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(16))
    plaid_id: Mapped[str] = mapped_column(Text)
    transaction_id: Mapped[int | None] = mapped_column(BigInteger)
    here: Mapped[str | None] = mapped_column(Text)
    at_bank: Mapped[str | None] = mapped_column(Text)

    @property
    def ours(self) -> Side | None:
        return msgspec.json.decode(self.here, type=Side) if self.here else None

    @property
    def theirs(self) -> Side | None:
        return msgspec.json.decode(self.at_bank, type=Side) if self.at_bank else None


TABLE = cast(Table, AccountCheck.__table__)
_OF_USER = (
    select(AccountCheck)
    .join(Account, Account.id == AccountCheck.account_id)
    .where(Account.user_id == bindparam("user_id"))
)


def of_user(user_id: int) -> dict[int, AccountCheck]:
    """Return the last check of each account of the person, by the account's id."""
    return {check.account_id: check for check in db.session.scalars(_OF_USER, {"user_id": user_id})}


def of_account(account_id: int) -> AccountCheck | None:
    """Return the last check of an account, or None before the first one."""
    return db.session.get(AccountCheck, account_id)


def of_item(item_id: int) -> dict[int, AccountCheck]:
    """Return the last check of each account of the Item, by the account's id."""
    query = select(AccountCheck).join(Account, Account.id == AccountCheck.account_id)
    found = db.session.scalars(query.where(Account.item_id == item_id))
    return {check.account_id: check for check in found}


def differences(item_id: int, most: int) -> Sequence[CheckDifference]:
    """Return the stored differences of the Item's accounts, in the order of the accounts."""
    query = select(CheckDifference).join(Account, Account.id == CheckDifference.account_id)
    ordered = query.where(Account.item_id == item_id).order_by(CheckDifference.id)
    return db.session.scalars(ordered.limit(most)).all()


def accounts_now(item_id: int) -> Sequence[Account]:
    """Return the Item's accounts as they are stored now, whatever the session has read before."""
    query = select(Account).where(Account.item_id == item_id).order_by(Account.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def any_differ(item_id: int) -> bool:
    """Has the last check of an account of the Item found a difference?"""
    query = select(AccountCheck.account_id).join(Account, Account.id == AccountCheck.account_id)
    found = query.where(Account.item_id == item_id, AccountCheck.differences > 0)
    return db.session.scalar(found.limit(1)) is not None


def save(
    item_id: int, results: Sequence[Mapping[str, Any]], found: Sequence[CheckDifference]
) -> None:
    """Replace the last checks with these columns of AccountCheck, of accounts that still exist.

    `found` are the differences to keep. The caller has locked the ledger.
    """
    theirs = set(db.session.scalars(select(Account.id).where(Account.item_id == item_id)))
    results = [result for result in results if result["account_id"] in theirs]
    upsert(TABLE, ("account_id",), results)
    for ids in in_batches(sorted(theirs)):
        write(delete(CheckDifference).where(CheckDifference.account_id.in_(ids)))
    db.session.add_all(each for each in found if each.account_id in theirs)
    db.session.flush()
