"""What somebody asks for: the words as they are typed, or those beside the dates in them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from plaidapp.store import Transaction
from plaidapp.store.base.search_terms import words_of
from plaidapp.store.transactions import reader
from plaidapp.store.transactions.filters import Filter

from ..transactions import filter_urls
from ..transactions.date_ranges import DateRange
from ..transactions.filter_urls import Query
from . import dates

ROWS = 30
"""The newest rows with the words, in which merchants are looked for."""


@dataclass
class Asked:
    """A text and, with `within`, the dates to which it is limited."""

    user_id: int
    text: str
    within: DateRange | None = None
    words: Sequence[str] = field(init=False)

    def __post_init__(self) -> None:
        self.words = tuple(words_of(self.text))

    @cached_property
    def days(self) -> Query:
        return filter_urls.days_query(self.within.start, self.within.end) if self.within else {}

    @property
    def days_label(self) -> str:
        return self.within.label if self.within else ""

    @property
    def query(self) -> Query:
        return {"q": [self.text], **self.days}

    @cached_property
    def filter(self) -> Filter:
        return filter_urls.filter_of(self.user_id, self.query)

    @cached_property
    def rows(self) -> Sequence[Transaction]:
        is_bounded = self.filter.has_index or any(word.categories for word in self.filter.search)
        return (reader.page if is_bounded else reader.nearby)(self.filter, ROWS)


@dataclass(frozen=True)
class Meanings:
    """`plain` has all words, and `dated` those beside dates. `only` are dates alone."""

    plain: Asked
    dated: Asked | None = None
    only: DateRange | None = None

    @property
    def range(self) -> DateRange | None:
        """The dates that were typed, alone or beside other words."""
        return self.dated.within if self.dated else self.only

    @property
    def both(self) -> list[Asked]:
        return [self.plain, self.dated] if self.dated else [self.plain]

    @property
    def with_rows(self) -> Asked:
        """The dates are read only if no row has the words as they are."""
        return self.dated if self.dated and not self.plain.rows else self.plain


def meanings(user_id: int, text: str) -> Meanings:
    plain = Asked(user_id, text)
    found = dates.in_words(plain.words)
    if found is None:
        return Meanings(plain)
    if not found.rest:
        return Meanings(plain, only=found.range)
    return Meanings(plain, Asked(user_id, " ".join(found.rest), found.range))
