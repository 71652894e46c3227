"""The two levels of Plaid's categories: primary ones, and the detailed ones that each is made of.

Both versions of the categories are here. Plaid may add some at any time: a code that is unknown
here is a primary category, or a detailed one of the primary category that it begins with.
https://plaid.com/documents/pfc-taxonomy-all.csv
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, case, func, literal, or_

from .categories import CARD_PAYMENT, PRIMARY, TRANSFER_IN, TRANSFER_OUT, UNKNOWN, is_transfer

_ENDINGS = {
    "INCOME": """CHILD_SUPPORT CONTRACTOR DIVIDENDS GIG_ECONOMY INTEREST_EARNED
        LONG_TERM_DISABILITY MILITARY RENTAL RETIREMENT_PENSION SALARY TAX_REFUND UNEMPLOYMENT
        OTHER""",
    "TRANSFER_IN": """ACCOUNT_TRANSFER CASH_ADVANCES_AND_LOANS DEPOSIT
        INVESTMENT_AND_RETIREMENT_FUNDS SAVINGS TRANSFER_IN_FROM_APPS WIRE OTHER_TRANSFER_IN""",
    "TRANSFER_OUT": """ACCOUNT_TRANSFER CRYPTO INVESTMENT_AND_RETIREMENT_FUNDS SAVINGS
        TRANSFER_OUT_FROM_APPS WIRE WITHDRAWAL OTHER_TRANSFER_OUT""",
    "LOAN_DISBURSEMENTS": """AUTO CASH_ADVANCES EWA MORTGAGE PERSONAL STUDENT
        OTHER_DISBURSEMENT""",
    "LOAN_PAYMENTS": """BNPL CAR_PAYMENT CASH_ADVANCES EWA MORTGAGE_PAYMENT
        PERSONAL_LOAN_PAYMENT STUDENT_LOAN_PAYMENT OTHER_PAYMENT""",
    "BANK_FEES": """ATM_FEES CASH_ADVANCE FOREIGN_TRANSACTION_FEES INSUFFICIENT_FUNDS
        INTEREST_CHARGE LATE_FEES OVERDRAFT_FEES OTHER_BANK_FEES""",
    "ENTERTAINMENT": """CASINOS_AND_GAMBLING MUSIC_AND_AUDIO
        SPORTING_EVENTS_AMUSEMENT_PARKS_AND_MUSEUMS TV_AND_MOVIES VIDEO_GAMES
        OTHER_ENTERTAINMENT""",
    "FOOD_AND_DRINK": """BEER_WINE_AND_LIQUOR COFFEE FAST_FOOD GROCERIES RESTAURANT
        VENDING_MACHINES OTHER_FOOD_AND_DRINK""",
    "GENERAL_MERCHANDISE": """BOOKSTORES_AND_NEWSSTANDS CLOTHING_AND_ACCESSORIES
        CONVENIENCE_STORES DEPARTMENT_STORES DISCOUNT_STORES ELECTRONICS GIFTS_AND_NOVELTIES
        OFFICE_SUPPLIES ONLINE_MARKETPLACES PET_SUPPLIES SPORTING_GOODS SUPERSTORES
        TOBACCO_AND_VAPE OTHER_GENERAL_MERCHANDISE""",
    "HOME_IMPROVEMENT": """FURNITURE HARDWARE REPAIR_AND_MAINTENANCE SECURITY
        OTHER_HOME_IMPROVEMENT""",
    "MEDICAL": """DENTAL_CARE EYE_CARE NURSING_CARE PHARMACIES_AND_SUPPLEMENTS PRIMARY_CARE
        VETERINARY_SERVICES OTHER_MEDICAL""",
    "PERSONAL_CARE": """GYMS_AND_FITNESS_CENTERS HAIR_AND_BEAUTY LAUNDRY_AND_DRY_CLEANING
        OTHER_PERSONAL_CARE""",
    "GENERAL_SERVICES": """ACCOUNTING_AND_FINANCIAL_PLANNING AUTOMOTIVE CHILDCARE
        CONSULTING_AND_LEGAL EDUCATION INSURANCE POSTAGE_AND_SHIPPING STORAGE
        OTHER_GENERAL_SERVICES""",
    "GOVERNMENT_AND_NON_PROFIT": """DONATIONS GOVERNMENT_DEPARTMENTS_AND_AGENCIES TAX_PAYMENT
        OTHER_GOVERNMENT_AND_NON_PROFIT""",
    "TRANSPORTATION": """BIKES_AND_SCOOTERS GAS PARKING PUBLIC_TRANSIT TAXIS_AND_RIDE_SHARES
        TOLLS OTHER_TRANSPORTATION""",
    "TRAVEL": "FLIGHTS LODGING RENTAL_CARS OTHER_TRAVEL",
    "RENT_AND_UTILITIES": """GAS_AND_ELECTRICITY INTERNET_AND_CABLE RENT
        SEWAGE_AND_WASTE_MANAGEMENT TELEPHONE WATER OTHER_UTILITIES""",
    "OTHER": "OTHER",
}
TREE: Mapping[str, tuple[str, ...]] = {
    primary: (
        *([CARD_PAYMENT] if primary == TRANSFER_OUT else []),
        *(f"{primary}_{ending}" for ending in _ENDINGS[primary].split()),
    )
    for primary in PRIMARY
}
"""The detailed categories of each primary one. The last is for what fits none of the others.

