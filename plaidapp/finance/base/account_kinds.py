"""The kinds of account in the order in which pages list them."""

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from plaidapp.store import Account
from plaidapp.store.connections.account_types import (
    BROKERAGE,
    CREDIT,
    DEPOSITORY,
    INVESTMENT,
    LOAN,
)

KINDS: tuple[tuple[str, LazyString, tuple[str, ...]], ...] = (
    ("cash", lazy_gettext("Cash"), (DEPOSITORY,)),
    ("cards", lazy_gettext("Cards"), (CREDIT,)),
    ("investments", lazy_gettext("Investments"), (INVESTMENT, BROKERAGE)),
    ("loans", lazy_gettext("Loans"), (LOAN,)),
    ("other", lazy_gettext("Other"), ()),
)
"""Key, title, and Plaid's account types; "other" is for every type that no kind names."""
_KIND_OF_TYPE = {type_: key for key, _, types in KINDS for type_ in types}


def kind_of(account: Account) -> str:
    """Return the key of the account's kind."""
    return _KIND_OF_TYPE.get(account.type, "other")
