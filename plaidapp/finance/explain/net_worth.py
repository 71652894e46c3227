"""Net worth on a day, its change, and the total of a kind of account: a line for each account."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from flask import abort, request, url_for
from flask_babel import gettext, ngettext

from plaidapp.auth.access import person
from plaidapp.days import long_day, month_day, today
from plaidapp.formats import bank_name, number

from ..base import asked
from ..base.account_kinds import KINDS, kind_of
from ..base.blueprint import blueprint
from ..reports import account_balances
from ..reports import net_worth as reported
from ..reports.account_balances import AccountBalance, end_of_last_month
from ..transactions.filter_urls import account_label
from . import balances
from .explanation import Explanation, Line, Result, answer, total_of

TITLES = {key: title for key, title, _ in KINDS}


@blueprint.get("/explain/net-worth")
def explain_net_worth() -> str:
    day, currency, title = asked.day(), asked.currency(), gettext("Net worth")
    found = _in_currency(currency, day)
    lines = [_line(each, each.at([day])[0], day) for each in found if _is_open(each, day)]
    return answer(
        Explanation(
            title,
            _when(day),
            currency,
            [*lines, *(Result(title, total) for total in reported.sums(found, [day]))],
            notes=_notes(found, day),
            is_signed=False,
        )
    )


@blueprint.get("/explain/net-worth-change")
def explain_net_worth_change() -> str:
    """Since the end of the day in the address; of last month without one."""
    currency = asked.currency()
    since = asked.day() if "day" in request.args else end_of_last_month(today())
    found = _in_currency(currency, since)
    lines = []
    for each in found:
        was, now_is = each.at([since, today()])
        if was != now_is:
            lines.append(_line(each, now_is - was, since, _change_url(each, since)))
    results = []
    if found:
        before, now = reported.sums(found, [since, today()])
        results = [Result(gettext("Change"), now - before)]
    return answer(
        Explanation(
            gettext("Change of your net worth"),
            _since(since),
            currency,
            [*lines, *results],
            notes=_notes(found, since),
            is_change=True,
        )
    )


@blueprint.get("/explain/group")
def explain_group() -> str:
    kind, currency = _kind(), asked.currency()
    found = _of_kind(kind, currency, today())
    lines = [_line(each, each.value, today()) for each in found if each.value is not None]
    total = total_of(lines)
    title = str(TITLES[kind])
    return answer(
        Explanation(
            title,
            _when(today()),
            currency,
            [*lines, Result(title, total)] if lines else (),
            notes=_notes(found, today()),
            is_signed=False,
        )
    )


@blueprint.get("/explain/group-change")
def explain_group_change() -> str:
    """Since the end of last month, of the accounts whose balance was known then."""
    since, kind = end_of_last_month(today()), _kind()
    lines = []
    for each in _of_kind(kind, asked.currency(), since):
        if changed := each.change_since(since):
            lines.append(_line(each, changed, since, _change_url(each, since)))
    total = total_of(lines)
    return answer(
        Explanation(
            str(TITLES[kind]),
            _since(since),
            asked.currency(),
            [*lines, Result(gettext("Change"), total)],
            is_change=True,
        )
    )


def _kind() -> str:
    kind = request.args.get("kind", "cash")
    if kind not in TITLES:
        abort(404)
    return kind


def _of_kind(kind: str, currency: str, since: date) -> list[AccountBalance]:
    return [
        each
        for each in account_balances.since(person().id, since, today())
        if each.is_open and kind_of(each.account) == kind and each.currency == currency
    ]


def _change_url(each: AccountBalance, since: date) -> str:
    return url_for("finance.explain_change", account_id=each.account.id, day=since.isoformat())


def _since(day: date) -> str:
    return gettext("Since the end of %(day)s", day=month_day(day))


def _in_currency(currency: str, day: date) -> list[AccountBalance]:
    return [
        each
        for each in account_balances.since(person().id, day, today())
        if each.line is not None and each.currency == currency
    ]


def _when(day: date) -> str:
    if day == today():
        return gettext("Now")
    return gettext("At the end of %(day)s", day=long_day(day))


def _is_open(each: AccountBalance, day: date) -> bool:
    """False if the account is left out because it was closed."""
    return each.is_open or each.at([day]) != [0]


def _line(each: AccountBalance, amount: Decimal, day: date, url: str | None = None) -> Line:
    unknown = each.line is not None and day < each.line.known_from
    return Line(
        account_label(each.account),
        amount,
        url or balances.url_of(each.account, day),
        bank_name(each.item),
        is_explained=True,
        is_estimate=unknown,
    )


def _notes(found: Sequence[AccountBalance], day: date) -> list[str]:
    if not found:
        return [gettext("No account with a known balance is part of this figure.")]
    notes = []
    unknown = sum(each.line is not None and day < each.line.known_from for each in found)
    if unknown:
        notes.append(
            ngettext(
                "The balance of %(count)s account is not known for %(day)s, so its first known one "
                "stands in for it.",
                "The balances of %(count)s accounts are not known for %(day)s, so their first "
                "known ones stand in for them.",
                unknown,
                count=number(unknown),
                day=month_day(day),
            )
        )
    if person().hides_accounts:
        notes.append(gettext("Accounts that you have hidden are left out."))
    notes.append(gettext("What you owe is negative."))
    return notes
