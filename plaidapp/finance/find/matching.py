"""How well a name matches what somebody types."""

from collections.abc import Callable, Sequence
from enum import IntEnum

from plaidapp.store.base.search_terms import words_of
from plaidapp.store.transactions.merchants import LEAST_ALIKE

from ..transactions.search_words import forms_of

SHORTEST = 3
"""Characters of a text that may be misspelled, or be a part in the middle of a name."""


class Match(IntEnum):
    """The better, the lower."""

    EXACT = 0
    BEGINNING = 1
    WORDS = 2
    """Each word that was typed begins one of the name's."""
    PART = 3
    MISSPELLED = 4
    PARTLY_MISSPELLED = 5
    """Some words of the name are spelled much like those that were typed."""


Matching = Callable[[Sequence[str]], Match | None]
"""Compares what was typed with the names of one thing. The first is what it is called; the others
count less."""


def match(name: str, typed: Sequence[str]) -> Match | None:
    """Compare a name with the words (search_terms.words_of) that somebody typed."""
    words, wanted = words_of(name), " ".join(typed)
    key = " ".join(words)
    if not wanted:
        return None
    if key == wanted:
        return Match.EXACT
    if key.startswith(wanted):
        return Match.BEGINNING
    if all(any(word.startswith(forms_of(part)) for word in words) for part in typed):
        return Match.WORDS
    return Match.PART if len(wanted) >= SHORTEST and wanted in key else None


def matching(typed: Sequence[str]) -> Matching:
    def best(names: Sequence[str]) -> Match | None:
        name, *others = names
        less = (max(found, Match.WORDS) for found in _found(others, typed))
        return min((*_found([name], typed), *less), default=None)

    return best


def _found(names: Sequence[str], typed: Sequence[str]) -> list[Match]:
    return [found for name in names if (found := match(name, typed)) is not None]


def misspelling(typed: Sequence[str]) -> Matching:
    """Find names that are spelled much like what was typed, or as many of whose words are."""
    from rapidfuzz import fuzz  # rarely needed, and it takes 5 MB

    wanted = " ".join(typed)

    def is_alike(text: str) -> bool:
        return fuzz.ratio(text, wanted) >= LEAST_ALIKE

    def one(name: str) -> Match | None:
        words = words_of(name)
        if is_alike(" ".join(words)):
            return Match.MISSPELLED
        starts = range(max(len(words) - len(typed), 0) + 1)
        runs = (" ".join(words[start : start + len(typed)]) for start in starts)
        return Match.PARTLY_MISSPELLED if any(map(is_alike, runs)) else None

    def best(names: Sequence[str]) -> Match | None:
        if len(wanted) < SHORTEST:
            return None
        return min((found for name in names if (found := one(name)) is not None), default=None)

    return best
