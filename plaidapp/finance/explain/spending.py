"""Spending of a month, and of a part of one, written out by category."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from flask import abort, request
from flask_babel import gettext

from plaidapp.days import long_month, month_day
from plaidapp.formats import money
from plaidapp.store.base.dates import last_of_month, month_of, months_later
from plaidapp.store.transactions import categories as categories_of
from plaidapp.store.transactions.category_tree import TREE, primary_of

from ..base import asked
from ..base.blueprint import blueprint
from ..spending import addresses
from ..transactions import filter_urls
from ..transactions.category_labels import category_label
from ..transactions.filter_form import LONGEST_CODE
from ..transactions.filter_urls import Query
from . import row_lines
from .explanation import Explanation, Line, Link, Result, answer, total_of
from .row_lines import IN, OUT, SPENT

MOST_CATEGORIES = 100
"""The most that an address names."""


@blueprint.get("/explain/spending")
def explain_spending() -> str:
    """Of a month, or of its days up to the one in `through`, under all or some categories."""
    month, currency, categories = asked.month(), asked.currency(), categories_asked()
    end = asked.day("through") if "through" in request.args else last_of_month(month)
    if month_of(end) != month:
        abort(404)
    title = title_of(categories)
    lines = lines_of(month, end, currency, categories)
    unknown = [code for code in categories if primary_of(code) not in TREE]
    if unknown and not lines and not row_lines.sums_of({"category": unknown, "scope": ["all"]}):
        abort(404)  # categories that neither Plaid nor a row has
    return answer(
        Explanation(
            title,
            about(month, end),
            currency,
            [*lines, Result(title, total_of(lines))],
            notes=notes(),
            links=_links(month, end, currency, categories),
            is_signed=False,
        )
    )


def categories_asked() -> list[str]:
    """The categories in the address; none for all."""
    codes = list(dict.fromkeys(filter(None, request.args.getlist("category"))))
    if len(codes) > MOST_CATEGORIES or any(len(c) > LONGEST_CODE or "\0" in c for c in codes):
        abort(404)
    return codes


def title_of(categories: Sequence[str]) -> str:
    if not categories:
        return gettext("Spending")
    return category_label(categories[0]) if len(categories) == 1 else gettext("Some categories")


def about(month: date, end: date) -> str:
    if end < last_of_month(month):
        return gettext("In %(month)s through %(day)s", month=long_month(month), day=month_day(end))
    return row_lines.about_month(month)


def notes() -> list[str]:
    return [gettext("Refunds are taken off. Transfers don’t count."), *row_lines.hidden_note()]


def lines_of(month: date, end: date, currency: str, categories: Sequence[str]) -> list[Line]:
    """The rows of a lone category, or a line for each category."""
    query = row_lines.of_days(month, end)
    if len(categories) == 1:
        return _of_category(query, categories[0], currency)
    return _by_category(query, month, end, currency, categories)


def spent(month: date, end: date, currency: str, categories: Sequence[str]) -> Line:
    """What was spent, as a line that is explained."""
    amount = total_of(lines_of(month, end, currency, categories))
    url = addresses.spent(month, currency, *categories, through=end)
    return Line(about(month, end), amount, url, is_explained=True)


def _links(month: date, end: date, currency: str, categories: Sequence[str]) -> list[Link]:
    """To the month before and, of a part of a month, to the rows of its last day."""
    before = months_later(month, -1)
    line = spent(before, last_of_month(before), currency, categories)
    label = gettext(
        "%(month)s: %(amount)s", month=long_month(before), amount=money(line.amount, currency)
    )
    links = [Link(label, line.url or "", is_explained=True)]
    if end < last_of_month(month) and not categories:
        label = gettext("Transactions on %(day)s", day=month_day(end))
        rows = row_lines.of_days(end, end) | {"scope": ["flow"]}
        links.append(Link(label, filter_urls.address(rows)))
    return links


def _by_category(
    query: Query, month: date, end: date, currency: str, categories: Sequence[str]
) -> list[Line]:
    """A line for each category, the largest first."""
    query = query | {"scope": ["flow"]}
    if categories:
        query = query | {"category": list(categories)}
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in row_lines.sums_of(query):
        amount = categories_of.spent(each.category, each.money_in, each.money_out)
        if each.currency == currency and amount is not None:
            amounts[row_lines.code_of(each, query)] += amount
    return [
        Line(
            category_label(code),
            amounts[code],
            addresses.spent(month, currency, code, through=end),
            is_explained=True,
        )
        for code in sorted(amounts, key=lambda code: (-amounts[code], code))
    ]


def _of_category(query: Query, category: str, currency: str) -> list[Line]:
    """Its rows if they are few; otherwise purchases and refunds."""
    query = query | {"scope": ["flow"], "category": [category]}
    found = row_lines.of(query, SPENT, {currency})
    has_refunds = all(
        categories_of.is_spending(each.category, money_out=False) for each in found.sums
    )
    if not has_refunds:
        found = row_lines.of(query, OUT, {currency})
    if found.rows <= row_lines.MOST_ROWS:
        return found.lines()
    bought, refunded = (row_lines.of(query, part, {currency}) for part in (OUT, IN))
    lines = [Line(gettext("Purchases"), bought.amount, bought.link.url)]
    if has_refunds and refunded.amount:
        lines.append(Line(gettext("Refunds"), -refunded.amount, refunded.link.url))
    return lines
