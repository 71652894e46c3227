"""Plaid's responses as frozen structs. Decoding fails if a response is malformed.

Amounts become Decimal from the digits in the JSON, never through a float. Fields that are not used
are left out. Plaid describes them all: https://plaid.com/docs/api/products/transactions/
"""

import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from . import amounts
from .unread import Unread

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Code = Annotated[str, msgspec.Meta(max_length=255)]
"""Ids and codes are keys of indexes, and PostgreSQL limits the length of these."""
Words = Annotated[str, msgspec.Meta(max_length=10_000)]
"""Names, which PostgreSQL's search index limits."""
RENAMED = {"category": "personal_finance_category"}


def _keep(part: msgspec.Struct, field: str) -> None:
    """Check an amount, and take off the noise of binary floats. Raises AmountError."""
    amount = getattr(part, field)
    kept = amounts.kept(amount)
    if kept is not amount:
        msgspec.structs.force_setattr(part, field, kept)


class Balances(msgspec.Struct, frozen=True):
    """In the account's currency. On credit and loan accounts, `current` is the debt."""

    available: Decimal | None = None
    current: Decimal | None = None
    limit: Decimal | None = None
    iso_currency_code: Code | None = None
    unofficial_currency_code: Code | None = None

    def __post_init__(self) -> None:
        for field in ("available", "current", "limit"):
            if getattr(self, field) is not None:
                _keep(self, field)


class PlaidAccount(msgspec.Struct, frozen=True):
    """`persistent_account_id` is the same at every Item. Few banks have it, on depository only.

    If the bank tells no `name`, it is the best of what else says which account this is.
    """

    account_id: Id
    type: Code
    balances: Balances
    name: Words = ""
    official_name: Words | None = None
    mask: Code | None = None
    subtype: Code | None = None
    persistent_account_id: Code | None = None

    def __post_init__(self) -> None:
        if not self.name:
            instead = self.official_name or self.subtype or self.type
            msgspec.structs.force_setattr(self, "name", instead)


class Category(msgspec.Struct, frozen=True, gc=False):
    """Plaid's personal finance category: FOOD_AND_DRINK, FOOD_AND_DRINK_COFFEE and so on.

    `version` is the taxonomy that it is from: "v1" or "v2".
    """

    primary: Code | None = None
    detailed: Code | None = None
    version: Code | None = None


class PlaidTransaction(msgspec.Struct, frozen=True, gc=False, rename=RENAMED):
    """`amount` is positive for money out. `date` is when it posted; when it occurred if pending."""

    transaction_id: Id
    account_id: Id
    amount: Decimal
    date: datetime.date
    pending: bool
    name: Words | None = None
    merchant_name: Words | None = None
    original_description: Words | None = None
    authorized_date: datetime.date | None = None
    pending_transaction_id: Code | None = None
    iso_currency_code: Code | None = None
    unofficial_currency_code: Code | None = None
    payment_channel: Code | None = None
    category: Category | None = None
    logo_url: Any = None
    counterparties: msgspec.Raw = msgspec.Raw()  # read if they are needed: logo_addresses.py

    def __post_init__(self) -> None:
        _keep(self, "amount")

    @property
    def title(self) -> str:
        """Plaid has deprecated `name`, so it may be missing one day."""
        return self.name or self.merchant_name or self.original_description or ""


class Nothing(msgspec.Struct, frozen=True):
    """A response of which only the request's id is used."""

    request_id: str | None = None


class Removed(msgspec.Struct, frozen=True):
    transaction_id: Id


class SyncPage(msgspec.Struct, frozen=True):
    """One page of /transactions/sync. The status is NOT_READY while Plaid prepares the history.

    `unread` is not Plaid's: it has the rows that could not be read (rows.py), here and below.
    """

    added: list[PlaidTransaction]
    modified: list[PlaidTransaction]
    removed: list[Removed]
    next_cursor: str
    has_more: bool
    request_id: str
    accounts: list[PlaidAccount] = []
    transactions_update_status: str = "TRANSACTIONS_UPDATE_STATUS_UNKNOWN"
    unread: list[Unread] = []


class PlaidItem(msgspec.Struct, frozen=True):
    """Both are null for the few Items that have no institution."""

    institution_id: str | None = None
    institution_name: str | None = None


class Accounts(msgspec.Struct, frozen=True):
    """/accounts/get and /accounts/balance/get."""

    accounts: list[PlaidAccount]
    item: PlaidItem
    request_id: str
    unread: list[Unread] = []


class PublicToken(msgspec.Struct, frozen=True):
    public_token: str


class Exchange(msgspec.Struct, frozen=True):
    access_token: str
    item_id: str


class TransactionsPage(msgspec.Struct, frozen=True):
    """One page of /transactions/get, which has the total and no changes."""

    transactions: list[PlaidTransaction]
    total_transactions: int
    request_id: str
    unread: list[Unread] = []


class StreamAmount(msgspec.Struct, frozen=True):
    """`amount` is positive for money out."""

    amount: Decimal
    iso_currency_code: Code | None = None
    unofficial_currency_code: Code | None = None

    def __post_init__(self) -> None:
        _keep(self, "amount")


class StreamAverage(msgspec.Struct, frozen=True):
    """An average of Plaid's, rounded to eight decimals. Its currency is that of the amounts."""

    amount: Decimal

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "amount", amounts.rounded(self.amount))


class PlaidStream(msgspec.Struct, frozen=True, rename=RENAMED):
    """Recurring payments that belong together, such as a subscription or a salary.

    `transaction_ids` are oldest first. `predicted_next_date` is null if no payment is expected.
    """

    stream_id: Id
    account_id: Id
    description: Words
    frequency: Code
    first_date: datetime.date
    last_date: datetime.date
    transaction_ids: list[Id]
    average_amount: StreamAverage
    last_amount: StreamAmount
    is_active: bool
    status: Code
    merchant_name: Words | None = None
    predicted_next_date: datetime.date | None = None
    category: Category | None = None


class Recurring(msgspec.Struct, frozen=True):
    """/transactions/recurring/get: money in and money out."""

    inflow_streams: list[PlaidStream]
    outflow_streams: list[PlaidStream]
    request_id: str
    unread: list[Unread] = []


class VerificationKey(msgspec.Struct, frozen=True):
    """/webhook_verification_key/get; `key` is a JWK."""

    key: dict[str, Any]


class PlaidError(msgspec.Struct, frozen=True):
    """Plaid's error object: https://plaid.com/docs/errors/"""

    error_type: str
    error_code: str
    error_message: str = ""
    display_message: str | None = None
    request_id: str | None = None


class Event(msgspec.Struct, frozen=True):
    """A webhook's body. Its fields depend on the code; `error` may be missing, null or a string.

    https://plaid.com/docs/api/webhooks/
    """

    webhook_type: str | None = None
    webhook_code: str | None = None
    item_id: str | None = None
    link_token: str | None = None
    account_id: str | None = None
    error: PlaidError | str | None = None
    consent_expiration_time: str | None = None
    disconnect_time: str | None = None
    reason: str | None = None
