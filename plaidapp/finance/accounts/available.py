"""What is left of an account's money or limit, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext, ngettext

from plaidapp.formats import money, number
from plaidapp.store import Account
from plaidapp.store.connections.account_types import CREDIT
from plaidapp.store.reports import running_balances
from plaidapp.store.reports.running_balances import Pending


@dataclass(frozen=True)
class Available:
    """`sentences` say what is owed and what is left; `pending`, what the pending rows will make of
    it. `share` is how much of the limit is used, in percent; None without a limit. `is_sum` says
    that what is left can be written out as a sum."""

    sentences: str
    pending: str
    share: Decimal | None
    is_sum: bool = False

    @classmethod
    def of(cls, account: Account, pending: Pending) -> "Available":
        if account.closed_at or account.balance is None:
            return cls("", "", None)
        said = " ".join(_of_debt(account) if account.is_debt else _of_money(account))
        expected = _expected(account, pending) if pending.rows else ""
        return cls(said, expected, _share(account), is_sum(account))


def is_sum(account: Account) -> bool:
    """Is what is left the balance or, on a card, the limit, less parts that are known?"""
    if account.type == CREDIT:
        return account.limit is not None
    return not account.is_debt and None not in (account.available, account.current)


def _of_debt(account: Account) -> Iterator[str]:
    owed, currency = account.balance or Decimal(0), account.currency
    if owed > 0:
        yield gettext("You owe %(amount)s.", amount=money(owed, currency))
    elif owed < 0:
        yield gettext("The bank owes you %(amount)s.", amount=money(-owed, currency))
    else:
        yield gettext("You owe nothing.")
    if account.type != CREDIT:
        return
    left, limit = _left(account), account.limit
    if left is not None and limit is not None:
        amounts = {"left": money(abs(left), currency), "limit": money(limit, currency)}
        if left < 0:
            yield gettext("That is %(left)s more than your limit of %(limit)s.", **amounts)
        else:
            yield gettext("%(left)s of your %(limit)s limit is left.", **amounts)
    elif left is not None:
        yield gettext("%(left)s is left to spend.", left=money(left, currency))


def _of_money(account: Account) -> Iterator[str]:
    currency = account.currency
    if account.available is not None and account.current is not None:
        yield gettext("%(amount)s is available.", amount=money(account.available, currency))
    if account.limit:
        yield gettext(
            "You can overdraw it by up to %(limit)s.", limit=money(account.limit, currency)
        )


def _left(account: Account) -> Decimal | None:
    """What is left of the limit, as the bank says, or else as the limit and the balance say."""
    if account.available is not None or account.limit is None:
        return account.available
    return None if account.balance is None else account.limit - account.balance


def _share(account: Account) -> Decimal | None:
    if account.type != CREDIT or not account.limit or account.balance is None:
        return None
    return max(Decimal(0), min(account.balance / account.limit * 100, Decimal(100)))


def _expected(account: Account, pending: Pending) -> str:
    """What the balance becomes when the pending rows post as they are."""
    if not running_balances.has_balances(account) or account.current is None:
        return ""
    owed = 1 if account.is_debt else -1
    return ngettext(
        "With %(count)s pending, about %(amount)s.",
        "With %(count)s pending, about %(amount)s.",
        pending.rows,
        count=number(pending.rows),
        amount=money(account.current + owed * pending.amount, account.currency),
    )
