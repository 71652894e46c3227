"""How much chaos there is: the short form for `make test`, the long form for `make chaos`."""

import os
from dataclasses import dataclass

LONG = os.environ.get("CHAOS") == "long"


@dataclass(frozen=True)
class Figures:
    """Counts and seconds. `ten_pages` says after which pages of ten the bank changes its data."""

    items: int
    kills: int
    kill_pause: tuple[float, float]
    redis_kills: int
    redis_away: tuple[float, float]
    failovers: int
    link_faults: tuple[tuple[str, float], ...]
    database_away: float
    faults_for: float
    ten_pages: tuple[int, ...]
    webhooks: int
    webhooks_per_second: int
    forged: int
    double_syncs: int
    customers: int
    customers_at_once: int
    customer_kills: int
    slow_clients: int


SHORT = Figures(
    items=4,
    kills=6,
    kill_pause=(0.2, 0.8),
    redis_kills=2,
    redis_away=(0.2, 1.5),
    failovers=1,
    link_faults=(("cut", 3),),
    database_away=3,
    faults_for=4,
    ten_pages=(1, 9),
    webhooks=50,
    webhooks_per_second=50,
    forged=60,
    double_syncs=3,
    customers=3,
    customers_at_once=3,
    customer_kills=2,
    slow_clients=60,
)
FULL = Figures(
    items=8,
    kills=200,
    kill_pause=(0.2, 1.8),
    redis_kills=20,
    redis_away=(0.2, 6),
    failovers=10,
    link_faults=(
        ("cut", 30),
        ("slow", 60),
        ("one-way, to the workers", 30),
        ("one-way, from the workers", 30),
    ),
    database_away=60,
    faults_for=90,
    ten_pages=tuple(range(1, 10)),
    webhooks=1000,
    webhooks_per_second=100,
    forged=1000,
    double_syncs=100,
    customers=50,
    customers_at_once=10,
    customer_kills=200,
    slow_clients=500,
)
