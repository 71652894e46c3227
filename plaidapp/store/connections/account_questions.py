"""Accounts that may be the same one: the person decides, and the answer is remembered."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import (
    ForeignKey,
    Select,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, aliased, joinedload, mapped_column, relationship

from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import upsert
from ..base.writes import write
from .accounts import Account
from .item import Item

Ids = tuple[int, int]
"""The ids of two accounts, the lower one first."""


class AccountQuestion(Base):
    """*Is this the same account?* Two stored accounts, the lower id first.

    `different_at` is when the person said that they are different accounts, or the bank did. There
    is no answer "the same": one of the accounts is gone then, and its questions with it.
    """

    __tablename__ = "account_question"
    __table_args__ = (UniqueConstraint("one_id", "other_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    one_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    other_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    common: Mapped[int] = mapped_column(default=0)
    different_at: Mapped[datetime | None] = mapped_column(Moment)

    one: Mapped[Account] = relationship(lazy="raise", foreign_keys=one_id)
    other: Mapped[Account] = relationship(lazy="raise", foreign_keys=other_id)


TABLE = cast(Table, AccountQuestion.__table__)


def of_user(user_id: int) -> Sequence[AccountQuestion]:
    """Return the person's open questions with both accounts, oldest first."""
    return db.session.scalars(_OPEN, {"user_id": user_id}).all()


def any_open(user_id: int) -> bool:
    """Return True if there is something to ask the person."""
    return db.session.scalar(_ANY_OPEN, {"user_id": user_id}) is not None


def _open() -> Select[AccountQuestion]:
    """Questions without an answer about two open accounts, or an open one and one that the person
    kept when they disconnected its bank."""
    one, other, item = aliased(Account), aliased(Account), aliased(Item)
    closed_at = func.coalesce(one.closed_at, other.closed_at)
    is_kept = (
        item.id.in_((one.item_id, other.item_id)),
        item.disconnected_at == closed_at,
        ~item.deletes_history,
    )
    return (
        select(AccountQuestion)
        .options(joinedload(AccountQuestion.one), joinedload(AccountQuestion.other))
        .join(one, one.id == AccountQuestion.one_id)
        .join(other, other.id == AccountQuestion.other_id)
        .where(
            AccountQuestion.user_id == bindparam("user_id"),
            AccountQuestion.different_at.is_(None),
            or_(one.closed_at.is_(None), other.closed_at.is_(None)),
            or_(closed_at.is_(None), exists().where(*is_kept)),
        )
        .order_by(AccountQuestion.id)
    )


_OPEN = _open()  # made once: the dashboard asks, and making it takes longer than running it
_ANY_OPEN = _OPEN.with_only_columns(AccountQuestion.id).limit(1)


def different_pairs(user_id: int) -> set[Ids]:
    """Return the pairs of accounts that are known to be different."""
    query = select(AccountQuestion.one_id, AccountQuestion.other_id)
    is_different = AccountQuestion.different_at.is_not(None)
    rows = db.session.execute(query.where(AccountQuestion.user_id == user_id, is_different))
    return {(one, other) for one, other in rows}


def ask(user_id: int, pair: Ids, common: int) -> None:
    """Ask whether these are the same, or update how many rows they have in common."""
    _save(user_id, pair, common=common)


def note_different(user_id: int, pair: Ids) -> None:
    """Remember that these are different accounts."""
    _save(user_id, pair, different_at=now())


def _save(user_id: int, pair: Ids, **values: object) -> None:
    one, other = sorted(pair)
    row = {"user_id": user_id, "one_id": one, "other_id": other, "common": 0}
    upsert(TABLE, ("one_id", "other_id"), [row | values])


def withdraw(pair: Ids) -> None:
    """Don't ask any longer, because the answer is clear."""
    one, other = sorted(pair)
    write(
        delete(AccountQuestion).where(
            AccountQuestion.one_id == one,
            AccountQuestion.other_id == other,
            AccountQuestion.different_at.is_(None),
        )
    )
