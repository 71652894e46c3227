"""Which pairs of a word to look up in the search index: a few rare ones rather than all.

An index reads the list of every pair that it is asked for, and most pairs are in half of the rows.
So "vistosol" takes 25 ms of a million rows, and its two rarest pairs 3 ms, which leave hardly more
rows to compare. The newest rows tell which pairs are rare.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import func, select

from plaidapp.extensions import db

from .transactions import Transaction

SAMPLE = 300
LEAST = 2
"""Pairs. A sample can't tell how rare the rarest one is."""


def sample(user_id: int) -> Sequence[str]:
    """Return the pairs of the person's newest rows, those of notes included."""
    pairs = func.coalesce(Transaction.pairs, "") + func.coalesce(Transaction.note_pairs, "")
    newest = (
        select(pairs)
        .where(Transaction.user_id == user_id, Transaction.removed_at.is_(None))
        .order_by(Transaction.date.desc(), Transaction.id.desc())
        .limit(SAMPLE)
    )
    return db.session.scalars(newest).all()


def rarest(pairs: Iterable[str], rows: Sequence[str]) -> list[str]:
    """Return the pairs that leave as few of the sampled rows as all of them do.

    One row of the sample stands for thousands of a long history. Comparing those takes more time
    than looking up another pair.
    """
    having = {pair: _set_of(f" {pair}" in row for row in rows) for pair in pairs}
    left, chosen = _set_of(True for _ in rows), list[str]()
    while having:
        both = {pair: (having[pair] & left).bit_count() for pair in having}
        pair = min(having, key=lambda each: (both[each], having[each].bit_count()))
        if both[pair] == left.bit_count() and len(chosen) >= LEAST:
            break
        chosen.append(pair)
        left &= having.pop(pair)
    return chosen


def _set_of(chosen: Iterable[bool]) -> int:
    """Return the numbers of the rows that are chosen, as bits."""
    return sum(1 << number for number, is_in in enumerate(chosen) if is_in)
