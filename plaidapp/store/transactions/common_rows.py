"""How many transactions two accounts have in common, on the days that both cover."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

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
    return _compare(Transaction.account_id == one_id, Transaction.account_id == other_id)


def contradict(account_id: int, item_id: int) -> bool:
    """Return True if an account's rows of this Item can't be those of its earlier Items.

    Both have posted rows on the days that both cover, and no two are equal.
    """
    posted = and_(Transaction.account_id == account_id, ~Transaction.pending)
    ours = Transaction.item_id == item_id
    named_by_both = exists().where(FormerRow.transaction_id == Transaction.id)
    if db.session.scalar(select(Transaction.id).where(posted, ours, named_by_both).limit(1)):
        return False
    return _compare(and_(posted, ours), and_(posted, ~ours)).is_different


def _compare(one: ColumnElement[bool], other: ColumnElement[bool]) -> Evidence:
    days, other_days = _days(one), _days(other)
    if not (days and other_days):
        return Evidence(0, 0)
    shared = Transaction.date.between(max(days[0], other_days[0]), min(days[1], other_days[1]))
    counts = [func.sum(case((rows, 1), else_=0)) for rows in (one, other)]
    equal = (
        select(*(count.label(name) for count, name in zip(counts, ("ours", "theirs"), strict=True)))
        .where(or_(one, other), shared, Transaction.removed_at.is_(None))
        .group_by(*FEATURES)
        .subquery()
    )
    ours, theirs = equal.c.ours, equal.c.theirs
    common = case((ours < theirs, ours), else_=theirs)
    sums = (func.coalesce(func.sum(column), 0) for column in (common, ours, theirs))
    common_rows, our_rows, their_rows = db.session.execute(select(*sums)).one()
    return Evidence(int(common_rows), int(min(our_rows, their_rows)))


def _days(rows: ColumnElement[bool]) -> tuple[date, date] | None:
    """Return the first and the last day of these rows."""
    days = select(func.min(Transaction.date), func.max(Transaction.date))
    first, last = db.session.execute(days.where(rows, Transaction.removed_at.is_(None))).one()
    return (first, last) if first and last else None
