"""Cash flow of a month, written out by category."""

from datetime import date

from flask import url_for
from flask_babel import gettext

from plaidapp.store.base.dates import last_of_month
from plaidapp.store.transactions.categories import (
    LOAN_PAYOUT,
    TRANSFER_IN,
    TRANSFER_OUT,
)

from ..base import asked
from ..base.blueprint import blueprint
from ..transactions import filter_urls
from . import row_lines
from .explanation import Explanation, Line, Link, Result, answer
from .row_lines import IN, NET, OUT


@blueprint.get("/explain/cash-flow")
def explain_cash_flow() -> str:
    month, currency, part = asked.month(), asked.currency(), asked.part(IN, OUT, NET)
    query = row_lines.of_days(month, last_of_month(month)) | {"scope": ["flow"]}
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
            row_lines.about_month(month),
            currency,
            [*lines, Result(titles[part], found.amount)],
            notes=[
                gettext(
                    "Transfers between your own accounts are left out, and so are accounts that "
                    "you don’t spend from, such as investments and loans."
                ),
                *row_lines.hidden_note(),
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
    query = row_lines.of_days(month, last_of_month(month)) | {
        "category": categories,
        "scope": ["all"],
    }
    rows = sum(each.rows for each in row_lines.sums_of(query))
    url = filter_urls.address(query)
    return [Link(gettext("See the transfers"), url)] if rows else []
