"""Personal finance categories, as Plaid names them, and which of them a row counts under.

https://plaid.com/documents/pfc-taxonomy-all.csv
"""

PRIMARY = (
    "INCOME",
    "TRANSFER_IN",
    "TRANSFER_OUT",
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
    "OTHER",
)
TRANSFERS = ("TRANSFER_IN", "TRANSFER_OUT")
"""Money that stays the person's own: neither earned nor spent."""
SPENT_FROM = ("depository", "credit")
"""The types of accounts on which money is earned and spent; others are saved in, or owed."""
CARD_PAYMENT = "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"
"""Paying one's own card is no spending: the purchases on it were."""
UNKNOWN = "OTHER"
