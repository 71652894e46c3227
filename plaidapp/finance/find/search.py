"""What there is for a text that somebody types, in groups, the best matches first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flask_babel import gettext as _

from plaidapp.store import Account, Item, Stream
from plaidapp.store.connections import accounts, items
from plaidapp.store.recurring import recurring_streams

from ..transactions import filter_urls
from . import money, own, places
from .asked import Meanings, meanings
from .matching import Match, Matching, matching, misspelling
from .money import Category
from .result import Group, Result, ranked

FEW, MANY = 4, 8
"""Results in a group, and in one that is alone."""


@dataclass(frozen=True)
class Found:
    """`all_rows` is the address of all transactions with the words, if there are some."""

    typed: str
    groups: Sequence[tuple[str, list[Result]]]
    all_rows: str | None = None

    @property
    def count(self) -> int:
        return sum(len(results) for _title, results in self.groups)


class Known(NamedTuple):
    """What is looked up once, in whatever way it is compared with the text."""

    banks: Sequence[Item]
    accounts: Sequence[Account]
    streams: Sequence[Stream]
    categories: Sequence[Category]


def find(user_id: int, typed: str) -> Found:
    """`typed` is stripped and not too long. Without it, there are the pages and a few actions."""
    banks = items.of_user(user_id)
    if not typed:
        return Found(typed, _suggestions(banks))
    asked = meanings(user_id, typed)
    mine = accounts.of_user(user_id), recurring_streams.named(user_id)
    known = Known(banks, *mine, money.all_categories())
    groups = ranked(_groups(known, asked, matching), FEW, MANY)
    if not groups and asked.plain.words:
        groups = ranked(_groups(known, asked, misspelling), FEW, MANY)
    with_rows = asked.with_rows
    all_rows = filter_urls.address(with_rows.query) if with_rows.rows else None
    return Found(typed, groups, all_rows)


def _suggestions(banks: Sequence[Item]) -> list[tuple[str, list[Result]]]:
    pages = [place.result(Match.EXACT) for place in places.pages()]
    actions = [place.result(Match.EXACT) for place in places.actions(banks)]
    return [(_("Pages"), pages), (_("Actions"), actions[:FEW])]


Way = Callable[[Sequence[str]], Matching]
"""How names are compared: `matching` or `misspelling`."""


def _groups(known: Known, asked: Meanings, way: Way) -> Iterator[Group]:
    banks, named = known.banks, way(asked.plain.words)
    yield Group(_("Pages"), places.matched(places.pages(), named))
    yield Group(_("Dates"), money.dates(asked, named))
    yield Group(_("Accounts"), own.accounts(known.accounts, banks, named))
    yield Group(_("Merchants"), _merchants(asked, way))
    yield Group(_("Categories"), _categories(known, asked, way))
    yield Group(_("Actions"), places.matched(places.actions(banks, asked.range), named))
    yield Group(_("Banks"), own.connections(banks, named))
    yield Group(_("Recurring"), own.streams(known.streams, named))
    yield Group(_("Transactions"), money.transactions(asked.with_rows))


def _merchants(asked: Meanings, way: Way) -> Iterator[Result]:
    for each in asked.both:
        if way is misspelling:
            yield from money.merchants_alike(each, FEW)
            continue
        found = list(money.merchants_of_rows(each, way(each.words)))
        yield from found
        if sum(result.match <= Match.BEGINNING for result in found) < FEW:
            known = {result.title for result in found}
            begun = money.merchants_beginning(each, FEW)
            yield from (result for result in begun if result.title not in known)


def _categories(known: Known, asked: Meanings, way: Way) -> Iterator[Result]:
    for each in asked.both:
        yield from money.categories(known.categories, each, way(each.words))
