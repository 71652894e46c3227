"""One world for the whole suite, on PostgreSQL and on SQLite, and the table of its gates."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from plaidapp.store import Item
from tests.chaos.databases import Postgres, SQLite
from tests.chaos.deliveries import Plaid
from tests.chaos.figures import FULL, LONG, SHORT, Figures
from tests.chaos.judge import Judge
from tests.chaos.person import Person
from tests.chaos.world import World, poll

TABLE = pytest.StashKey[list[tuple[str, str, str]]]()
PEOPLE = ("alice", "bob")
BANKS = ("ins_109508", "ins_109509", "ins_109510", "ins_109511")


@pytest.fixture(scope="session", params=["postgresql", "sqlite"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        directory = Path(name)
        database = Postgres() if request.param == "postgresql" else SQLite(directory)
        world = World(directory, database)
        try:
            world.start()
            yield world
        finally:
            world.close()
            if os.environ.get("CHAOS_LOGS"):
                _keep_logs(directory, Path(os.environ["CHAOS_LOGS"]) / request.param)


def _keep_logs(directory: Path, destination: Path) -> None:
    destination.mkdir(parents=True, exist_ok=True)
    for log in directory.glob("*.log"):
        shutil.copy(log, destination)


@pytest.fixture(scope="session")
def figures(world: World) -> Figures:
    """In full on PostgreSQL; SQLite has one writer and goes through it once over."""
    return FULL if LONG and isinstance(world.database, Postgres) else SHORT


@pytest.fixture(scope="session")
def judge(world: World) -> Judge:
    return Judge(world)


@pytest.fixture(scope="session")
def people(world: World, judge: Judge, figures: Figures) -> Iterator[list[Person]]:
    """Alice and Bob, who have connected their banks by hand, as it were."""
    people = [Person(world.url, name) for name in PEOPLE]
    for number in range(figures.items):
        person, bank = number % len(people), number // len(people)
        people[person].connect_dynamic(BANKS[bank])  # the same again would replace the first
    judge.converge(60)
    yield people
    for person in people:
        person.close()


@pytest.fixture(scope="session")
def item_ids(people: list[Person], world: World) -> list[int]:
    """The Items that were there first: their bank changes, and tells of it."""
    with world.engine.connect() as connection:
        return list(connection.scalars(select(Item.id).order_by(Item.id)))


@pytest.fixture
def plaid(world: World) -> Iterator[Plaid]:
    plaid = Plaid(world)
    yield plaid
    plaid.close()


@pytest.fixture
def postgres(world: World) -> Iterator[Postgres]:
    """The database as something to be taken away; it is there again afterwards."""
    if not isinstance(world.database, Postgres):
        pytest.skip("SQLite is a file and does not go away")
    yield world.database
    world.database.thaw()
    world.database.bring_back()


@pytest.fixture
def note(request: pytest.FixtureRequest, world: World) -> Callable[[str, str, str], None]:
    """Writes a line of the table: gate, what must be, what was."""
    table = request.config.stash.setdefault(TABLE, [])
    database = "PostgreSQL" if isinstance(world.database, Postgres) else "SQLite"

    def write(gate: str, must_be: str, was: str) -> None:
        table.append((f"{database}: {gate}", must_be, was))

    return write


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Chaos comes last: its processes are gone when the run is over, and disturb no other test.

    The short form has SQLite where its one writer matters.
    """
    here = Path(__file__).parent
    chaos = [item for item in items if here in item.path.parents]
    left_out = [] if LONG else [item for item in chaos if _is_sqlite_alone(item)]
    others = [item for item in items if item not in chaos]
    items[:] = others + [item for item in chaos if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _is_sqlite_alone(item: pytest.Item) -> bool:
    return "[sqlite]" in item.name and not item.get_closest_marker("both_databases")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table = terminalreporter.config.stash.get(TABLE, [])
    if table:
        terminalreporter.section(f"chaos, {'long' if LONG else 'short'} form")
        for row in [("gate", "must be", "was"), ("---", "---", "---"), *table]:
            terminalreporter.line(f"| {' | '.join(row)} |")


@pytest.fixture(autouse=True)
def _awake(request: pytest.FixtureRequest) -> None:
    """A gate that failed may have left something down; the next one starts with all there."""
    if "world" in request.fixturenames:
        poll(request.getfixturevalue("world").is_ready, 30, "a ready app")
