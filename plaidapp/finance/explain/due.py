"""What is still due this month, and why an account does not cover what it has to pay."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from flask import url_for
from flask_babel import gettext

from plaidapp.auth.access import person
from plaidapp.days import month_day, today
from plaidapp.formats import shown_title
from plaidapp.store import Account, Stream

from ..base import asked
from ..base.blueprint import blueprint
from ..recurring import upcoming
from ..recurring.cover import Cover
from ..recurring.expected_days import expected
from ..transactions.filter_urls import account_label
from . import balances
from .explanation import Explanation, Line, Result, answer, total_of
from .row_lines import on_day

MOST_DAYS = 31
"""How far ahead a page lists payments at most."""


@blueprint.get("/explain/due")
def explain_due() -> str:
    """Of all accounts, or of the one in the address."""
    currency, found = asked.currency(), upcoming.of_user(person().id, MOST_DAYS)
    account = asked.account_in_query()
    lines = [
        _line(stream, day, 1)
        for day, stream in found.costs
        if (stream.currency or "") == currency and account in (None, stream.account)
    ]
    total = total_of(lines)
    until = gettext("Through %(day)s", day=month_day(found.end_of_month))
    return answer(
        Explanation(
            gettext("Still due"),
            f"{account_label(account)} · {until}" if account else until,
            currency,
            [*lines, Result(gettext("Still due"), total)],
            notes=[gettext("At the latest amounts. Transfers between your accounts don’t count.")],
            is_signed=False,
        )
    )


@blueprint.get("/explain/short/<int:account_id>")
def explain_short(account_id: int) -> str:
    """What is available on an account, and the payments by which it is short."""
    account, _ = asked.account(account_id)
    found = upcoming.of_user(person().id, MOST_DAYS)
    cover = next((each for each in found.covers if each.account.id == account.id), None)
    return answer(
        Explanation(
            gettext("Short"),
            account_label(account),
            account.currency or "",
            _short(cover, found.every)
            if cover and cover.day
            else [Result(gettext("Short"), Decimal(0))],
            notes=[gettext("On each day, money that comes in counts first.")],
        )
    )


def _short(cover: Cover, streams: Sequence[Stream]) -> list[Line | Result]:
    account, end = cover.account, cover.day or today()
    days = sorted(
        (
            (day, stream)
            for stream in streams
            if stream.account_id == account.id and stream.currency == account.currency
            for day in expected(stream, today(), end)
        ),
        key=lambda pair: (pair[0], pair[1].last_amount),
    )
    lines = [_start(account, cover), *(_line(stream, day, -1) for day, stream in days)]
    left = gettext("Left on %(day)s", day=month_day(end))
    return [*lines, Result(left, -cover.short)]


def _start(account: Account, cover: Cover) -> Line:
    if account.available is None:
        url = balances.balance_url(account)
    else:
        url = url_for("finance.explain_available", account_id=account.id)
    return Line(gettext("Available"), cover.available, url, is_explained=True, is_start=True)


def _line(stream: Stream, day: date, sign: int) -> Line:
    url = url_for("finance.explain_payment", stream_id=stream.id)
    amount = sign * stream.last_amount
    return Line(shown_title(stream), amount, url, on_day(day), is_explained=True, is_estimate=True)
