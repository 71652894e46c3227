"""Accounts and transactions at the bank, and their JSON in Plaid's API.

They have no ids: linking assigns Plaid's ids.
"""

import datetime
import functools
import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.http_json import encode
from sandbox.ids import Ids
from sandbox.merchants import OTHER_GOODS, OTHER_INCOME, Category, Merchant, recognize


@dataclass(frozen=True)
class Account:
    """An account. Balances are in `currency`; credit and loans have the debt in `current`."""

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
        """Return Plaid's Account. Only tokenized banks have a `persistent_id`."""
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
class Transaction:
    """A transaction on account number `account`, counted from 0. A positive `amount` is money out.

    `authorized` is the day of the purchase. `date` is the day it posted or, while it is pending,
    the day of the purchase.
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
        """Return Plaid's Transaction. Its `original_description`, which is optional, is last."""
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
            "logo_url": merchant.logo_url if merchant else None,
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
                "version": "v2",
            },
            "personal_finance_category_icon_url": (
                f"https://plaid-category-icons.plaid.com/PFC_{self.category.primary}.png"
            ),
            "transaction_code": None,
            "transaction_id": transaction_id,
            "transaction_type": _TYPE_OF_CHANNEL[self.channel],
            "unofficial_currency_code": None,
            "website": merchant.website if merchant else None,
            "original_description": self.name,
        }
        return encode(transaction).decode()


def from_description(
    account: int,
    posted: datetime.date,
    transacted: datetime.date,
    amount: Decimal,
    description: str,
    currency: str,
    today: datetime.date,
) -> Transaction:
    """Create a transaction from a bank's description. It is pending if it posts after `today`."""
    merchant = recognize(description)
    pending = posted > today
    return Transaction(
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


_ENTITY_IDS = Ids(0)
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
    # Each merchant has one location, which never changes.
    checksum = zlib.crc32(merchant.name.encode())
    return {
        "address": f"{100 + checksum % 4800} Market St",
        "city": "San Francisco",
        "country": "US",
        "lat": Decimal("37.77") + Decimal(checksum % 997).scaleb(-5),
        "lon": Decimal("-122.42") + Decimal(checksum % 991).scaleb(-5),
        "postal_code": "94103",
        "region": "CA",
        "store_number": str(1000 + checksum % 9000),
    }


@functools.cache
def _counterparty(merchant: Merchant) -> dict[str, Any]:
    return {
        "confidence_level": "VERY_HIGH",
        "entity_id": _entity_id(merchant),
        "logo_url": merchant.logo_url,
        "name": merchant.name,
        "type": "merchant",
        "website": merchant.website,
    }


@functools.cache
def _entity_id(merchant: Merchant) -> str:
    """Return the merchant's id. Like Plaid's entity ids, it doesn't depend on the seed."""
    return _ENTITY_IDS.opaque("merchant", merchant.name)
