"""What recurring payments come to in a month of the calendar: those paid, and those expected."""

from flask import url_for
from flask_babel import gettext

from plaidapp import policy
from plaidapp.auth.access import person
from plaidapp.days import long_month
from plaidapp.formats import shown_title
from plaidapp.store.recurring import recurring_streams
from plaidapp.store.recurring.recurring_streams import IN, OUT

from ..base import asked
from ..base.blueprint import blueprint
from ..recurring import months
from ..recurring.occurrences import Occurrence
from .explanation import Explanation, Line, Result, answer, total_of
from .row_lines import on_day


@blueprint.get("/explain/recurring-month")
def explain_recurring_month() -> str:
    currency, part = asked.currency(), asked.part(IN, OUT)
    first, user_id = asked.month_among(months.coming(policy.CALENDAR_AHEAD)), person().id
    (month,) = months.of_streams(recurring_streams.of_user(user_id), user_id, first, 1)
    lines = [
        _line(each)
        for each in month.counted
        if each.stream.direction == part and (each.stream.currency or "") == currency
    ]
    title = gettext("Recurring income") if part == IN else gettext("Recurring costs")
    return answer(
        Explanation(
            title,
            long_month(first),
            currency,
            [*lines, Result(title, total_of(lines))],
            notes=[
                gettext("What is not paid yet is expected, at the latest amount."),
                gettext("Transfers between your accounts don’t count."),
            ],
            is_signed=False,
        )
    )


def _line(each: Occurrence) -> Line:
    label, amount, detail = shown_title(each.stream), abs(each.amount), on_day(each.day)
    if each.paid:
        number = each.paid.transaction_id
        url = url_for("finance.transaction", transaction_id=number)
        return Line(label, amount, url, detail)
    url = url_for("finance.explain_payment", stream_id=each.stream.id)
    return Line(label, amount, url, detail, is_explained=True, is_estimate=True)
