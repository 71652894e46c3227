"""Calls to Plaid: how many, how many failed, which ones Plaid bills, and what they cost.

What they cost is known only if PLAID_PRICES says so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite

import redis
from flask import current_app, render_template
from flask_babel import format_decimal
from prometheus_client.samples import Sample

from plaidapp.metrics import counted
from plaidapp.metrics.exposition import Sums
from plaidapp.store.connections import item_states, overview

from .blueprint import blueprint

MOST = 100


@dataclass
class Calls:
    """Of one endpoint. `codes` says how often it failed with which code.

    `cost` is in the currency of the contract.
    """

    number: int = 0
    billed: int = 0
    cost: str = ""
    codes: dict[str, int] = field(default_factory=dict)


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
    """Return the calls by endpoint, since Redis began to count. None if Redis is away.

    Whatever is in Redis, the page has at most MOST rows.
    """
    try:
        families = Sums(current_app.extensions["redis"], {}).collect()
        sums = {family.name: family.samples for family in families}
    except redis.RedisError:
        return None
    calls: defaultdict[str, Calls] = defaultdict(Calls)
    for labels, number in _whole(sums[counted.PLAID_REQUESTS.name]):
        calls[labels["endpoint"]].number = number
    for labels, number in _whole(sums[counted.PLAID_BILLED.name]):
        of = calls[labels["endpoint"]]
        of.billed, of.cost = number, _cost(number, prices.get(labels["product"]))
    for labels, number in _whole(sums[counted.PLAID_ERRORS.name]):
        calls[labels["endpoint"]].codes[labels["code"]] = number
    return dict(sorted(calls.items())[:MOST])


def _whole(samples: Iterable[Sample]) -> Iterator[tuple[dict[str, str], int]]:
    return ((each.labels, int(each.value)) for each in samples if isfinite(each.value))
