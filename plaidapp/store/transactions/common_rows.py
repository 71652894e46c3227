"""How many transactions two accounts have in common, on the days that both cover."""

from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
)

from plaidapp.extensions import db

from .former_rows import FormerRow
from .merged_rows import FEATURES
from .transactions import Transaction


class Span(NamedTuple):
    """How many rows an account has, and the days of the first and the last."""

    rows: int
    first: date | None
    last: date | None


class Evidence(NamedTuple):
    """`common` rows are equal. `comparable` is how many the account with fewer rows has."""

    common: int
    comparable: int

    @property
    def is_same(self) -> bool:
        """At least half of what can be compared is equal."""
        return 0 < self.comparable <= 2 * self.common

    @property
    def is_different(self) -> bool:
        return self.comparable > 0 == self.common


def span(account_id: int) -> Span:
    columns = func.count(), func.min(Transaction.date), func.max(Transaction.date)
    shown = Transaction.account_id == account_id, Transaction.removed_at.is_(None)
    return Span(*db.session.execute(select(*columns).where(*shown)).one())


def compare(one_id: int, other_id: int) -> Evidence:
    return _evidence(_OF_ACCOUNTS, one=one_id, other=other_id)


def contradict(account_id: int, item_id: int) -> bool:
    """Return True if an account's rows of this Item can't be those of its earlier Items.

    Both have posted rows on the days that both cover, and no two are equal.
    """
    posted = and_(Transaction.account_id == account_id, ~Transaction.pending)
    ours = Transaction.item_id == item_id
    named_by_both = exists().where(FormerRow.transaction_id == Transaction.id)
    if db.session.scalar(select(Transaction.id).where(posted, ours, named_by_both).limit(1)):
        return False
    return _evidence(_counts(and_(posted, ours), and_(posted, ~ours))).is_different


def _evidence(counts: Select[int, int, int], **values: int) -> Evidence:
    common, ours, theirs = db.session.execute(counts, values).one()
    return Evidence(int(common), int(min(ours, theirs)))


def _counts(one: ColumnElement[bool], other: ColumnElement[bool]) -> Select[int, int, int]:
    """Return the query for how many rows are equal, and how many either side has, of the days that
    both cover."""
    both = one, other
    shared = [Transaction.date >= _end(func.min, rows) for rows in both]
    shared += [Transaction.date <= _end(func.max, rows) for rows in both]
    counts = [func.sum(case((rows, 1), else_=0)) for rows in both]
    equal = (
        select(*(count.label(name) for count, name in zip(counts, ("ours", "theirs"), strict=True)))
        .where(or_(*both), *shared, Transaction.removed_at.is_(None))
        .group_by(*FEATURES)
        .subquery()
    )
    ours, theirs = equal.c.ours, equal.c.theirs
    common = case((ours < theirs, ours), else_=theirs)
    return select(*(func.coalesce(func.sum(column), 0) for column in (common, ours, theirs)))


def _end(end: Any, rows: ColumnElement[bool]) -> ScalarSelect[date]:
    """Return the first or the last day of these rows, or null. The database reads it once."""
    days = select(end(Transaction.date)).where(rows, Transaction.removed_at.is_(None))
    return days.correlate(None).scalar_subquery()


# Made once: a sync with news asks it for each pair of accounts that look alike.
_OF_ACCOUNTS = _counts(
    Transaction.account_id == bindparam("one"), Transaction.account_id == bindparam("other")
)
