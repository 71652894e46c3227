"""What changed an account's balance, and its balance after a row."""

from decimal import Decimal

from flask import url_for
from flask_babel import gettext

from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404
from plaidapp.days import long_day, month_day, today
from plaidapp.formats import shown_title
from plaidapp.store import Account, Item, Transaction
from plaidapp.store.base.dates import days_later
from plaidapp.store.reports import running_balances
from plaidapp.store.reports.balance_history import COMPUTED_TYPES
from plaidapp.store.transactions import reader, transactions

from ..base import asked
from ..base.blueprint import blueprint
from ..reports import account_balances
from ..transactions import filter_urls
from ..transactions.filter_urls import account_label
from . import balances, row_lines, span
from .explanation import Explanation, Line, Link, Result, answer, total_of

MOST_OF_DAY = 50
"""The most rows of a day that are listed one by one."""


@blueprint.get("/explain/change/<int:account_id>")
def explain_change(account_id: int) -> str:
    """Since the end of the day in the address."""
    account, item = asked.account(account_id)
    since = asked.day()
    each = account_balances.of_account(account, item, since, today())
    before, after = each.at([since, today()])
    entries: list[Line | Result]
    links: list[Link] = []
    known = each.line is not None and since >= each.line.known_from
    is_sum = account.closed_at is None and account.type in COMPUTED_TYPES
    if known and is_sum and span.are_few(account, since, today()):
        found = span.between(each, since, today())
        entries, links = list(found.lines()), found.links
    else:
        days = (today(), after), (since, -before)
        entries = [
            Line(
                gettext("Balance"),
                amount,
                balances.url_of(account, day),
                gettext("end of %(day)s", day=month_day(day)) if day == since else gettext("now"),
                is_explained=True,
                is_start=day != since,
            )
            for day, amount in days
        ]
    return answer(
        Explanation(
            gettext("Change of the balance"),
            gettext(
                "%(account)s, since the end of %(day)s",
                account=account_label(account),
                day=month_day(since),
            ),
            account.currency or "",
            [*entries, Result(gettext("Change"), after - before)],
            links=links,
            is_change=True,
        )
    )


@blueprint.get("/explain/running/<int:transaction_id>")
def explain_running(transaction_id: int) -> str:
    """The balance after a row, from that of the day before."""
    row = owned_or_404(transactions.owned, transaction_id, LARGEST_BIG_ID)
    account, item = asked.account(row.account_id)
    after = running_balances.running(account, [row], None, is_first=False).after.get(row.id)
    return answer(
        Explanation(
            gettext("Balance after this transaction"),
            gettext(
                "%(title)s, %(account)s, %(day)s",
                title=shown_title(row),
                account=account_label(account),
                day=long_day(row.date),
            ),
            account.currency or "",
            [] if after is None else _running(row, account, item, after),
        )
    )


def _running(row: Transaction, account: Account, item: Item, after: Decimal) -> list[Line | Result]:
    day_before = days_later(row.date, -1)
    (before,) = account_balances.of_account(account, item, day_before, today()).at([day_before])
    start = Line(
        gettext("Balance"),
        before,
        balances.url_of(account, day_before),
        gettext("end of %(day)s", day=month_day(day_before)),
        is_explained=True,
        is_start=True,
    )
    wanted = row_lines.filter_of(span.rows_between(account.id, row.date, row.date))
    of_day = [
        each
        for each in reader.page(wanted, MOST_OF_DAY, (row.date, row.id + 1))
        if running_balances.counts(account, each)
    ]
    lines = [
        Line(
            shown_title(each),
            -each.amount,
            url_for("finance.transaction", transaction_id=each.id),
            row_lines.on_day(each.date),
        )
        for each in reversed(of_day)
    ]
    rest = after - before - total_of(lines)
    if rest:
        url = filter_urls.address(span.rows_between(account.id, row.date, row.date))
        many = len(of_day) == MOST_OF_DAY
        label = gettext("Earlier that day") if many else gettext("Not explained by transactions")
        lines.insert(0, Line(label, rest, url if many else None))
    return [start, *lines, Result(gettext("Balance after it"), after)]
