"""What a person has that has a name: accounts, banks and recurring payments."""

from collections.abc import Iterable, Iterator

from flask import url_for
from flask_babel import gettext as _

from plaidapp.formats import bank_name, shown_title, signed_money
from plaidapp.store import Account, Item, Stream

from .matching import Matching
from .result import Result


def accounts(
    mine: Iterable[Account], banks: Iterable[Item], matching: Matching
) -> Iterator[Result]:
    """Hidden accounts are found too, and marked."""
    names_of = {item.id: bank_name(item) for item in banks}
    for account in mine:
        bank_title = names_of.get(account.item_id, "")
        full = f"{account.title} {account.mask or ''}"
        names = [account.title, full, account.name, account.official_name or "", bank_title]
        if (found := matching(names)) is not None:
            yield Result(
                found,
                full.strip(),
                url_for("finance.account", account_id=account.id),
                "wallet",
                detail=bank_title,
                tag=_tag(account),
            )


def _tag(account: Account) -> str:
    if account.is_hidden:
        return _("hidden")
    return _("closed") if account.closed_at else ""


def connections(items: Iterable[Item], matching: Matching) -> Iterator[Result]:
    for item in items:
        title = bank_name(item)
        if (found := matching([title])) is not None:
            url = url_for("finance.item", item_id=item.id)
            yield Result(found, title, url, detail=_("Connection"), logo=item.logo)


def streams(mine: Iterable[Stream], matching: Matching) -> Iterator[Result]:
    for stream in mine:
        title = shown_title(stream)
        if (found := matching([title, stream.description])) is not None:
            url = url_for("finance.recurring_stream", stream_id=stream.id)
            amount = signed_money(stream.last_amount, stream.currency)
            tag = _stream_tag(stream)
            yield Result(found, title, url, detail=amount, tag=tag, logo=stream.logo)


def _stream_tag(stream: Stream) -> str:
    return _("ended") if stream.is_over else ""
