"""Connections that stall while they send or read do not slow the pages of others."""

import statistics
import time
from collections.abc import Callable

from .figures import FULL, Figures
from .person import Person
from .slow_clients import SENT, SlowClients
from .world import World

TIMES_USUAL = 2
LOOKS = 40


def test_pages_answer_while_many_connections_stall(
    world: World, figures: Figures, note: Callable[[str, str, str], None]
) -> None:
    visitor = Person(world.url, "dora")
    looks = LOOKS if figures is FULL else 2
    for kind in SENT:
        usual = typical(visitor, looks)
        with SlowClients(world.url, kind, figures.slow_clients):
            typical(visitor, 2)  # comes after all that they sent
            meanwhile = typical(visitor, looks)
        usual = max(usual, typical(visitor, looks))  # the machine may be busier than before
        note(
            f"{figures.slow_clients} connections {kind}",
            f"a page takes at most {TIMES_USUAL} times as long as usual",
            f"{usual * 1000:.0f} ms as usual, {meanwhile * 1000:.0f} ms meanwhile",
        )
        if figures is FULL:
            assert meanwhile <= TIMES_USUAL * usual, kind
    visitor.close()


def typical(visitor: Person, looks: int) -> float:
    """Return the median time of a page in seconds."""
    times = []
    for _ in range(looks):
        began = time.monotonic()
        visitor.look().raise_for_status()
        times.append(time.monotonic() - began)
    return statistics.median(times)
