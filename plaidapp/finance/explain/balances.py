"""An account's balance on a day: an earlier one, and the transactions since then.

What is owed is negative.
"""

import json
from datetime import date
from decimal import Decimal

from flask import request, url_for
from flask_babel import gettext

from plaidapp.days import day_of, inline_moment, long_day, month_day, today
from plaidapp.formats import money
from plaidapp.store import Account, Balance, Item
from plaidapp.store.connections import balances, checks
from plaidapp.store.reports.balance_history import COMPUTED_TYPES

from ..base import asked
from ..base.blueprint import blueprint
from ..connections.accounts_json import as_plaid
from ..reports import account_balances
from ..reports.account_balances import AccountBalance
from ..transactions.filter_urls import account_label
from . import span
from .explanation import Explanation, Line, Link, Result, answer
from .row_lines import on_day


def url_of(account: Account, day: date) -> str:
    return url_for("finance.explain_balance", account_id=account.id, day=day.isoformat())


@blueprint.app_template_filter()
def balance_url(account: Account) -> str:
    """The explanation of the balance that pages show of an account, also after it was closed."""
    last = "1" if account.closed_at else None
    return url_for("finance.explain_balance", account_id=account.id, last=last)


@blueprint.get("/explain/balance/<int:account_id>")
def explain_balance(account_id: int) -> str:
    """On the day in the address; with `last`, the last one of an account that was closed."""
    account, item = asked.account(account_id)
    closed = day_of(account.closed_at) if account.closed_at else None
    if closed and "last" in request.args:
        return answer(balance(account, item, closed))
    day = asked.day()
    is_over = closed is not None and day >= closed
    return answer(_after_the_end(account, item, day) if is_over else balance(account, item, day))


def balance(account: Account, item: Item, day: date) -> Explanation:
    """While the account was open."""
    start = span.start_for(account, day)
    each = account_balances.of_account(account, item, start, today())
    entries: list[Line | Result] = []
    links: list[Link] = []
    if each.line is None:
        pass
    elif day < each.line.known_from:
        entries = _estimated(each, day, each.line.known_from)
    elif account.type not in COMPUTED_TYPES or each.line.known_from == day:
        entries = _reported(each, day)
    else:
        found = span.between(each, max(start, each.line.known_from), day)
        entries, links = _written_out(found), found.links
    return _explanation(each, day, entries, links)


def _after_the_end(account: Account, item: Item, day: date) -> Explanation:
    """An account that was closed counts as zero."""
    each = account_balances.of_account(account, item, day, today())
    (amount,) = each.reported_at([day])
    closed = on_day(day_of(account.closed_at)) if account.closed_at else ""
    label = gettext("Disconnected") if item.disconnected_at else gettext("Closed")
    last = Line(
        gettext("Last balance"), amount, balance_url(account), is_explained=True, is_start=True
    )
    end = Line(label, -amount, detail=closed)
    return _explanation(each, day, [last, end, Result(gettext("Balance"), Decimal(0))], [])


def _explanation(
    each: AccountBalance,
    day: date,
    entries: list[Line | Result],
    links: list[Link],
) -> Explanation:
    account, is_now = each.account, day == today()
    check = checks.of_account(account.id) if is_now else None
    if check and check.differences:
        url = url_for("finance.item", item_id=account.item_id, _anchor="differences")
        links = [*links, Link(gettext("See the differences"), url)]
    return Explanation(
        gettext("Balance"),
        gettext("%(account)s, %(day)s", account=account_label(account), day=long_day(day)),
        account.currency or "",
        entries,
        notes=_notes(each, day),
        links=links,
        stored=json.dumps(as_plaid(account), indent=2, ensure_ascii=False) if is_now else "",
        check=check,
    )


def _written_out(found: span.Span) -> list[Line | Result]:
    account, day = found.each.account, found.end
    reported = balances.last_report(account.id, found.start)
    is_banks = reported is not None and reported.is_of(found.start)
    of_day = gettext("end of %(day)s", day=month_day(found.start))
    start = Line(
        gettext("Bank’s balance") if is_banks else gettext("Balance"),
        found.before,
        url_of(account, found.start),
        of_day if is_banks else gettext("%(day)s, calculated", day=of_day),
        is_explained=True,
        is_start=True,
    )
    agrees = reported is not None and not found.unexplained
    return [start, *found.lines(), _result(account, day, found.after, agrees=agrees)]


def _result(account: Account, day: date, amount: Decimal, *, agrees: bool) -> Result:
    """`agrees` says that rows lead to this balance from an earlier one of the bank's."""
    report = balances.last_report(account.id, day)
    if report is None:
        said = gettext("calculated back from the first balance that the bank reported")
    elif report.is_of(day):
        when = inline_moment(account.updated_at) if day == today() else month_day(day)
        said = (
            gettext("the bank says the same, %(when)s", when=when)
            if agrees
            else gettext("as the bank reported it, %(when)s", when=when)
        )
        return Result(gettext("Balance"), amount, said, is_confirmed=agrees)
    elif report.date == day:
        said = gettext(
            "calculated; that day the bank reported %(balance)s",
            balance=_said(report, account),
        )
    else:
        said = gettext("calculated; the bank last reported on %(day)s", day=month_day(report.date))
    return Result(gettext("Balance"), amount, said)


def _said(report: Balance, account: Account) -> str:
    """What the bank reported, as a person counts it."""
    said = report.said or Decimal(0)
    return money(-said if account.is_debt else said, account.currency)


def _reported(each: AccountBalance, day: date) -> list[Line | Result]:
    """A balance that rows don't lead to."""
    (amount,) = each.reported_at([day])
    report = balances.last_report(each.account.id, day)
    if report is None:
        label, detail = gettext("First balance"), gettext("before the first transaction")
    else:
        label, detail = (
            gettext("Bank’s balance"),
            gettext("reported on %(day)s", day=month_day(report.date)),
        )
    return [Line(label, amount, detail=detail, is_start=True), Result(gettext("Balance"), amount)]


def _estimated(each: AccountBalance, day: date, known: date) -> list[Line | Result]:
    (amount,) = each.reported_at([day])
    first = Line(
        gettext("First known balance"),
        amount,
        url_of(each.account, known),
        on_day(known),
        is_explained=True,
        is_estimate=True,
        is_start=True,
    )
    return [first, Result(gettext("Balance"), amount)]


def _notes(each: AccountBalance, day: date) -> list[str]:
    account, notes = each.account, []
    if each.line is None:
        notes.append(gettext("The bank has not reported a balance of this account."))
    elif day < each.line.known_from:
        notes.append(
            gettext(
                "The balance on this day is not known, so the first known one stands in for it."
            )
        )
    if account.type not in COMPUTED_TYPES:
        notes.append(
            gettext(
                "What this account is worth is not the sum of its transactions, so only what the "
                "bank reported counts."
            )
        )
    if account.is_debt:
        notes.append(gettext("What you owe is negative."))
    if account.is_hidden:
        notes.append(gettext("You have hidden this account. It is left out of your net worth."))
    return notes
