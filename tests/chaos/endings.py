"""How often each pull has ended. A trigger of the database counts, so that none is missed."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import text

from plaidapp.store.pulls import pulls

from .databases import Postgres
from .world import World

OPEN = f"({pulls.QUEUED!r}, {pulls.RUNNING!r})"
ENDS = f"OLD.state IN {OPEN} AND NEW.state NOT IN {OPEN}"
NOTE = "INSERT INTO ending VALUES (NEW.id)"
TRIGGER = "CREATE TRIGGER note_ending AFTER UPDATE ON pull FOR EACH ROW WHEN"
POSTGRESQL = (
    f"CREATE FUNCTION note_ending() RETURNS trigger LANGUAGE plpgsql"
    f" AS $$ BEGIN {NOTE}; RETURN NULL; END $$",
    f"{TRIGGER} ({ENDS}) EXECUTE FUNCTION note_ending()",
)
SQLITE = (f"{TRIGGER} {ENDS} BEGIN {NOTE}; END",)
POSTGRESQL_FORGETS = ("DROP FUNCTION note_ending CASCADE", "DROP TABLE ending")
SQLITE_FORGETS = ("DROP TRIGGER note_ending", "DROP TABLE ending")


@contextmanager
def counting_endings(world: World) -> Iterator[Callable[[], Counter[int]]]:
    """Yield a function that returns how often each pull has ended in the `with` block."""
    is_postgresql = isinstance(world.database, Postgres)
    _run(world, "CREATE TABLE ending (pull_id BIGINT)", *(POSTGRESQL if is_postgresql else SQLITE))
    try:
        yield lambda: _count(world)
    finally:
        _run(world, *(POSTGRESQL_FORGETS if is_postgresql else SQLITE_FORGETS))


def _count(world: World) -> Counter[int]:
    with world.engine.connect() as connection:
        return Counter(connection.scalars(text("SELECT pull_id FROM ending")))


def _run(world: World, *statements: str) -> None:
    with world.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
