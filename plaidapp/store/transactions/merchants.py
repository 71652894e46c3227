"""The merchants of a person's transactions, and those that are spelled much like a text."""

from collections.abc import Sequence

from sqlalchemy import select, text

from plaidapp.extensions import db

from ..base.search_terms import words_of
from .transactions import Transaction

MOST_MERCHANTS = 10_000
LEAST_ALIKE = 75
"""Of 100, by rapidfuzz's ratio: "netflx" and "netflix" have 92, "tset" and "test" have 75."""
SHORTEST = 3
"""Characters of a text for which merchants are looked up."""
# Jump from each name to the next in the index, instead of reading all rows.
KEYS = text("""
WITH RECURSIVE keys (title_key) AS (
    SELECT min(title_key) FROM "transaction" WHERE user_id = :user_id AND removed_at IS NULL
    UNION ALL
    SELECT (
        SELECT min(title_key) FROM "transaction"
        WHERE user_id = :user_id AND removed_at IS NULL AND title_key > keys.title_key
    ) FROM keys WHERE title_key IS NOT NULL
)
SELECT title_key FROM keys WHERE title_key IS NOT NULL LIMIT :most
""")


def similar(user_id: int, typed: str, most: int) -> Sequence[str]:
    """Return up to `most` names of the person's merchants, the most similar to `typed` first.

    As many words of a name are compared as were typed.
    """
    from rapidfuzz import fuzz, process  # rarely needed, and it takes 5 MB

    words = words_of(typed)
    wanted = " ".join(words)
    if len(wanted) < SHORTEST:
        return []
    keys = db.session.scalars(KEYS, {"user_id": user_id, "most": MOST_MERCHANTS}).all()
    parts = [(part, key) for key in keys for part in _runs(key.split(), len(words))]
    found = process.extract(
        wanted,
        [part for part, _ in parts],
        scorer=fuzz.ratio,
        score_cutoff=LEAST_ALIKE,
        limit=most,
    )
    names = (_name(user_id, parts[index][1]) for _, _, index in found)
    return list(dict.fromkeys(filter(None, names)))


def _runs(words: Sequence[str], length: int) -> list[str]:
    """Return all `length` words that follow each other, or all words if there are not so many."""
    last = max(len(words) - length, 0)
    return [" ".join(words[start : start + length]) for start in range(last + 1)]


def _name(user_id: int, key: str) -> str | None:
    """Return the name as the bank writes it."""
    row = db.session.scalar(
        select(Transaction)
        .where(
            Transaction.user_id == user_id,
            Transaction.removed_at.is_(None),
            Transaction.title_key == key,
        )
        .limit(1)
    )
    return row.title if row else None
