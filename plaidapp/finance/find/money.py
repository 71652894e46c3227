"""Where money went: categories, merchants, dates and transactions."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flask import url_for
from flask_babel import gettext as _

from plaidapp.days import day as day_in_words
from plaidapp.days import long_month, on_day, today
from plaidapp.formats import shown_title
from plaidapp.name_case import in_normal_case
from plaidapp.store import Transaction
from plaidapp.store.base.dates import last_of_month
from plaidapp.store.identity.logos import Logo
from plaidapp.store.transactions import merchants
from plaidapp.store.transactions.categories import is_transfer

from ..transactions import date_ranges, filter_urls
from ..transactions.category_labels import categories_with, category_icon
from ..transactions.date_ranges import DateRange
from ..transactions.filter_form import LONGEST_SEARCH
from ..transactions.filter_urls import Query
from .asked import Asked, Meanings
from .matching import Match, Matching, misspelling
from .result import Result


class Category(NamedTuple):
    code: str
    title: str
    part_of: str


def all_categories() -> list[Category]:
    """The categories of both levels. A detailed one has the title of its primary one."""
    found = []
    for code, title, detailed in categories_with():
        found.append(Category(code, title, ""))
        found += (Category(each.code, each.label, title) for each in detailed)
    return found


def categories(listed: Iterable[Category], asked: Asked, matching: Matching) -> Iterator[Result]:
    for code, title, part_of in listed:
        if (found := matching([title])) is not None:
            url = filter_urls.address({"category": [code], **asked.days})
            detail = asked.days_label or part_of
            yield Result(found, title, url, category_icon(code), detail=detail)


def merchants_of_rows(asked: Asked, matching: Matching) -> Iterator[Result]:
    """The merchants of the newest rows with the words; those with most of the rows first."""
    rows_of: dict[str, list[Transaction]] = {}
    for row in asked.rows:
        if not is_transfer(row.category):
            rows_of.setdefault(row.title_key, []).append(row)
    for rows in sorted(rows_of.values(), key=len, reverse=True):
        title = shown_title(rows[0])
        if (found := matching([title])) is not None:
            latest = _("last %(day)s", day=on_day(rows[0].date))
            detail = asked.days_label or latest
            yield _merchant(found, title, asked.days, detail, rows[0].logo)


def merchants_beginning(asked: Asked, most: int) -> Iterator[Result]:
    """Merchants of any rows whose names begin with the text."""
    for name in merchants.beginning(asked.user_id, asked.text, most):
        yield _merchant(Match.BEGINNING, name, asked.days, asked.days_label)


def merchants_alike(asked: Asked, most: int) -> Iterator[Result]:
    """Merchants of any rows whose names are spelled much like the text."""
    as_a_whole = misspelling(asked.words)
    for name in merchants.similar(asked.user_id, asked.text, most):
        found = as_a_whole([name]) or Match.PARTLY_MISSPELLED
        yield _merchant(found, name, asked.days, asked.days_label)


def _merchant(
    match: Match, title: str, days: Query, detail: str, logo: Logo | None = None
) -> Result:
    url = filter_urls.address({"q": [title[:LONGEST_SEARCH]], **days})
    return Result(match, in_normal_case(title), url, detail=detail, logo=logo)


def dates(asked: Meanings, matching: Matching) -> Iterator[Result]:
    """The transactions of the dates that were typed, and of those with such a name.

    The spending of a month has a page.
    """
    if asked.only:
        yield _rows_of(asked.only, Match.EXACT)
    months = set()
    for dates in dict.fromkeys([*filter(None, [asked.range]), *date_ranges.named(today())]):
        if dates != asked.only and (found := matching([dates.title])) is not None:
            yield _rows_of(dates, found)
        is_month = dates.start.day == 1 and dates.end == last_of_month(dates.start)
        if is_month and dates.start not in months:
            yield from _spending(dates, matching)
            months.add(dates.start)


def _spending(month: DateRange, matching: Matching) -> Iterator[Result]:
    name = long_month(month.start)
    title = _("Spending in %(month)s", month=name)
    if (found := matching([title, name, month.title])) is not None:
        url = url_for("finance.spending", month=f"{month.start:%Y-%m}")
        yield Result(found, title, url, "chart-pie")


def _rows_of(dates: DateRange, match: Match) -> Result:
    url = filter_urls.address(filter_urls.days_query(dates.start, dates.end))
    return Result(match, dates.title, url, "calendar", detail=dates.label)


def transactions(asked: Asked) -> Iterator[Result]:
    """The newest rows with the words. Those with an amount that was typed come before all else."""
    amounts = {word.amount for word in asked.filter.search}
    for row in asked.rows:
        match = Match.EXACT if row.size in amounts else Match.PART
        url = url_for("finance.transaction", transaction_id=row.id)
        detail = f"{row.account.title} · {day_in_words(row.date)}"
        yield Result(match, shown_title(row), url, detail=detail, row=row, logo=row.logo)