A payment to a person's own card is here under the transfers, because it counts as one."""
RENAMED = {"INCOME_WAGES": "INCOME_SALARY", "INCOME_OTHER_INCOME": "INCOME_OTHER"}
"""Names in the first version, and what the second calls the same. It has divided the third name
that it dropped, TRANSFER_IN_CASH_ADVANCES_AND_LOANS, into the payouts of loans."""
REST = {primary: detailed[-1] for primary, detailed in TREE.items()}
"""The detailed category of a row of which only the primary category is known."""
_PRIMARY_OF = {code: primary for primary, detailed in TREE.items() for code in detailed}


def primary_of(code: str) -> str:
    """Return the primary category of a code of either level."""
    if code in TREE:
        return code
    known = _PRIMARY_OF.get(RENAMED.get(code, code))
    return known or next((each for each in PRIMARY if code.startswith(f"{each}_")), code)


def is_detailed(code: str) -> bool:
    return primary_of(code) != code


def chosen(code: str | None) -> dict[str, str | None]:
    """Return the two columns of a person's choice of a code of either level."""
    if code is None or not is_detailed(code):
        return {"own_category": code, "own_detailed": None}
    return {"own_category": primary_of(code), "own_detailed": RENAMED.get(code, code)}


def detailed_of(
    category: str, detailed: str | None, own_category: str | None, own_detailed: str | None
) -> str:
    """Return the detailed category of a row that counts under this primary category.

    The bank's counts if it is a part of `category` and the person has chosen none.
    """
    if own_category:
        return own_detailed or rest_of(category)
    code = detailed or ""
    is_part = code.startswith(f"{category}_") or (code == CARD_PAYMENT and is_transfer(category))
    return RENAMED.get(code, code) if is_part else rest_of(category)


def rest_of(primary: str) -> str:
    """Return the detailed category of rows of which only the primary one is known."""
    return REST.get(primary) or f"{primary}_OTHER"


def most_of(category: str, detailed: str) -> str:
    """Return the detailed category, or the primary one of which it is the rest."""
    return category if detailed == rest_of(category) else detailed


def detailed_sql(
    own_category: SQLColumnExpression[str | None],
    own_detailed: SQLColumnExpression[str | None],
    is_matched: ColumnElement[bool],
    primary: SQLColumnExpression[str | None],
    detailed: SQLColumnExpression[str | None],
    amount: SQLColumnExpression[Decimal],
) -> ColumnElement[str]:
    """In SQL, return what `detailed_of` does. A positive `amount` is money out."""
    now_called = case(RENAMED, value=detailed, else_=detailed)

    def part_of(category: ColumnElement[str], rest: ColumnElement[str]) -> ColumnElement[str]:
        begins = func.substr(detailed, 1, func.length(category) + 1) == category.concat("_")
        return case((begins, now_called), else_=rest)

    def of(category: str) -> ColumnElement[str]:
        return part_of(literal(category), literal(REST[category]))

    bank = func.coalesce(func.nullif(primary, ""), UNKNOWN)
    return case(
        (own_category.is_not(None), func.coalesce(own_detailed, _rest_sql(own_category))),
        (detailed == CARD_PAYMENT, CARD_PAYMENT),
        (is_matched, case((amount > 0, of(TRANSFER_OUT)), else_=of(TRANSFER_IN))),
        else_=part_of(bank, _rest_sql(bank)),
    )


def _rest_sql(primary: SQLColumnExpression[Any]) -> ColumnElement[str]:
    return case(REST, value=primary, else_=primary.concat("_OTHER"))


def any_of_sql(
    codes: Iterable[str],
    category: SQLColumnExpression[str],
    detailed: SQLColumnExpression[str],
) -> ColumnElement[bool]:
    """In SQL, the condition that rows count under one of these codes of either level."""
    wanted = list(codes)
    primary = [code for code in wanted if not is_detailed(code)]
    parts = [RENAMED.get(code, code) for code in wanted if code not in TREE]
    conditions = [category.in_(primary)] if primary else []
    return or_(*conditions, *([detailed.in_(parts)] if parts else []))
