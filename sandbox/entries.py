"""Accounts and transactions before they have ids, and the JSON that Plaid makes of them."""

import datetime
import functools
import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.ids import Ids
from sandbox.merchants import OTHER_GOODS, OTHER_INCOME, Category, Merchant, recognise
from sandbox.wire import encode


@dataclass(frozen=True)
class Account:
    """Balances are in `currency`; for credit and loans `current` is what is owed."""

    name: str
    official_name: str | None
    type: str
    subtype: str
    mask: str
    available: Decimal | None
    current: Decimal
    limit: Decimal | None = None
    currency: str = "USD"

    def to_json(self, account_id: str, persistent_id: str | None) -> str:
        """`persistent_id` is there at banks that name an account anew for everyone who asks."""
        account = {
            "account_id": account_id,
            "balances": {
                "available": self.available,
                "current": self.current,
                "iso_currency_code": self.currency,
                "limit": self.limit,
                "unofficial_currency_code": None,
            },
            "holder_category": "personal",
            "mask": self.mask,
            "name": self.name,
            "official_name": self.official_name,
            "subtype": self.subtype,
            "type": self.type,
        }
        if persistent_id and self.type == "depository":
            account["persistent_account_id"] = persistent_id
        return encode(account).decode()


@dataclass(frozen=True)
class Entry:
    """A transaction on the account numbered `account`. A positive `amount` is money out.

    `date` is when it posted or, while pending, when it was made; `authorized` is when it was made.
    """

    account: int
    date: datetime.date
    authorized: datetime.date
    amount: Decimal
    name: str
    category: Category
    merchant: Merchant | None = None
    confidence: str = "VERY_HIGH"
    channel: str = "other"
    pending: bool = False
    currency: str = "USD"

    def to_json(self, transaction_id: str, account_id: str) -> str:
        """Every field of Plaid's Transaction but `original_description`, which is on request."""
        merchant = self.merchant
        transaction = {
            "account_id": account_id,
            "account_owner": None,
            "amount": self.amount,
            "authorized_date": self.authorized,
            "authorized_datetime": None,
            "category": None,
            "category_id": None,
            "check_number": None,
            "counterparties": [_counterparty(merchant)] if merchant else [],
            "date": self.date,
            "datetime": None,
            "iso_currency_code": self.currency,
            "location": _location(merchant, self.channel),
            "logo_url": None,
            "merchant_entity_id": _entity_id(merchant) if merchant else None,
            "merchant_name": merchant.name if merchant else None,
            "name": self.name,
            "payment_channel": self.channel,
            "payment_meta": _PAYMENT_META,
            "pending": self.pending,
            "pending_transaction_id": None,
            "personal_finance_category": {
                "confidence_level": self.confidence,
                "detailed": self.category.detailed,
                "primary": self.category.primary,
            },
            "personal_finance_category_icon_url": (
                f"https://plaid-category-icons.plaid.com/PFC_{self.category.primary}.png"
            ),
            "transaction_code": None,
            "transaction_id": transaction_id,
            "transaction_type": _TYPE_OF_CHANNEL[self.channel],
            "unofficial_currency_code": None,
            "website": merchant.website if merchant else None,
        }
        return encode(transaction).decode()


def describe(
    account: int,
    posted: datetime.date,
    transacted: datetime.date,
    amount: Decimal,
    description: str,
    currency: str,
    today: datetime.date,
) -> Entry:
    """A transaction of which only the bank's words are known. One that posts later is pending."""
    merchant = recognise(description)
    pending = posted > today
    return Entry(
        account=account,
        date=transacted if pending else posted,
        authorized=transacted,
        amount=amount,
        name=description,
        category=merchant.category if merchant else OTHER_INCOME if amount < 0 else OTHER_GOODS,
        merchant=merchant,
        confidence="HIGH" if merchant else "LOW",
        channel=merchant.channel if merchant else "other",
        pending=pending,
        currency=currency,
    )


_ENTITIES = Ids(0)
_PAYMENT_META = dict.fromkeys(
    ("by_order_of", "payee", "payer", "payment_method", "payment_processor", "ppd_id", "reason",
     "reference_number")
)  # fmt: skip
_TYPE_OF_CHANNEL = {"in store": "place", "online": "digital", "other": "special"}
_NOWHERE: dict[str, Any] = dict.fromkeys(
    ("address", "city", "country", "lat", "lon", "postal_code", "region", "store_number")
)


@functools.cache
def _location(merchant: Merchant | None, channel: str) -> dict[str, Any]:
    if merchant is None or channel != "in store":
        return _NOWHERE
    # Each merchant has one branch, always the same.
    place = zlib.crc32(merchant.name.encode())
    return {
        "address": f"{100 + place % 4800} Market St",
        "city": "San Francisco",
        "country": "US",
        "lat": Decimal("37.77") + Decimal(place % 997).scaleb(-5),
        "lon": Decimal("-122.42") + Decimal(place % 991).scaleb(-5),
        "postal_code": "94103",
        "region": "CA",
        "store_number": str(1000 + place % 9000),
    }


@functools.cache
def _counterparty(merchant: Merchant) -> dict[str, Any]:
    return {
        "confidence_level": "VERY_HIGH",
        "entity_id": _entity_id(merchant),
        "logo_url": None,
        "name": merchant.name,
        "phone_number": None,
        "type": "merchant",
        "website": merchant.website,
    }


@functools.cache
def _entity_id(merchant: Merchant) -> str:
    """The same in every world, as Plaid's entity ids are."""
    return _ENTITIES.opaque("merchant", merchant.name)
