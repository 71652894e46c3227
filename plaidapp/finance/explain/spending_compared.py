"""What spending is compared with: the month before, and an average month."""

from dataclasses import replace

from flask import abort, request
from flask_babel import gettext

from plaidapp.auth.access import person
from plaidapp.days import long_month, month_day, today
from plaidapp.formats import number
from plaidapp.store.base.dates import last_of_month, month_of
from plaidapp.store.transactions import detailed_totals

from ..base import asked
from ..base.blueprint import blueprint
from ..spending import addresses, twelve_months
from ..spending.period import Period
from . import spending
from .explanation import Explanation, Line, Result, answer, total_of


@blueprint.get("/explain/spending-change")
def explain_spending_change() -> str:
    """Of a month, from the month before through the day in `compared`; the same part without."""
    month, currency, categories = asked.month(), asked.currency(), spending.categories_asked()
    period = Period(month, today())
    compared = asked.day("compared") if "compared" in request.args else period.compared
    before = period.before
    if month_of(compared) != before:
        abort(404)
    now = spending.spent(month, last_of_month(month), currency, categories)
    then = spending.spent(before, compared, currency, categories)
    lines = [replace(now, is_start=True), replace(then, amount=-then.amount)]
    title = spending.title_of(categories)
    return answer(
        Explanation(
            gettext("%(what)s, change", what=title),
            gettext("Since %(day)s", day=month_day(compared)),
            currency,
            [*lines, Result(gettext("Change"), total_of(lines))],
            notes=spending.notes(),
            is_change=True,
        )
    )


@blueprint.get("/explain/average")
def explain_average() -> str:
    """What is spent in an average month, of the twelve that end with this one; also under one
    category."""
    month, currency, categories = asked.month(), asked.currency(), spending.categories_asked()
    if len(categories) > 1:
        abort(404)
    period = Period(month, today())
    sums = detailed_totals.flow(person().id, period.twelve_months[0])
    found = twelve_months.of(sums, period, currency, next(iter(categories), None))
    title = gettext("%(what)s, an average month", what=spending.title_of(categories))
    about = gettext("In the twelve months to %(month)s", month=long_month(month))
    if len(found.whole_months) < 2:
        unknown = gettext("An average needs two whole months.")
        return answer(Explanation(title, about, currency, (), notes=[unknown]))
    lines = [
        Line(
            long_month(each),
            found.of(categories[0], each) if categories else found.total(each).amount,
            addresses.spent(each, currency, *categories),
            is_explained=True,
        )
        for each in found.whole_months
    ]
    total, count = total_of(lines), len(lines)
    together = gettext("In %(count)s months", count=number(count))
    divided = gettext("divided by %(count)s", count=number(count))
    return answer(
        Explanation(
            title,
            about,
            currency,
            [
                *lines,
                Result(together, total),
                Result(gettext("In an average month"), total / count, divided, divisor=count),
            ],
            notes=spending.notes(),
            is_signed=False,
        )
    )
