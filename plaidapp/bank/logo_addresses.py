"""Where the logo of a transaction's merchant is.

It may stand with the counterparty that has the merchant's name only. Other counterparties, such as
a marketplace, have logos that are not the merchant's. Nonsense is as good as nothing.
https://plaid.com/docs/api/products/transactions/#transactions-sync-response-added-counterparties
"""

from typing import Any

import msgspec

from .payloads import PlaidTransaction


class Counterparty(msgspec.Struct, frozen=True):
    name: Any = None
    logo_url: Any = None


_decode = msgspec.json.Decoder(list[Counterparty] | None).decode


def logo_of(sent: PlaidTransaction) -> str | None:
    """Return the address of the logo; None without one, and without a merchant's name."""
    if not sent.merchant_name:
        return None
    found = sent.logo_url or _of_counterparty(sent)
    return found if isinstance(found, str) else None


def _of_counterparty(sent: PlaidTransaction) -> Any:
    try:
        parties = _decode(sent.counterparties) or []
    except msgspec.DecodeError:  # also where there are none
        return None
    named = (each.logo_url for each in parties if each.name == sent.merchant_name)
    return next(filter(None, named), None)
