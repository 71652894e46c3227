"""What does a sync of one Item cost when the database has 100,000 of them?

One PostgreSQL grows from 10,000 Items to 100,000, of 10,000 people with 5 million rows. At each
size, the clock and the workers sync some of the Items at a bank that answers after 20 ms: what they
cost must not depend on the others, nor must the clock's looks, the nightly deletion or a person's
pages. At last all 100,000 are late: the clock spreads them over a day, and two workers sync those
of its fullest hour. The script fails if an Item is lost or synced twice, or if a limit is broken.
"""

import random
import sys
import time
from itertools import pairwise
from operator import attrgetter
from statistics import fmean

from benchmarks import beside_the_syncs, harness, items_of_many, late_day
from benchmarks.crowded_site import Site, database_size, site
from benchmarks.syncs_of_some import Cost, measure

SIZES, SYNCS = (10_000, 30_000, 100_000), 400
"""So few syncs fit in Plaid's limit of a minute, as many with one worker as with two."""
QUICK_SIZES, QUICK_SYNCS = (1_000, 3_000), 50
GROWTH, GAIN, LOOK = 1.3, 1.8, 1_000.0
"""At most so many times as much among all Items as among the first, at least so many times as much
with two workers, at most so many milliseconds for a look of the clock."""
TURNS = (1, 2, 2, 1)
"""Workers, by turns: while one is compared with two, the machine may become faster or slower."""
COST = {1: "a sync, one worker, ms", 2: "a sync, two workers, ms"}
TWICE = "two workers do so many times as much"
NIGHT, PAGE = "the nightly deletion, an Item, ms", "the page {}, ms"
LOOKS = ("a look, none due, ms", "a look, 250 due, ms", "a look, a webhook each, ms")


class Figures:
    """What was measured at each size, which is printed as soon as it is known."""

    def __init__(self) -> None:
        self.found: dict[str, dict[int, float]] = {}

    def note(self, size: int, name: str, value: float) -> None:
        self.found.setdefault(name, {})[size] = value
        print(f"- {size:,} Items: {name}: {harness.formatted(value)}", flush=True)

    def growth(self, name: str) -> float:
        """Return how many times as much it is at the last size as at the first."""
        first, *_, last = self.found[name].values()
        return last / first if first else 1.0

    def show(self) -> None:
        sizes = list(next(iter(self.found.values())))
        rows = [(name, *values.values(), self.growth(name)) for name, values in self.found.items()]
        header = ("", *(f"{size:,}" for size in sizes), "times as much")
        harness.table("With so many Items", header, rows)


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    sizes = QUICK_SIZES if quick else SIZES
    figures = Figures()
    broken: list[str] = []
    print()
    with site() as place:
        for filled, size in pairwise((0, *sizes)):
            broken += grow(place, figures, filled, size, quick=quick)
        figures.show()
        with place.app.app_context():
            broken += late_day.live(place, sizes[-1])
    broken += [] if quick else beyond_limits(figures)
    sys.exit(f"Broken: {broken}" if broken else 0)


def grow(place: Site, figures: Figures, filled: int, size: int, *, quick: bool) -> list[str]:
    """Add Items up to `size`, measure, and return what went wrong."""
    begun = time.monotonic()
    items_of_many.fill(place.app, filled + 1, size)
    figures.note(size, "to fill it, s", time.monotonic() - begun)
    with place.app.app_context():
        figures.note(size, "database, MB", database_size() / 2**20)
        for name, ms in zip(LOOKS, beside_the_syncs.time_looks(), strict=True):
            figures.note(size, name, ms)
        broken = sync_some(place, figures, size, QUICK_SYNCS if quick else SYNCS)
        night = beside_the_syncs.time_night(size, 3 if quick else 20)
    figures.note(size, NIGHT, night.ms)
    if night.read_whole and size == SIZES[-1]:  # a small table is read sooner than its index
        broken.append("the nightly deletion reads whole tables")
    for name, ms in beside_the_syncs.time_pages(place.app, 5 if quick else 25).items():
        figures.note(size, PAGE.format(name), ms)
    return broken


def sync_some(place: Site, figures: Figures, size: int, count: int) -> list[str]:
    """Sync as many Items with one worker as with two."""
    chosen = random.Random(size).sample(range(1, size + 1), 2 * count)
    costs: dict[int, list[Cost]] = {1: [], 2: []}
    for turn, workers in enumerate(TURNS):
        costs[workers].append(measure(place, chosen[turn :: len(TURNS)], workers))
    took = {workers: fmean(cost.ms for cost in costs[workers]) for workers in COST}
    for workers, name in COST.items():
        figures.note(size, name, took[workers])
    figures.note(size, TWICE, took[1] / took[2])
    for name, of in (
        ("of it the worker's processor, ms", attrgetter("busy")),
        ("calls to Plaid", attrgetter("calls")),
        ("rows written", attrgetter("rows")),
        ("bytes of PostgreSQL's log", attrgetter("log")),
        (f"bytes of Redis for {count // 2:,}", attrgetter("redis")),
    ):
        figures.note(size, name, fmean(map(of, costs[1])))
    return [wrong for workers in COST for cost in costs[workers] for wrong in cost.wrong]


def beyond_limits(figures: Figures) -> list[str]:
    flat = [*COST.values(), NIGHT, *(PAGE.format(name) for name in beside_the_syncs.PAGES)]
    growths = {name: figures.growth(name) for name in flat}
    gains = figures.found[TWICE].values()
    looks = {name: max(figures.found[name].values()) for name in LOOKS}
    return [
        *(
            f"{name}: {growth:.2f} times as much"
            for name, growth in growths.items()
            if growth > GROWTH
        ),
        *(f"{TWICE}: {gain:.2f}" for gain in gains if gain < GAIN),
        *(f"{name}: {ms:.0f}" for name, ms in looks.items() if ms > LOOK),
    ]


if __name__ == "__main__":
    main()
