"""How many calls Plaid allows in a minute, and how they are shared out.

Plaid counts for each Item and for each client, by endpoint, and more in Production than in its
Sandbox for some: https://plaid.com/docs/errors/rate-limit-exceeded/ . Endpoints that are not in
that table have no limit here.
"""

from collections.abc import Mapping
from typing import NamedTuple


class PlaidLimit(NamedTuple):
    """Calls a minute of one Item, or None if they are not counted, and of the client."""

    of_item: int | None
    of_client: int


_LIMITS = {
    "production": {
        "/accounts/balance/get": PlaidLimit(5, 1_200),
        "/accounts/get": PlaidLimit(15, 15_000),
        "/institutions/get_by_id": PlaidLimit(None, 400),
        "/item/get": PlaidLimit(15, 5_000),
        "/item/remove": PlaidLimit(30, 2_000),
        "/transactions/get": PlaidLimit(30, 20_000),
        "/transactions/recurring/get": PlaidLimit(20, 1_000),
        "/transactions/refresh": PlaidLimit(2, 100),
        "/transactions/sync": PlaidLimit(50, 2_500),
    },
    "sandbox": {
        "/accounts/balance/get": PlaidLimit(25, 100),
        "/accounts/get": PlaidLimit(100, 5_000),
        "/institutions/get_by_id": PlaidLimit(None, 400),
        "/item/get": PlaidLimit(40, 5_000),
        "/item/remove": PlaidLimit(100, 500),
        "/transactions/get": PlaidLimit(80, 1_000),
        "/transactions/recurring/get": PlaidLimit(20, 1_000),
        "/transactions/refresh": PlaidLimit(2, 100),
        "/transactions/sync": PlaidLimit(50, 1_000),
    },
    "off": {},
}
PLAID_MINUTE = 62.0
"""Seconds in which no more calls than that are made: a minute, and some for calls that reach Plaid
later than others."""
WEBHOOK_SHARE = 0.8
"""Pulls of webhooks leave the rest of each limit to persons."""
CLOCK_SHARE = 0.5
"""Pulls of the clock, such as daily syncs and checks, leave the rest to persons and webhooks."""
HELD_BRIEFLY = 2.0
"""Seconds that a call may wait for its turn. If it would be longer, its pull goes on later."""
HELD_MID_UPDATE = 65.0
"""The same in the middle of an update, whose pages would have to be read again."""


def plaid_limits(name: str) -> Mapping[str, PlaidLimit]:
    """Return the limits by endpoint. `name` is a value of PLAID_LIMITS."""
    return _LIMITS[name]
