"""Names of categories, and of accounts and commodities that Beancount, hledger and Ledger accept.

Beancount is the strictest. Parts of a name have letters, digits and hyphens and begin with a
capital letter or a digit. Symbols have capital letters: https://beancount.github.io/docs/beancount_language_syntax.html
"""

import re
import unicodedata
from functools import lru_cache

from plaidapp.formats import words
from plaidapp.store import Account, Transaction
from plaidapp.store.transactions.categories import CARD_PAYMENT, LOAN_PAYMENTS

LONGEST = 64
NO_CURRENCY = "XXX"  # ISO 4217's own code for it
VALUES = ("TRUE", "FALSE", "NULL")  # Beancount does not accept these as symbols
LONGEST_SYMBOL = 24


class Names:
    """Gives each account and each currency a name of its own, even if banks use the same names."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, object], str] = {}
        self._taken: set[str] = set()

    def of_account(self, account: Account, bank: str) -> str:
        root = "Liabilities" if account.is_debt else "Assets"
        name = f"{account.exact_title[:LONGEST]} {account.mask or ''}"
        return self._give(("account", account.id), f"{root}:{component(bank)}:{component(name)}")

    def symbol(self, currency: str | None) -> str:
        return self._give(("currency", currency), symbol(currency))

    def _give(self, key: tuple[str, object], preferred: str) -> str:
        if key not in self._names:
            name, number = preferred, 1
            while name in self._taken:
                number += 1
                name = f"{preferred}-{number}"
            self._taken.add(name)
            self._names[key] = name
        return self._names[key]


def category_levels(row: Transaction) -> tuple[str, ...]:
    """Such as "Food and drink" and "Groceries"; one level if no more is known.

    They are made from the codes, so they are the same in every language.
    """
    return _levels(row.category, row.shown_category)


@lru_cache(maxsize=1_000)  # the same categories occur again and again
def _levels(primary: str, detailed: str) -> tuple[str, ...]:
    if detailed == primary:
        return (words(primary),)
    begins = LOAN_PAYMENTS if detailed == CARD_PAYMENT else primary  # counts as a transfer
    return words(primary), words(detailed.removeprefix(f"{begins}_"))


@lru_cache(maxsize=1_000)
def component(text: str) -> str:
    """Turn "Plaid Checking ·· 0000" into a part of an account's name: "Plaid-Checking-0000"."""
    composed = unicodedata.normalize("NFC", text[: 2 * LONGEST])
    signs = (sign if _is_letter(sign) or _is_digit(sign) else " " for sign in composed)
    part = "-".join("".join(signs).split())[:LONGEST].strip("-")
    part = part[:1].upper() + part[1:]
    begins_well = part and (unicodedata.category(part[0]) == "Lu" or _is_digit(part[0]))
    return part if begins_well else f"X-{part}".rstrip("-")


def _is_letter(sign: str) -> bool:
    return unicodedata.category(sign)[0] == "L"


def _is_digit(sign: str) -> bool:
    return unicodedata.category(sign) == "Nd"


def symbol(currency: str | None) -> str:
    """Turn "usdc" into the symbol "USDC", and "1INCH" into "X1INCH"."""
    plain = re.sub("[^A-Z0-9]", "", (currency or NO_CURRENCY).upper())[:LONGEST_SYMBOL]
    good = re.fullmatch("[A-Z][A-Z0-9]+", plain) and plain not in VALUES
    return plain if good else f"X{plain or 'XX'}"
