"""The currency of an amount: Plaid gives an ISO code or, for the rest, an unofficial one.

https://plaid.com/docs/api/accounts/#currency-code-schema
"""

from typing import Protocol

from sqlalchemy import ColumnElement, Text, func
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column


class WithCodes(Protocol):
    """A payload or row that has both of Plaid's fields. At most one of them is set."""

    @property
    def iso_currency_code(self) -> str | None: ...
    @property
    def unofficial_currency_code(self) -> str | None: ...


def currency_of(amount: WithCodes) -> str | None:
    """Return the currency of a payload or row. None means that the bank named none."""
    return amount.iso_currency_code or amount.unofficial_currency_code


class HasCurrency:
    """The columns of Plaid's two codes, and `currency` made from them, in Python and in SQL."""

    iso_currency_code: Mapped[str | None] = mapped_column(Text)
    unofficial_currency_code: Mapped[str | None] = mapped_column(Text)

    @hybrid_property
    def currency(self) -> str | None:
        return currency_of(self)

    @currency.inplace.expression
    @classmethod
    def _currency(cls) -> ColumnElement[str | None]:
        return func.coalesce(cls.iso_currency_code, cls.unofficial_currency_code)
