"""The names of a person's merchants: those that begin with a text, or are spelled much like it.

The index of names is read by jumping from each name to the next, so that it does not matter how
many rows a merchant has. Twenty thousand names take a database 30 to 80 ms, and 6 ms to take apart.
So each process keeps the names of the people who misspelled something last, until anything of
theirs changes.
"""

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import select, text

from plaidapp.extensions import db

from ..base.dialect import on_sqlite
from ..base.search_terms import words_of
from ..people import users
from .transactions import Transaction

MOST_MERCHANTS = 50_000
PEOPLE_KEPT = 8
LEAST_ALIKE = 75
"""Of 100, by rapidfuzz's ratio: "netflx" and "netflix" have 92, "tset" and "test" have 75."""
SHORTEST = 3
"""Characters of a text for which merchants are looked up."""
MOST_WORDS, MOST_ALIKE, MOST_LINES = 5, 10, 100
"""How many words of a text are corrected, how many words may be meant by each, and how many names
with each of these are compared."""
LAST_CHARACTER = "\U0010ffff"
_KEYS = """
WITH RECURSIVE keys (title_key) AS (
    SELECT min(title_key) FROM "transaction"
    WHERE user_id = :user_id AND removed_at IS NULL AND title_key >= :first AND title_key < :last
    UNION ALL
    SELECT (
        SELECT min(title_key) FROM "transaction"
        WHERE user_id = :user_id AND removed_at IS NULL
            AND title_key > keys.title_key AND title_key < :last
    ) FROM keys WHERE title_key IS NOT NULL
)
SELECT {} FROM (SELECT title_key FROM keys WHERE title_key IS NOT NULL LIMIT :most) AS found
"""
KEYS = text(_KEYS.format("title_key"))
# One long value reaches Python several times faster than many rows.
ALL_KEYS = {
    "sqlite": text(_KEYS.format("group_concat(title_key, char(10))")),
    "postgresql": text(_KEYS.format("string_agg(title_key, chr(10))")),
}


class Names(NamedTuple):
    """A person's names as they are sorted (search_terms.sort_key), in several forms: `lines` has a
    line break around each, `words` has the words of all, and `joined` each without its spaces."""

    keys: Sequence[str]
    lines: str
    words: Sequence[str]
    joined: Sequence[str]


def beginning(user_id: int, typed: str, most: int) -> Sequence[str]:
    """Return up to `most` names that begin with what somebody typed, in the order of the index."""
    first = " ".join(words_of(typed))
    if not first:
        return []
    limits = {"first": first, "last": first + LAST_CHARACTER, "most": most}
    return _names(user_id, db.session.scalars(KEYS, {"user_id": user_id, **limits}).all())


def similar(user_id: int, typed: str, most: int) -> Sequence[str]:
    """Return up to `most` names of the person's merchants, the most similar to `typed` first.

    Each word is compared with the words of all names. Names are also compared without their
    spaces: "wholefods".
    """
    words = words_of(typed)[:MOST_WORDS]
    wanted = " ".join(words)
    if len(wanted) < SHORTEST:
        return []
    every = _kept_names(user_id, users.ledger_state(user_id))
    near = _with_words(every, words) | _without_spaces(every, wanted.replace(" ", ""))
    ordered = sorted(near, key=lambda key: (-near[key], len(key), key))
    return _names(user_id, ordered[:most])


@functools.lru_cache(maxsize=PEOPLE_KEPT)
def _kept_names(user_id: int, _state: object) -> Names:
    """They are read again in another state."""
    statement = ALL_KEYS["sqlite" if on_sqlite() else "postgresql"]
    limits = {"first": "", "last": LAST_CHARACTER, "most": MOST_MERCHANTS}
    every = db.session.scalar(statement, {"user_id": user_id, **limits}) or ""
    joined = every.replace(" ", "").split("\n")
    return Names(every.split("\n"), f"\n{every}\n", list(set(every.split())), joined)


def _with_words(every: Names, typed: Sequence[str]) -> dict[str, float]:
    """Return names that have a word like each of the typed ones, with their likeness."""
    corrected = [_alike(word, every.words) for word in typed]
    if not all(corrected):
        return {}
    rarest = min(corrected, key=lambda alike: sum(map(every.lines.count, alike)))
    found = {}
    for key in {line for word in rarest for line in _lines_with(every.lines, word)}:
        words = key.split()
        best = [max(alike.get(word, 0) for word in words) for alike in corrected]
        if all(best):
            found[key] = sum(best) / len(best)
    return found


def _lines_with(framed: str, word: str) -> Iterator[str]:
    """Yield up to MOST_LINES of the lines that have this word."""
    at = 0
    for _ in range(MOST_LINES):
        if (at := framed.find(word, at)) < 0:
            return
        begin, end = framed.rindex("\n", 0, at) + 1, framed.index("\n", at)
        yield framed[begin:end]
        at = end


def _without_spaces(every: Names, wanted: str) -> dict[str, float]:
    return {every.keys[at]: likeness for _, likeness, at in _nearest(wanted, every.joined)}


def _alike(word: str, spelled: Sequence[str]) -> dict[str, float]:
    return {found: likeness for found, likeness, _ in _nearest(word, spelled)}


def _nearest(wanted: str, names: Sequence[str]) -> list[tuple[str, float, int]]:
    """Return the names that are most like `wanted`, with their likeness and place."""
    from rapidfuzz import fuzz, process  # rarely needed, and it takes 5 MB

    return process.extract(
        wanted, names, scorer=fuzz.ratio, score_cutoff=LEAST_ALIKE, limit=MOST_ALIKE
    )


def _names(user_id: int, keys: Iterable[str]) -> Sequence[str]:
    """Return the names as the bank writes them. One that is gone by now is left out."""
    found = (_name(user_id, key) for key in keys)
    return list(dict.fromkeys(filter(None, found)))


def _name(user_id: int, key: str) -> str | None:
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
