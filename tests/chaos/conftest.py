"""One world for this package on each database, and the table of what its gates measured."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from plaidapp.store import Item, User
from tests.chaos.databases import Postgres, SQLite
from tests.chaos.deliveries import Plaid
from tests.chaos.figures import FULL, LONG, SHORT, Figures
from tests.chaos.judge import Judge
from tests.chaos.person import Person
from tests.chaos.world import World, poll

LAST = "test_secrets.py"
GATE = "gate"
"""The name of the property under which a test reports a row of the table."""
Note = Callable[[str, str, str], None]
PEOPLE = ("alice", "bob")
BANKS = ("ins_109508", "ins_109509", "ins_109510", "ins_109511")


@pytest.fixture(scope="package", params=["postgresql", "sqlite"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with running_world(request.param, request.param) as world:
        yield world


@contextlib.contextmanager
def running_world(database_kind: str, logs: str) -> Iterator[World]:
    """Give a world of its own on this database, and keep its logs under this name."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        directory = Path(name)
        database = Postgres() if database_kind == "postgresql" else SQLite(directory)
        world = World(directory, database)
        try:
            world.start()
            yield world
        finally:
            world.close()
            keep_logs(directory, logs)


def keep_logs(directory: Path, name: str) -> None:
    """Copy the logs of the processes to CHAOS_LOGS, if it is set."""
    if "CHAOS_LOGS" not in os.environ:
        return
    destination = Path(os.environ["CHAOS_LOGS"]) / name
    destination.mkdir(parents=True, exist_ok=True)
    for log in directory.glob("*.log"):
        shutil.copy(log, destination)


@pytest.fixture(scope="package")
def figures(world: World) -> Figures:
    """The long form runs in full on PostgreSQL only: SQLite has a single writer."""
    return FULL if LONG and isinstance(world.database, Postgres) else SHORT


@pytest.fixture(scope="package")
def judge(world: World) -> Judge:
    return Judge(world)


@pytest.fixture(scope="package")
def people(world: World, judge: Judge, figures: Figures) -> Iterator[list[Person]]:
    """Alice and Bob, who have connected their banks through the pages."""
    people = [Person(world.url, name) for name in PEOPLE]
    for number in range(figures.items):
        person, bank = number % len(people), number // len(people)
        people[person].connect_dynamic(BANKS[bank])  # the same bank twice would replace the first
    judge.converge(60)
    yield people
    for person in people:
        person.close()


@pytest.fixture(scope="package")
def item_ids(people: list[Person], world: World, figures: Figures) -> list[int]:
    """The Items that `people` came with: the bank sends webhooks for them, but not for those that
    a test has added."""
    theirs = select(Item.id).join(User, User.id == Item.user_id).where(User.username.in_(PEOPLE))
    with world.engine.connect() as connection:
        return list(connection.scalars(theirs.order_by(Item.id).limit(figures.items)))


@pytest.fixture
def plaid(world: World) -> Iterator[Plaid]:
    plaid = Plaid(world)
    yield plaid
    plaid.close()


@pytest.fixture
def postgres(world: World) -> Iterator[Postgres]:
    """The database, for a test to take away; it is back afterwards."""
    if not isinstance(world.database, Postgres):
        pytest.skip("SQLite is a file and does not go away")
    yield world.database
    world.database.thaw()
    world.database.bring_back()


@pytest.fixture
def note(record_property: Callable[[str, object], None], world: World) -> Note:
    """Add a row to the table: the gate, what is required, what was measured."""
    database = "PostgreSQL" if isinstance(world.database, Postgres) else "SQLite"

    def write(gate: str, required: str, measured: str) -> None:
        record_property(GATE, (f"{database}: {gate}", required, measured))

    return write


@pytest.fixture
def note_own(record_property: Callable[[str, object], None]) -> Note:
    """The same for a test with a world of its own."""
    return lambda *row: record_property(GATE, row)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run chaos last, so that its processes disturb no other test, and LAST after all other gates.

    In the short form, SQLite runs only the gates where its single writer matters.
    """
    here = Path(__file__).parent
    chaos = [item for item in items if here in item.path.parents]
    chaos.sort(key=lambda item: (_is_on_sqlite(item), item.path.name == LAST))
    deselected = [] if LONG else [item for item in chaos if _is_sqlite_only(item)]
    others = [item for item in items if item not in chaos]
    items[:] = others + [item for item in chaos if item not in deselected]
    config.hook.pytest_deselected(items=deselected)


def _is_on_sqlite(item: pytest.Function) -> bool:
    """False for a test with a world of its own."""
    has_world = "world" in item.fixturenames
    return has_world and item.callspec.params["world"] == "sqlite"


def _is_sqlite_only(item: pytest.Function) -> bool:
    return _is_on_sqlite(item) and not item.get_closest_marker("both_databases")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table. The reports carry its rows, since the tests may run in other processes."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    rows = [row for report in reports for name, row in report.user_properties if name == GATE]
    if rows:
        terminalreporter.section(f"chaos, {'long' if LONG else 'short'} form")
        for row in [("gate", "required", "measured"), ("---", "---", "---"), *rows]:
            terminalreporter.line(f"| {' | '.join(row)} |")


@pytest.fixture(autouse=True)
def _ready(request: pytest.FixtureRequest) -> None:
    """Wait until everything is up: a gate that failed may have left something down."""
    if "world" in request.fixturenames:
        poll(request.getfixturevalue("world").is_ready, 30, "a ready app")
