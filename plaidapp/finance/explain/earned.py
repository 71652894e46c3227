"""Income of a month, written out by what it was for."""

from flask_babel import gettext

from plaidapp.auth.access import person
from plaidapp.days import today
from plaidapp.store.base.dates import last_of_month
from plaidapp.store.transactions.categories import INCOME
from plaidapp.store.transactions.category_tree import primary_of

from ..base import asked
from ..base.blueprint import blueprint
from ..spending import addresses, month
from ..spending.period import Period
from ..transactions.category_labels import category_label
from . import row_lines, spending
from .explanation import Explanation, Line, Result, answer, total_of
from .row_lines import IN, NET


@blueprint.get("/explain/earned")
def explain_earned() -> str:
    """All income of a month, or that under some detailed categories."""
    first, currency, codes = asked.month(), asked.currency(), spending.categories_asked()
    if len(codes) == 1:
        (code,) = codes
        days = row_lines.of_days(first, last_of_month(first))
        query = days | {"scope": ["flow"], "category": [code]}
        # Of a salary that went back, less is left. Other money out is spending.
        part = NET if primary_of(code) == INCOME else IN
        title, lines = category_label(code), row_lines.of(query, part, {currency}).lines()
    else:
        title = gettext("Some income") if codes else gettext("Income")
        found = month.of_user(person().id, Period(first, today()), currency, None).flows.income
        lines = [
            Line(
                each.label,
                each.amount,
                addresses.earned(first, currency, each.codes),
                is_explained=True,
            )
            for each in found
            if not codes or set(each.codes) <= set(codes)
        ]
    notes = [gettext("Refunds and transfers don’t count as income."), *row_lines.hidden_note()]
    return answer(
        Explanation(
            title,
            row_lines.about_month(first),
            currency,
            [*lines, Result(title, total_of(lines))],
            notes=notes,
            is_signed=False,
        )
    )
