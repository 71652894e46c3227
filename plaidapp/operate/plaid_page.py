"""Calls of Plaid: how many, how many failed, which ones Plaid bills, and what they cost.

What they cost is known only if PLAID_PRICES says so.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import redis
from flask import current_app, render_template
from flask_babel import format_decimal

from plaidapp.metrics import counted
from plaidapp.metrics.exposition import Sums
from plaidapp.store.connections import item_states, overview

from .blueprint import blueprint


@dataclass
class Calls:
    """Of one endpoint. `codes` says how often it failed with which code.

    `cost` is in the currency of the contract.
    """

    number: int = 0
    billed: int = 0
    cost: str = ""
    codes: Mapping[str, int] | None = None


@blueprint.get("/plaid")
def plaid() -> str:
    states = overview.by_state()
    connected = sum(number for state, number in states.items() if state not in item_states.ENDED)
    prices = dict(current_app.config["PLAIDAPP"].plaid_prices)
    return render_template(
        "operate/plaid.html",
        calls=_calls(prices),
        connected=connected,
        monthly=_cost(connected, prices.get("transactions")),
        has_prices=bool(prices),
    )


def _cost(number: int, price: float | None) -> str:
    return "" if price is None else str(format_decimal(round(number * price, 2), "#,##0.00"))


def _calls(prices: Mapping[str, float]) -> dict[str, Calls] | None:
    """Return the calls by endpoint, since Redis began to count. None if Redis is away."""
    try:
        families = Sums(current_app.extensions["redis"], {}).collect()
        sums = {family.name: family.samples for family in families}
    except redis.RedisError:
        return None
    calls: defaultdict[str, Calls] = defaultdict(Calls)
    codes: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for sample in sums[counted.PLAID_REQUESTS.name]:
        calls[sample.labels["endpoint"]].number = int(sample.value)
    for sample in sums[counted.PLAID_BILLED.name]:
        of_endpoint, price = calls[sample.labels["endpoint"]], prices.get(sample.labels["product"])
        of_endpoint.billed, of_endpoint.cost = int(sample.value), _cost(int(sample.value), price)
    for sample in sums[counted.PLAID_ERRORS.name]:
        codes[sample.labels["endpoint"]][sample.labels["code"]] = int(sample.value)
    for endpoint, of_code in codes.items():
        calls[endpoint].codes = of_code
    return dict(sorted(calls.items()))
