"""What a search finds, in groups: a name, and where it leads or what it does."""

from collections.abc import Iterable
from dataclasses import dataclass

from plaidapp.store import Transaction
from plaidapp.store.identity.logos import Logo

from .matching import Match


@dataclass(frozen=True)
class Result:
    """A line of the list. `url` is a page or, if it `acts`, what a button posts to.

    Without an icon, the line has the disc of a merchant or a bank, with its `logo` if there is one.
    `detail` says more about it. `row` is the transaction that it leads to.
    """

    match: Match
    title: str
    url: str
    icon: str = ""
    detail: str = ""
    tag: str = ""
    acts: bool = False
    is_file: bool = False
    row: Transaction | None = None
    logo: Logo | None = None


@dataclass(frozen=True)
class Group:
    title: str
    results: Iterable[Result]


def ranked(groups: Iterable[Group], few: int, many: int) -> list[tuple[str, list[Result]]]:
    """Return the titles of the groups with their best results, few of each, or many if there is
    only one group; the best group first.

    What matches equally well stays in its order.
    """
    sorted_groups = [
        (group.title, sorted(group.results, key=lambda each: each.match)) for group in groups
    ]
    found = [(title, results) for title, results in sorted_groups if results]
    most = many if len(found) == 1 else few
    best = [(title, results[:most]) for title, results in found]
    return sorted(best, key=lambda each: each[1][0].match)
