"""Count what becomes of webhooks, and how long after Plaid signed them they are answered."""

import time

from plaidapp.bank.payloads import Event
from plaidapp.metrics.counted import OTHER, WEBHOOK_DELAY, WEBHOOKS

from .handlers import HANDLERS, LINK_HANDLERS

KEPT, REPEATED, IGNORED = "kept", "repeated", "ignored"
REFUSED, UNAVAILABLE = "refused", "unavailable"
CODES = {code for _type, code in (*HANDLERS, *LINK_HANDLERS)}


def count(event: Event, outcome: str) -> None:
    code = event.webhook_code
    WEBHOOKS.add(code if code in CODES else OTHER, outcome)


def time_from(signed: int) -> None:
    """Count the time since Plaid signed it, in seconds since the epoch. Clocks may differ."""
    WEBHOOK_DELAY.observe(max(time.time() - signed, 0.0))
