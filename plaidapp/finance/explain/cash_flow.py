"""Cash flow and spending of a month, written out by category."""

from datetime import date

from flask import abort, request, url_for
from flask_babel import gettext

from plaidapp.auth.access import person
from plaidapp.days import long_month, month_day, today
from plaidapp.formats import money
from plaidapp.store.base.dates import last_of_month, month_of, months_later
from plaidapp.store.transactions.categories import (
    LOAN_PAYOUT,
    TRANSFER_IN,
    TRANSFER_OUT,
    is_spending,
)
from plaidapp.store.transactions.monthly_totals import MonthlySum

from ..base.blueprint import blueprint
from ..transactions import filter_urls
from ..transactions.category_labels import category_label
from ..transactions.filter_form import LONGEST_CODE
from ..transactions.filter_urls import Query
from . import asked, row_lines
from .explanation import Explanation, Line, Link, Result, answer, total_of
from .row_lines import IN, NET, OUT, SPENT


@blueprint.get("/explain/cash-flow")
def explain_cash_flow() -> str:
    month, currency, part = asked.month(), asked.currency(), asked.part(IN, OUT, NET)
    query = _of_days(month, last_of_month(month)) | {"scope": ["flow"]}
    found = row_lines.of(query, part, {currency})
    titles = {IN: gettext("Money in"), OUT: gettext("Money out"), NET: gettext("Net")}
    lines = found.lines()
    if part == NET:
        sums = {name: row_lines.of(query, name, {currency}).amount for name in (IN, OUT)}
        lines = [
            Line(titles[name], amount, _flow_url(month, name, currency), is_explained=True)
            for name, amount in ((IN, sums[IN]), (OUT, -sums[OUT]))
        ]
    return answer(
        Explanation(
            titles[part],
            _about(month),
            currency,
            [*lines, Result(titles[part], found.amount)],
            notes=[
                gettext(
                    "Transfers between your own accounts are left out, and so are accounts that "
                    "you don’t spend from, such as investments and loans."
                ),
                *_hidden_note(),
            ],
            links=[*([found.link] if found.rows else []), *_transfers(month)],
            is_signed=part == NET,
            is_change=part == NET,
        )
    )


def _flow_url(month: date, part: str, currency: str) -> str:
    return url_for(
        "finance.explain_cash_flow", month=f"{month:%Y-%m}", part=part, currency=currency
    )


def _transfers(month: date) -> list[Link]:
    categories = [TRANSFER_IN, TRANSFER_OUT, LOAN_PAYOUT]
    query = _of_days(month, last_of_month(month)) | {"category": categories, "scope": ["all"]}
    rows = sum(each.rows for each in row_lines.sums_of(query))
    url = filter_urls.address(query)
    return [Link(gettext("See the transfers"), url)] if rows else []


@blueprint.get("/explain/spending")
def explain_spending() -> str:
    """Of a month, or of its days up to the one in `through`."""
    month, currency = asked.month(), asked.currency()
    category = request.args.get("category", "")
    if len(category) > LONGEST_CODE or "\0" in category:
        abort(404)
    end = asked.day("through") if "through" in request.args else last_of_month(month)
    if month_of(end) != month:
        abort(404)
    query = _of_days(month, end)
    title = category_label(category) if category else gettext("Spending")
    lines = _of_category(query, category, currency) if category else _spent(query, month, currency)
    total = total_of(lines)
    about = _about(month)
    if end < last_of_month(month):
        about = gettext("In %(month)s through %(day)s", month=long_month(month), day=month_day(end))
    return answer(
        Explanation(
            title,
            about,
            currency,
            [*lines, Result(title, total)],
            notes=[gettext("Refunds are taken off. Transfers don’t count."), *_hidden_note()],
            links=[_month_before(month, category, currency)],
            is_signed=False,
        )
    )


def _month_before(month: date, category: str, currency: str) -> Link:
    before = months_later(month, -1)
    found = _spent(_of_days(before, last_of_month(before)), before, currency, category)
    spent = total_of(found)
    label = gettext(
        "%(month)s: %(amount)s", month=long_month(before), amount=money(spent, currency)
    )
    url = url_for(
        "finance.explain_spending",
        month=f"{before:%Y-%m}",
        category=category or None,
        currency=currency,
    )
    return Link(label, url, is_explained=True)


def _spent(query: Query, month: date, currency: str, category: str = "") -> list[Line]:
    """A line for each category, the largest first."""
    lines = []
    for each in row_lines.sums_of(query | {"scope": ["flow"]}):
        sums = MonthlySum(month, each.category, each.currency, each.money_in, each.money_out)
        if each.currency == currency and category in ("", each.category):
            if sums.spent is None:
                continue
            url = url_for(
                "finance.explain_spending",
                month=f"{month:%Y-%m}",
                through=_through(query, month),
                category=each.category,
                currency=currency,
            )
            line = Line(category_label(each.category), sums.spent, url, is_explained=True)
            lines.append((-sums.spent, each.category, line))
    return [line for *_, line in sorted(lines, key=lambda found: found[:2])]


def _through(query: Query, month: date) -> str | None:
    """The last day of the query, if it is not that of the month."""
    (end,) = query["end_date"]
    return end if end != last_of_month(month).isoformat() else None


def _of_category(query: Query, category: str, currency: str) -> list[Line]:
    """Its rows if they are few; otherwise purchases and refunds."""
    query = query | {"scope": ["flow"], "category": [category]}
    has_refunds = is_spending(category, money_out=False)
    found = row_lines.of(query, SPENT if has_refunds else OUT, {currency})
    if found.rows <= row_lines.MOST_ROWS:
        return found.lines()
    bought, refunded = (row_lines.of(query, part, {currency}) for part in (OUT, IN))
    lines = [Line(gettext("Purchases"), bought.amount, bought.link.url)]
    if has_refunds and refunded.amount:
        lines.append(Line(gettext("Refunds"), -refunded.amount, refunded.link.url))
    return lines


def _of_days(first: date, last: date) -> Query:
    return {"start_date": [first.isoformat()], "end_date": [last.isoformat()]}


def _about(month: date) -> str:
    name = long_month(month)
    if month == month_of(today()):
        return gettext("In %(month)s so far", month=name)
    return gettext("In %(month)s", month=name)


def _hidden_note() -> list[str]:
    if person().hides_accounts:
        return [gettext("Accounts that you have hidden are left out.")]
    return []
