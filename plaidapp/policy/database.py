"""How many connections to the database a process opens, and how long it waits for it."""

DATABASE_POOL_SIZE = 10
"""The most connections of a process. Threads that wait for a bank or a change hold none, and a page
needs one for some milliseconds."""
DATABASE_PATIENCE = 5.0
"""Seconds that a thread waits for one of them. Then a page is answered 503."""
STATEMENT_TIMEOUT = 15.0
"""Seconds that a statement of a page may take on PostgreSQL."""
LOCK_TIMEOUT = 5.0
"""Seconds that a page waits for a lock there, such as a person's ledger while a sync stores rows.
SQLite's writers wait as long."""
JOB_STATEMENT_TIMEOUT = 300.0
"""The same as STATEMENT_TIMEOUT for jobs, the clock and commands: one statement stores the whole
history of a new Item."""
JOB_LOCK_TIMEOUT = 60.0
"""The same as LOCK_TIMEOUT for them."""
IDLE_TIMEOUT = 30.0
"""Seconds that a transaction may stay open with nothing to do. Its process hangs, and others may
wait for its locks."""
SILENCE_LIMIT = 15.0
"""Seconds until a connection to PostgreSQL, or of a worker to Redis, is given up whose other end
confirms nothing of what was sent. Linux alone would wait for 15 minutes. After this time, a worker
has lost its pull anyway."""
MIGRATION_LOCK_TIMEOUT = 0.5
"""Seconds that a migration waits for a lock, while requests queue up behind it. Its statements may
take as long as they must. It gives up before PostgreSQL looks for deadlocks, after a second: so the
app is never what is canceled."""
MIGRATION_PAUSE = 1.0
"""Seconds until it starts over, after it has given up."""
MIGRATION_PATIENCE = 300.0
"""Seconds after which it starts over no more."""
