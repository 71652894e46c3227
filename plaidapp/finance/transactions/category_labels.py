"""The labels and icons of Plaid's categories. It may add some that have none here.

https://plaid.com/documents/pfc-taxonomy-all.csv
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from flask import Flask
from flask_babel import get_locale
from flask_babel import lazy_gettext as _

from plaidapp.formats import words
from plaidapp.store.transactions.categories import UNKNOWN, is_transfer
from plaidapp.store.transactions.category_tree import RENAMED, REST, TREE, is_detailed, primary_of

from . import detailed_labels

LABELS = {
    "INCOME": _("Income"),
    "TRANSFER_IN": _("Transfer in"),
    "TRANSFER_OUT": _("Transfer out"),
    "LOAN_DISBURSEMENTS": _("Loan payouts"),
    "LOAN_PAYMENTS": _("Loan payments"),
    "BANK_FEES": _("Bank fees"),
    "ENTERTAINMENT": _("Entertainment"),
    "FOOD_AND_DRINK": _("Food and drink"),
    "GENERAL_MERCHANDISE": _("Shopping"),
    "HOME_IMPROVEMENT": _("Home improvement"),
    "MEDICAL": _("Health"),
    "PERSONAL_CARE": _("Personal care"),
    "GENERAL_SERVICES": _("Services"),
    "GOVERNMENT_AND_NON_PROFIT": _("Taxes and donations"),
    "TRANSPORTATION": _("Transport"),
    "TRAVEL": _("Travel"),
    "RENT_AND_UTILITIES": _("Rent and utilities"),
    "OTHER": _("Uncategorized"),
}
ICONS = {
    "INCOME": "banknote",
    "TRANSFER_IN": "arrow-down-left",
    "TRANSFER_OUT": "arrow-up-right",
    "LOAN_DISBURSEMENTS": "landmark",
    "LOAN_PAYMENTS": "hand-coins",
    "BANK_FEES": "receipt",
    "ENTERTAINMENT": "clapperboard",
    "FOOD_AND_DRINK": "utensils",
    "GENERAL_MERCHANDISE": "shopping-bag",
    "HOME_IMPROVEMENT": "hammer",
    "MEDICAL": "heart-pulse",
    "PERSONAL_CARE": "scissors",
    "GENERAL_SERVICES": "briefcase",
    "GOVERNMENT_AND_NON_PROFIT": "scale",
    "TRANSPORTATION": "bus",
    "TRAVEL": "plane",
    "RENT_AND_UTILITIES": "house",
    "OTHER": "circle-dashed",
}

KNOWN = {*RENAMED, *TREE, *(code for detailed in TREE.values() for code in detailed)}


def init_app(app: Flask) -> None:
    app.add_template_filter(category_label)
    app.add_template_filter(category_icon)
    app.add_template_test(is_transfer)


class Choice(NamedTuple):
    """A detailed category."""

    code: str
    label: str


class Primary(NamedTuple):
    """A primary category with its detailed ones."""

    code: str
    label: str
    detailed: Sequence[Choice]


def category_label(code: str | None, primary: str | None = None) -> str:
    """Such as "Food and drink", and "Groceries" for FOOD_AND_DRINK_GROCERIES.

    An unknown code reads as words, without those of `primary`, if that is unknown too.
    """
    code = code or UNKNOWN
    code = RENAMED.get(code, code)
    label = LABELS.get(code, detailed_labels.LABELS.get(code))
    if label is not None:  # `or` would translate it twice
        return str(label)
    return words(code.removeprefix(f"{primary or primary_of(code)}_"))


def category_icon(code: str | None) -> str:
    """The name of a symbol in static/icons.svg. A detailed category has that of its primary one."""
    return ICONS.get(primary_of(code or UNKNOWN), ICONS[UNKNOWN])


def categories_with(*more: str | None) -> Sequence[Primary]:
    """Plaid's categories and `more`, primary ones by their labels and detailed ones in each.

    The last detailed category of each is for what fits none of the others.
    """
    return _sorted(str(get_locale()), tuple(sorted(set(filter(None, more)) - KNOWN)))


@lru_cache(maxsize=100)  # two lists of a page have them, and sorting takes longer than the rest
def _sorted(_locale: str, more: tuple[str, ...]) -> Sequence[Primary]:
    codes: dict[str, list[str]] = {primary: list(detailed) for primary, detailed in TREE.items()}
    for code in more:
        codes.setdefault(primary_of(code), [])
        if is_detailed(code):
            codes[primary_of(code)].append(code)
    groups = []
    for primary, detailed in codes.items():
        choices = [Choice(code, category_label(code)) for code in detailed]
        choices.sort(key=lambda each: (each.code == REST.get(primary), each.label.casefold()))
        groups.append(Primary(primary, category_label(primary), choices))
    return sorted(groups, key=lambda group: group.label.casefold())
