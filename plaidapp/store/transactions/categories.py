"""Plaid's categories, and the rules for what counts as a transfer, income and spending.

Each row is one of the three, by its category and its sign. Plaid has two versions of its
categories. The app asks for the second, and still reads rows of the first. Plaid may add
categories at any time.
https://plaid.com/documents/pfc-taxonomy-all.csv
"""

from decimal import Decimal

from sqlalchemy import ColumnElement, SQLColumnExpression, case, func

from ..connections.account_types import CREDIT, DEPOSITORY

INCOME = "INCOME"
TRANSFER_IN, TRANSFER_OUT = "TRANSFER_IN", "TRANSFER_OUT"
LOAN_PAYMENTS = "LOAN_PAYMENTS"
LOAN_PAYOUT = "LOAN_DISBURSEMENTS"
"""What a lender pays out. The first version has it under TRANSFER_IN."""
_EARNED = ("INCOME_", "LOAN_DISBURSEMENTS_")
_ANY_INCOME = frozenset({"INCOME_OTHER", "INCOME_OTHER_INCOME"})
UNKNOWN = "OTHER"
"""The category of a row for which Plaid gives none, or finds none that fits."""
PRIMARY = (
    INCOME,
    TRANSFER_IN,
    TRANSFER_OUT,
    LOAN_PAYOUT,
    LOAN_PAYMENTS,
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
_TRANSFERS = (TRANSFER_IN, TRANSFER_OUT, LOAN_PAYOUT)
_REFUNDED = frozenset(PRIMARY) - {INCOME, *_TRANSFERS, UNKNOWN}
"""Categories of purchases, under which money in is a refund."""


def category_of(
    primary: str | None, detailed: str | None, *, money_out: bool, is_matched: bool = False
) -> str:
    """Return the category that a row counts under if the person has chosen none.

    `is_matched` says that the row is one side of a transfer (transfers.py).
    """
    if is_matched or detailed == CARD_PAYMENT:
        return TRANSFER_OUT if money_out else TRANSFER_IN
    return primary or UNKNOWN


def category_sql(
    chosen: SQLColumnExpression[str | None],
    is_matched: ColumnElement[bool],
    primary: SQLColumnExpression[str | None],
    detailed: SQLColumnExpression[str | None],
    amount: SQLColumnExpression[Decimal],
) -> ColumnElement[str]:
    """In SQL, return the person's own choice, or what `category_of` returns.

    A positive `amount` is money out.
    """
    return case(
        (chosen.is_not(None), chosen),
        (
            is_matched | (detailed == CARD_PAYMENT),
            case((amount > 0, TRANSFER_OUT), else_=TRANSFER_IN),
        ),
        else_=func.coalesce(func.nullif(primary, ""), UNKNOWN),
    )


def is_transfer(category: str) -> bool:
    """Return True for money that is neither earned nor spent.

    It stays the person's own or, when a lender pays out a loan, is borrowed.
    """
    return category in _TRANSFERS


def is_spending(category: str, *, money_out: bool) -> bool:
    """Return True if a row is a purchase or, if money comes in, the refund of one.

    A refund reduces what was spent under its category. Money in under OTHER, or under a category
    that is not known here, may be anything. It is income, like everything else that is neither a
    transfer nor spending.
    """
    if money_out:
        return category != INCOME and not is_transfer(category)
    return category in _REFUNDED


def spent(category: str, money_in: Decimal, money_out: Decimal) -> Decimal | None:
    """Return the purchases less the refunds of a category; negative if the refunds are larger.

    None if there are neither. Neither amount is negative.
    """
    parts = (money_out, True), (-money_in, False)
    found = [part for part, out in parts if part and is_spending(category, money_out=out)]
    return sum(found, Decimal(0)) if found else None


def is_earned(detailed: str | None) -> bool:
    """Return True for a detailed category that says who pays: an employer, a lender and so on."""
    return bool(detailed and detailed.startswith(_EARNED) and detailed not in _ANY_INCOME)


def not_transfer_sql(category: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """In SQL, the condition that a row is no transfer."""
    return category.not_in(_TRANSFERS)


def spending_account_sql(account_type: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """In SQL, the condition that an account is one that people earn and spend on."""
    return account_type.in_(SPENDING_TYPES)
