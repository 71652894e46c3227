"""An upcoming payment, from the last one; and what recurring payments come to in a month."""

from decimal import Decimal

from flask import url_for
from flask_babel import gettext, ngettext

from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404, person
from plaidapp.days import long_day
from plaidapp.formats import money, number, shown_title
from plaidapp.store import Stream, Transaction
from plaidapp.store.recurring import recurring_streams

from ..base import asked
from ..base.blueprint import blueprint
from ..recurring import recurring_pages
from ..recurring.recurring_pages import TIMES_A_YEAR, counts_monthly, how_often
from ..transactions.filter_urls import account_label
from .explanation import Explanation, Line, Result, answer, total_of
from .row_lines import on_day

MOST_PAYMENTS = 7
COSTS, INCOME = "costs", "income"


@blueprint.get("/explain/payment/<int:stream_id>")
def explain_payment(stream_id: int) -> str:
    """What the next payment of a stream is expected to be: as much as the last one."""
    stream = owned_or_404(_owned, stream_id, LARGEST_BIG_ID)
    paid = recurring_streams.payments(stream, MOST_PAYMENTS)
    last = paid[0] if paid and paid[0].amount == stream.last_amount else None
    expected = _amount(stream, stream.last_amount)
    about = account_label(stream.account)
    if stream.predicted_next_date and not stream.is_over:
        day = long_day(stream.predicted_next_date)
        about = gettext("Expected on %(day)s, %(account)s", day=day, account=about)
    line = _line(stream, last) if last else None
    line = line or Line(
        gettext("Latest amount"), expected, detail=gettext("as Plaid reports it"), is_estimate=True
    )
    average = money(_amount(stream, stream.average_amount), stream.currency)
    notes = [
        gettext("The next payment is expected to be as large as the last one."),
        gettext(
            "%(often)s; the average of %(count)s payments is %(average)s.",
            often=how_often(stream).capitalize(),
            count=number(stream.paid),
            average=average,
        ),
    ]
    return answer(
        Explanation(
            shown_title(stream),
            about,
            stream.currency or "",
            [line, Result(gettext("Expected"), expected)],
            notes=notes,
            is_signed=False,
            earlier=[_line(stream, row) for row in (paid[1:] if last else paid)],
        )
    )


def _owned(stream_id: int, user_id: int) -> Stream | None:
    return next((each for each in recurring_streams.of_user(user_id) if each.id == stream_id), None)


def _amount(stream: Stream, amount: Decimal) -> Decimal:
    return -amount if stream.direction == recurring_streams.IN else amount


def _line(stream: Stream, row: Transaction) -> Line:
    return Line(
        shown_title(row),
        _amount(stream, row.amount),
        url_for("finance.transaction", transaction_id=row.id),
        on_day(row.date),
        is_estimate=True,
    )


@blueprint.get("/explain/recurring")
def explain_recurring() -> str:
    """What costs, or income, come to in a month: a year's payments, divided by twelve."""
    currency, part = asked.currency(), asked.part(INCOME, COSTS)
    payments = recurring_pages.payments_of(person().id)
    streams = payments.income if part == INCOME else payments.bills
    in_currency = [each for each in streams if (each.currency or "") == currency]
    counted = list(filter(counts_monthly, in_currency))
    lines = [_of_year(each) for each in counted]
    yearly = total_of(lines)
    title = gettext("Income a month") if part == INCOME else gettext("Recurring costs a month")
    return answer(
        Explanation(
            title,
            gettext("At the latest amounts"),
            currency,
            [*lines, *_results(yearly)],
            notes=[gettext("Payments without a known frequency are left out.")],
            is_signed=False,
        )
    )


def _of_year(stream: Stream) -> Line:
    times, amount = TIMES_A_YEAR[stream.frequency], abs(stream.last_amount)
    return Line(
        shown_title(stream),
        amount * times,
        url_for("finance.explain_payment", stream_id=stream.id),
        ngettext(
            "once, %(amount)s",
            "%(times)s times %(amount)s",
            times,
            times=number(times),
            amount=money(amount, stream.currency),
        ),
        is_explained=True,
        is_estimate=True,
        times=times,
    )


def _results(yearly: Decimal) -> list[Result]:
    divided = gettext("divided by twelve")
    return [
        Result(gettext("In a year"), yearly),
        Result(gettext("In a month"), yearly / 12, divided, divisor=12),
    ]
