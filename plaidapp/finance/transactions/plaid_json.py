"""A transaction as JSON, with Plaid's own names for the fields that plaidapp stores.

Amounts are exact decimal strings with Plaid's sign: positive is money out. `hidden` is the
person's: pages leave the row out, or its whole account.
https://plaid.com/docs/api/products/transactions/#transactions-sync-response-added
"""

from typing import Any

from plaidapp.store import Transaction
from plaidapp.store.base.types import exact


def as_plaid(row: Transaction) -> dict[str, Any]:
    category = {"primary": row.category_primary, "detailed": row.category_detailed}
    if row.category_version:
        category["version"] = row.category_version
    return {
        "transaction_id": row.public_id,
        "account_id": row.account.public_id,
        "amount": exact(row.amount),
        "iso_currency_code": row.iso_currency_code,
        "unofficial_currency_code": row.unofficial_currency_code,
        "date": row.date.isoformat(),
        "authorized_date": row.authorized_date and row.authorized_date.isoformat(),
        "name": row.name,
        "merchant_name": row.merchant_name,
        "personal_finance_category": category if row.category_primary else None,
        "payment_channel": row.payment_channel,
        "pending": row.pending,
        "pending_transaction_id": row.pending_transaction_id,
        "hidden": row.is_left_out,
    }
