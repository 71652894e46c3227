"""Plaid's categories, and the rules for what counts as a transfer, income and spending.

https://plaid.com/documents/pfc-taxonomy-all.csv
"""

from decimal import Decimal

from sqlalchemy import ColumnElement, SQLColumnExpression, case, func

from ..connections.account_types import CREDIT, DEPOSITORY

INCOME = "INCOME"
TRANSFER_IN, TRANSFER_OUT = "TRANSFER_IN", "TRANSFER_OUT"
UNKNOWN = "OTHER"
"""The category of a row for which Plaid gives none."""
PRIMARY = (
    INCOME,
    TRANSFER_IN,
    TRANSFER_OUT,
    "LOAN_PAYMENTS",
    "BANK_FEES",
    "ENTERTAINMENT",
    "FOOD_AND_DRINK",
    "GENERAL_MERCHANDISE",
    "HOME_IMPROVEMENT",
    "MEDICAL",
    "PERSONAL_CARE",
    "GENERAL_SERVICES",
    "GOVERNMENT_AND_NON_PROFIT",
    "TRANSPORTATION",
    "TRAVEL",
    "RENT_AND_UTILITIES",
    UNKNOWN,
)
SPENDING_TYPES = (DEPOSITORY, CREDIT)
"""Account types with income and spending. Other accounts hold savings or loans."""
CARD_PAYMENT = "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"
"""The detailed category of a payment to a person's own card. It is a transfer: the purchases on the
card are the spending."""
_TRANSFERS = (TRANSFER_IN, TRANSFER_OUT)


def category_of(primary: str | None, detailed: str | None, *, money_out: bool) -> str:
    """Return the category that a row counts under if the person has chosen none."""
    if detailed == CARD_PAYMENT:
        return TRANSFER_OUT if money_out else TRANSFER_IN
    return primary or UNKNOWN


def category_sql(
    chosen: SQLColumnExpression[str | None],
    primary: SQLColumnExpression[str | None],
    detailed: SQLColumnExpression[str | None],
    amount: SQLColumnExpression[Decimal],
) -> ColumnElement[str]:
    """In SQL, return the person's own choice, or what `category_of` returns.

    A positive `amount` is money out.
    """
    return case(
        (chosen.is_not(None), chosen),
        (detailed == CARD_PAYMENT, case((amount > 0, TRANSFER_OUT), else_=TRANSFER_IN)),
        else_=func.coalesce(primary, UNKNOWN),
    )


def is_transfer(category: str) -> bool:
    """Return True for money that stays the person's own: it is neither earned nor spent."""
    return category in _TRANSFERS


def is_spending(category: str) -> bool:
    """Return True if the category is neither a transfer nor income."""
    return category != INCOME and not is_transfer(category)


def not_transfer_sql(category: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """In SQL, the condition that a row is no transfer."""
    return category.not_in(_TRANSFERS)


def spending_account_sql(account_type: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """In SQL, the condition that an account is one that people earn and spend on."""
    return account_type.in_(SPENDING_TYPES)
