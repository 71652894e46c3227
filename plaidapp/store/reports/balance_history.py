"""What an account's balance was on the days nobody asked: worked out, never guessed.

The end of a day is the bank's next later word, reversed by what posted in between. That is exact
for depository and credit accounts, whose `current` leaves pending out; what other kinds hold is not
the sum of their transactions, and nothing is computed.
https://plaid.com/docs/api/accounts/#accounts-get-response-accounts-balances-current
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Select,
    cast,
    delete,
    func,
    literal,
    null,
    select,
    type_coerce,
    union_all,
)

from plaidapp.extensions import db

from ..base.types import Money, added_up, shifted, within
from ..base.upsert import upsert
from ..connections.accounts import Account
from ..connections.balances import BANK, COMPUTED, TABLE, Balance
from ..transactions.transactions import Transaction

SIGNS = {"depository": 1, "credit": -1}
"""What undoes an amount: money out lowers what one has, and raises what one owes."""


class Stretch(NamedTuple):
    """A part of an account's history: what came after the bank's word of the day `since`."""

    account_id: int
    sign: int
    currency: str | None
    since: datetime.date


def refresh(earliest: Mapping[int, datetime.date]) -> None:
    """Brings accounts' computed rows up to date.

    `earliest` is the first day of each account on which a transaction or the bank's word is not
    what it was. The days before it, back to the word before it, hang on it too.
    """
    for stretch in _stretches(earliest) if earliest else ():
        stored, should = _stored(stretch), _computed(stretch)
        stale = [date for date in stored if date not in should]
        if stale:
            there = (Balance.account_id == stretch.account_id) & Balance.date.in_(stale)
            db.session.execute(
                delete(Balance).where(there).execution_options(synchronize_session=False)
            )
        new = {date: current for date, current in should.items() if stored.get(date) != current}
        same = {"account_id": stretch.account_id, "source": COMPUTED}
        rows = [{"date": date, "current": current, **same} for date, current in new.items()]
        upsert(TABLE, ("account_id", "date"), rows)


def wrong(account_ids: Iterable[int]) -> set[int]:
    """Those of the accounts whose computed rows are not what they should be."""
    return {
        stretch.account_id
        for stretch in _stretches(dict.fromkeys(account_ids, datetime.date.min))
        if _stored(stretch) != _computed(stretch)
    }


def _stretches(earliest: Mapping[int, datetime.date]) -> Iterator[Stretch]:
    currency = func.coalesce(Account.iso_currency_code, Account.unofficial_currency_code)
    query = select(Account.id, Account.type, currency).where(
        Account.id.in_(earliest), Account.type.in_(SIGNS)
    )
    for account_id, kind, code in db.session.execute(query.order_by(Account.id)).all():
        word_before = select(func.max(Balance.date)).where(
            Balance.account_id == account_id,
            Balance.source == BANK,
            Balance.date < earliest[account_id],
        )
        since = db.session.scalar(word_before) or datetime.date.min
        yield Stretch(account_id, SIGNS[kind], code, since)


def _stored(stretch: Stretch) -> dict[datetime.date, Decimal]:
    query = select(Balance.date, Balance.current).where(
        Balance.account_id == stretch.account_id,
        Balance.source == COMPUTED,
        Balance.date > stretch.since,
    )
    return {date: current for date, current in db.session.execute(query)}  # noqa: C416


def _computed(stretch: Stretch) -> dict[datetime.date, Decimal]:
    """The rows that should be there: one wherever the balance changes."""
    day = _days(stretch).subquery()
    # Each day hangs on the bank's next word: on the newest of all, the one before, and so on.
    word = func.count(day.c.said).over(order_by=day.c.date.desc())
    hung = select(day, word.label("word")).subquery()
    over: dict[str, Any] = {"partition_by": hung.c.word, "order_by": hung.c.date.desc()}
    said = func.first_value(hung.c.said).over(**over)
    later = func.coalesce(added_up(hung.c.moved, **over, rows=(None, -1)), 0)
    valued = (
        select(hung.c.date, hung.c.said, within(said + stretch.sign * later).label("current"))
        .where(hung.c.word > 0)  # what is dated after the newest word explains no day yet
        .subquery()
    )
    before = func.lag(valued.c.current).over(order_by=valued.c.date)
    stepped = select(valued, before.label("before")).subquery()
    query = select(stepped.c.date, type_coerce(stepped.c.current, Money)).where(
        stepped.c.date > stretch.since,
        stepped.c.said.is_(None),
        stepped.c.current.is_distinct_from(stepped.c.before),
    )
    return {date: current for date, current in db.session.execute(query)}  # noqa: C416


def _days(stretch: Stretch) -> Select[Any]:
    """The days on which the balance may change, with what moved and what the bank said."""
    posted = _posted(stretch)
    anchors = select(Balance).where(
        Balance.account_id == stretch.account_id,
        Balance.source == BANK,
        Balance.date >= stretch.since,
    )
    nothing, unsaid = literal(0).label("moved"), cast(null(), BigInteger).label("said")
    part = union_all(
        posted.with_only_columns(
            Transaction.date, added_up(_raw(Transaction.amount)).label("moved"), unsaid
        ).group_by(Transaction.date),
        anchors.with_only_columns(Balance.date, nothing, _raw(Balance.current).label("said")),
        # Where the rows don't explain the bank's words, the step shows right after the older one.
        anchors.with_only_columns(shifted(Balance.date, 1), nothing, unsaid),
        # The history opens the day before its first row.
        posted.with_only_columns(shifted(func.min(Transaction.date), -1), nothing, unsaid),
    ).subquery()
    return (
        select(
            part.c.date,
            func.sum(part.c.moved).label("moved"),
            func.max(part.c.said).label("said"),
        )
        .where(part.c.date.is_not(None))
        .group_by(part.c.date)
    )


def _posted(stretch: Stretch) -> Select[Any]:
    currency = func.coalesce(
        Transaction.iso_currency_code, Transaction.unofficial_currency_code, stretch.currency
    )
    return select(Transaction).where(
        Transaction.account_id == stretch.account_id,
        Transaction.date > stretch.since,
        Transaction.removed_at.is_(None),
        Transaction.pending.is_(False),
        currency.is_not_distinct_from(stretch.currency),
    )


def _raw(column: Any) -> Any:
    """Money as the whole number that is kept: sums and windows don't know the type."""
    return type_coerce(column, BigInteger)
