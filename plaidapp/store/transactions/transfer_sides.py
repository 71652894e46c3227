"""A row that may be one side of a transfer, and what it says of where money comes from and goes to.

transfer_rule.py decides with this which rows match.
"""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache

from .categories import LOAN_PAYMENTS, TRANSFER_IN, TRANSFER_OUT, UNKNOWN, is_earned, is_spending

NONE, PAYMENT, TRANSFER = range(3)
CATEGORIES = {TRANSFER_IN: TRANSFER, TRANSFER_OUT: TRANSFER, LOAN_PAYMENTS: PAYMENT}
"""Plaid's primary categories that hint at a transfer."""
TRANSFER_WORDS = re.compile(
    r"trans?fer|\btra?nsf\b|\btrnsfr?\b|xfer|\btfr\b"
    r"|virement|umbuchung|übertrag|traspaso|overboeking",
    re.IGNORECASE,
)
PAYMENT_WORDS = re.compile(
    r"payment|pymn?ts?\b|pmts?\b|\bauto ?pay|\be-?pay\b|thank you", re.IGNORECASE
)
PAY_WORDS = re.compile(
    r"payroll|\bsalary|\bwages?\b|direct dep|dividend|\binterest\b|refund|reversal|rebate"
    r"|\bgehalt|\blohn\b|erstattung|salaire|remboursement|nómina|reembolso",
    re.IGNORECASE,
)
"""Words of pay, interest and refunds."""
PERSON_WORDS = re.compile(r"\bzelle\b|\binterac\b|\bbizum\b", re.IGNORECASE)
"""Services that take money from one person's bank account to another's."""
ATM = re.compile(r"\batm\b", re.IGNORECASE)
BANK_WORDS = re.compile(
    r"accounts?|acct|ach|bank(?:ing)?|checking|savings|share|credit|debit|deposit(?:ed)?|eft"
    r"|withdraw(?:al)?|electronic|mobile|online|internet|web|incoming|outgoing|internal|moved?"
    r"|from|to|in|into|out|of|my|own|for|on|id|ref|reference|conf|confirmation|received|sent|sepa"
    r"|konto|compte|cuenta|auszahlung|einzahlung|gutschrift|lastschrift|dépôt|retrait|versement"
    r"|depósito|retiro|ingreso|opname|storting"
)
"""Words that name neither a shop nor a person. "Check" and "bill" are not among them, because
that money goes to others, and neither is "direct": a direct deposit is pay."""
WORD = re.compile(r"[^\W\d_]+")
SHORTEST_NUMBER, SHORTEST_KIND = 3, 4


@dataclass(frozen=True, eq=False)
class Side:
    """A row that may be one side of a transfer, with what is needed of its account.

    `amount` is in units of 10^-8, and positive is money out. `category` and `detailed` are Plaid's.
    `is_separated` says that the person called it no transfer.
    """

    id: int
    plaid_transaction_id: str
    account_id: int
    account_type: str
    account_subtype: str | None
    account_mask: str | None
    date: date
    amount: int
    currency: str | None
    name: str
    merchant_name: str | None
    category: str | None
    detailed: str | None
    is_separated: bool

    @cached_property
    def hint(self) -> int:
        """NONE, PAYMENT or TRANSFER. The description counts only if it names no merchant.

        Cash from an ATM hints at nothing, though its category is TRANSFER_OUT.
        """
        by_category = CATEGORIES.get(self.category or "", NONE)
        if self.merchant_name or self.is_pay:
            return by_category
        if TRANSFER_WORDS.search(self.name):
            return TRANSFER
        if self.amount > 0 and ATM.search(self.name):
            return NONE
        return max(by_category, PAYMENT if self.says_payment else NONE)

    @cached_property
    def speaks_against(self) -> bool:
        """True for a row without a hint that has somebody else at its other end."""
        return bool(self.merchant_name) or self.is_pay or is_earned(self.detailed)

    @cached_property
    def is_pay(self) -> bool:
        """True if the description of money in says pay, interest or refund."""
        return self.amount < 0 and bool(PAY_WORDS.search(self.name))

    @property
    def is_refund(self) -> bool:
        return is_spending(self.category or UNKNOWN, money_out=self.amount > 0)

    @cached_property
    def says_payment(self) -> bool:
        return bool(PAYMENT_WORDS.search(self.name))

    @cached_property
    def pays_a_person(self) -> bool:
        return bool(PERSON_WORDS.search(self.name))

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the description, without numbers."""
        return tuple(WORD.findall(self.name.casefold()))

    @cached_property
    def names(self) -> frozenset[str]:
        """The words that may be somebody's name. A single letter is none, as in "E-transfer"."""
        return frozenset(word for word in self.words if len(word) > 1 and not _is_common(word))

    def names_account_of(self, other: "Side") -> bool:
        """Return True if the description has the number or the kind of the other's account."""
        if self.merchant_name:
            return False
        mask, subtype = other.account_mask or "", other.account_subtype or ""
        has_digits = len(mask) >= SHORTEST_NUMBER and mask in self.name
        has_number = has_digits and mask in re.findall(r"\d+", self.name)
        return has_number or (len(subtype) >= SHORTEST_KIND and subtype in self.name.casefold())

    @property
    def order(self) -> tuple[str, str, int]:
        """The order in which rows are matched among which it doesn't matter."""
        return self.name, self.plaid_transaction_id, self.id

    @property
    def kind(self) -> tuple[object, ...]:
        """Rows of one day that are equal in this make the same difference to every figure."""
        return self.account_id, self.category, self.detailed, self.merchant_name, self.hint


@lru_cache(maxsize=10_000)  # the same words occur again and again
def _is_common(word: str) -> bool:
    kinds = (BANK_WORDS.fullmatch, TRANSFER_WORDS.search, PAYMENT_WORDS.search)
    return any(is_kind(word) for is_kind in (*kinds, PERSON_WORDS.search))
