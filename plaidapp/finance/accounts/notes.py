"""What else is true of an account and its page says: each in one sentence, with one button."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext

from plaidapp.days import day_of, long_day
from plaidapp.formats import bank_name
from plaidapp.store import Account, Item


@dataclass(frozen=True)
class Note:
    """The button posts a form to `action` or is a link to `address`."""

    sentence: str
    button: str
    address: str = ""
    action: str = ""


def of_account(account: Account, item: Item, standby: Item | None) -> Iterator[Note]:
    """`standby` is a connection that would report the account if `item` no longer did."""
    if account.closed_at and account.closed_at != item.disconnected_at:
        yield Note(
            gettext(
                "The bank has closed this account or no longer shares it since %(day)s."
                " Its history stays here.",
                day=long_day(day_of(account.closed_at)),
            ),
            gettext("Go to the connection"),
            address=url_for("finance.item", item_id=item.id),
        )
    if account.is_hidden:
        yield Note(
            gettext("You have hidden this account: lists, totals and net worth leave it out."),
            gettext("Show"),
            action=url_for("finance.show_account", account_id=account.id),
        )
    if account.balance is None and not account.closed_at:
        yield Note(
            gettext("The bank has never sent a balance for this account."),
            gettext("Go to the connection"),
            address=url_for("finance.item", item_id=item.id),
        )
    if standby:
        yield Note(
            gettext(
                "%(bank)s shares this account too, and carries on if this connection ends.",
                bank=bank_name(standby),
            ),
            gettext("Go to that connection"),
            address=url_for("finance.item", item_id=standby.id),
        )
