"""The labels and icons of Plaid's categories. It may add some that have none here.

https://plaid.com/documents/pfc-taxonomy-all.csv
"""

from flask import Flask
from flask_babel import lazy_gettext as _

from plaidapp.formats import words
from plaidapp.store.transactions.categories import PRIMARY, UNKNOWN, is_transfer

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


def init_app(app: Flask) -> None:
    app.add_template_filter(category_label)
    app.add_template_filter(category_icon)
    app.add_template_filter(detailed_label)
    app.add_template_test(is_transfer)


def category_label(code: str | None) -> str:
    """Such as "Food and drink". An unknown code reads as words."""
    code = code or UNKNOWN
    return str(LABELS.get(code) or words(code))


def detailed_label(code: str, primary: str | None) -> str:
    """Such as "Groceries" for FOOD_AND_DRINK_GROCERIES, a detailed category of FOOD_AND_DRINK."""
    return str(detailed_labels.LABELS.get(code) or words(code.removeprefix(f"{primary}_")))


def category_icon(code: str | None) -> str:
    """The name of a symbol in static/icons.svg."""
    return ICONS.get(code or UNKNOWN, ICONS[UNKNOWN])


def categories_with(*more: str | None) -> list[str]:
    """The codes of Plaid's categories and of `more`, sorted by their labels."""
    codes = dict.fromkeys([*PRIMARY, *filter(None, more)])
    return sorted(codes, key=category_label)
