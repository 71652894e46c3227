"""How often each pull has ended. A trigger of the database counts, so none can be missed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from plaidapp.store.pulls import pulls

from .databases import Postgres
from .world import World

IS_OPEN = f"({pulls.QUEUED!r}, {pulls.RUNNING!r})"
ENDS = f"OLD.state IN {IS_OPEN} AND NEW.state NOT IN {IS_OPEN}"
NOTE = "INSERT INTO ending VALUES (NEW.id, NEW.state)"
TRIGGER = "CREATE TRIGGER note_ending AFTER UPDATE ON pull FOR EACH ROW WHEN"
POSTGRESQL = (
    f"CREATE FUNCTION note_ending() RETURNS trigger LANGUAGE plpgsql"
    f" AS $$ BEGIN {NOTE}; RETURN NULL; END $$",
    f"{TRIGGER} ({ENDS}) EXECUTE FUNCTION note_ending()",
)
SQLITE = (f"{TRIGGER} {ENDS} BEGIN {NOTE}; END",)


class Endings:
    def __init__(self, world: World) -> None:
        self._world = world

    def states(self) -> Counter[str]:
        with self._world.engine.connect() as connection:
            return Counter(connection.scalars(text("SELECT state FROM ending")))

    def pulls(self) -> Counter[int]:
        """Return how often each pull has ended."""
        with self._world.engine.connect() as connection:
            return Counter(connection.scalars(text("SELECT pull_id FROM ending")))


@contextmanager
def counting_endings(world: World) -> Iterator[Endings]:
    is_postgresql = isinstance(world.database, Postgres)
    with world.engine.begin() as connection:
        connection.execute(text("CREATE TABLE ending (pull_id BIGINT, state VARCHAR)"))
        for statement in POSTGRESQL if is_postgresql else SQLITE:
            connection.execute(text(statement))
    try:
        yield Endings(world)
    finally:
        with world.engine.begin() as connection:
            connection.execute(text("DROP TRIGGER note_ending" + " ON pull" * is_postgresql))
            if is_postgresql:
                connection.execute(text("DROP FUNCTION note_ending"))
            connection.execute(text("DROP TABLE ending"))
