"""How many rows the last checks have compared with the banks, account by account."""

from collections.abc import Iterable
from decimal import Decimal

from flask_babel import gettext

from plaidapp import policy
from plaidapp.auth.access import owned_or_404, person
from plaidapp.days import day_of, month_day
from plaidapp.formats import bank_name
from plaidapp.store import Account, AccountCheck
from plaidapp.store.base.dates import days_later
from plaidapp.store.connections import accounts, checks, items

from ..base import proof
from ..base.blueprint import blueprint
from ..connections import check_view
from ..transactions import filter_urls
from ..transactions.filter_urls import account_label
from . import span
from .explanation import Explanation, Line, Result, answer, total_of


@blueprint.app_template_filter()
def compared_url(check: AccountCheck) -> str:
    """The posted rows of the days that an account's check has compared; there are some."""
    day = day_of(check.checked_at)
    last = days_later(day, policy.DATED_AHEAD.days)
    return filter_urls.address(span.rows_between(check.account_id, check.since or day, last))


@blueprint.get("/explain/compared")
def explain_compared() -> str:
    """Of the accounts that the overview lists."""
    listed = [account for account in accounts.of_user(person().id) if not account.is_hidden]
    found = proof.of_accounts(listed, items.of_user(person().id), checks.of_user(person().id))
    return _answer(gettext("At all banks"), found.compared)


@blueprint.get("/explain/compared/<int:item_id>")
def explain_compared_of_item(item_id: int) -> str:
    item = owned_or_404(items.owned, item_id)
    found = check_view.of_item(item.id, accounts.of_item(item.id))
    return _answer(bank_name(item), found.accounts)


def _answer(about: str, compared: Iterable[tuple[Account, AccountCheck]]) -> str:
    lines = [_line(account, check) for account, check in compared if check.rows]
    title = gettext("Rows compared")
    note = gettext(
        "Each of these rows was here and at the bank. Pending rows can’t be compared, and neither "
        "can rows from before the connection."
    )
    entries: list[Line | Result] = [*lines, Result(title, total_of(lines))]
    return answer(
        Explanation(title, about, "", entries, notes=[note], is_signed=False, is_count=True)
    )


def _line(account: Account, check: AccountCheck) -> Line:
    detail = gettext("since %(day)s", day=month_day(check.since or day_of(check.checked_at)))
    return Line(account_label(account), Decimal(check.rows), compared_url(check), detail)
