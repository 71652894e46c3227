"""What is available on an account, and what its balance becomes when pending rows post."""

from collections.abc import Sequence
from decimal import Decimal

from flask_babel import gettext

from plaidapp.days import inline_moment, today
from plaidapp.store import Account
from plaidapp.store.connections.account_types import CREDIT

from ..accounts.available import is_sum
from ..base import asked
from ..base.blueprint import blueprint
from ..transactions.filter_urls import account_label
from . import balances, row_lines
from .explanation import Explanation, Line, Result, answer, total_of


@blueprint.get("/explain/available/<int:account_id>")
def explain_available(account_id: int) -> str:
    account, _ = asked.account(account_id)
    return answer(_explanation(account, gettext("Available"), _available(account)))


@blueprint.get("/explain/expected/<int:account_id>")
def explain_expected(account_id: int) -> str:
    """The balance once what is pending has posted as it is."""
    account, _ = asked.account(account_id)
    lines = [] if account.balance is None else [_balance(account), *_pending(account)]
    results = [Result(gettext("Expected"), total_of(lines))] if lines else []
    return answer(_explanation(account, gettext("Expected balance"), [*lines, *results]))


def _explanation(account: Account, title: str, entries: Sequence[Line | Result]) -> Explanation:
    when = inline_moment(account.updated_at)
    notes = []
    if any(map(_is_pending, entries)):
        notes.append(
            gettext(
                "Pending amounts can change or be removed by the bank, so this part is an estimate "
                "until they post."
            )
        )
    about = gettext("%(account)s, %(when)s", account=account_label(account), when=when)
    return Explanation(title, about, account.currency or "", entries, notes=notes)


def _is_pending(entry: Line | Result) -> bool:
    """What the bank holds back is an estimate too, but has no rows to lead to."""
    return isinstance(entry, Line) and entry.is_estimate and entry.url is not None


def _balance(account: Account) -> Line:
    balance = account.balance or Decimal(0)
    return Line(
        gettext("Balance"),
        -balance if account.is_debt else balance,
        balances.url_of(account, today()),
        is_explained=True,
        is_start=True,
    )


def _pending(account: Account) -> list[Line]:
    pending = row_lines.of(
        {"account": [str(account.id)], "pending": ["only"], "hidden": ["any"], "scope": ["all"]},
        row_lines.NET,
        {account.currency or "", ""},
    )
    label, rows = gettext("Pending"), row_lines.counted(pending.rows)
    line = Line(label, pending.amount, pending.link.url, rows, is_estimate=True)
    return [line] if pending.rows else []


def _available(account: Account) -> list[Line | Result]:
    """From the balance or, on a card, from the limit. A bank may not say what is left of it."""
    balance, limit, available = account.balance, account.limit, account.available
    if balance is None or not is_sum(account):
        return []
    if limit is not None and account.type == CREDIT:
        url = balances.url_of(account, today())
        owed = Line(gettext("What you owe"), -balance, url, is_explained=True)
        lines = [Line(gettext("Your limit"), limit, is_start=True), owed]
    else:
        lines = [_balance(account)]
    if available is None:  # the bank does not say what is left of the limit
        return [*lines, Result(gettext("Left of your limit"), total_of(lines))]
    lines += _pending(account)
    rest = available - total_of(lines)
    if rest:
        lines.append(
            Line(
                gettext("Not explained by transactions"),
                rest,
                detail=gettext("Such as money that the bank holds back, or an overdraft."),
                is_estimate=True,
            )
        )
    said = gettext("as the bank reported it, %(when)s", when=inline_moment(account.updated_at))
    agrees = gettext("the bank says the same, %(when)s", when=inline_moment(account.updated_at))
    result = Result(
        gettext("Available"), available, said if rest else agrees, is_confirmed=not rest
    )
    return [*lines, result]
