"""What the address of a figure or of its page asks for. What can't be shown is a 404."""

from collections.abc import Sequence
from datetime import date

from flask import abort, request

from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404
from plaidapp.days import today
from plaidapp.store import Account, Item
from plaidapp.store.base.dates import month_of
from plaidapp.store.connections import accounts

from . import leading_currency
from .fields import YEARS


def account(account_id: int) -> tuple[Account, Item]:
    return owned_or_404(accounts.with_item, account_id, LARGEST_BIG_ID)


def account_in_query() -> Account | None:
    """The account that the address names after the question mark; None without one."""
    text = request.args.get("account")
    if text is None:
        return None
    if not text.isdecimal() or not text.isascii():
        abort(404)
    return account(int(text))[0]


def day(name: str = "day") -> date:
    """The day in the address, today without one. No figure is of a later day."""
    return _past(request.args.get(name) or today().isoformat())


def month() -> date:
    """The first day of the month in the address, such as "2026-11"; this month without one."""
    text = request.args.get("month")
    return _past(f"{text}-01") if text else month_of(today())


def month_among(known: Sequence[date]) -> date:
    """The first day of the month in the address, which is one of `known`. The first of them without
    one, and for a page that has been open since before it."""
    text = request.args.get("month")
    found = max(_date(f"{text}-01"), known[0]) if text else known[0]
    if found not in known:
        abort(404)
    return found


def _past(text: str) -> date:
    found = _date(text)
    if found > today():
        abort(404)
    return found


def _date(text: str) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        abort(404)
    if found.isoformat() != text or found.year not in YEARS:
        abort(404)
    return found


def currency() -> str:
    """The currency in the address; the one that leads without one."""
    named = request.args.get("currency")
    return next(iter(leading_currency.of_person()), "") if named is None else named


def part(*known: str) -> str:
    """The part of the figure in the address; the last of `known` without one."""
    asked = request.args.get("part", known[-1])
    if asked not in known:
        abort(404)
    return asked
