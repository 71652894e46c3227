"""What the environment says about connections to the database. `config` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import environment

DIRECT, TRANSACTION = "none", "transaction"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """None stands for the number in plaidapp.policy. Times are in seconds, and of PostgreSQL only.

    `pool_size` is the most connections that one process opens. `pooler` says that one in
    transaction mode, such as PgBouncer, is between the app and PostgreSQL.
    """

    pool_size: int | None = None
    pooler: str = DIRECT
    statement_timeout: int | None = None
    lock_timeout: int | None = None
    job_statement_timeout: int | None = None
    job_lock_timeout: int | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Raises ConfigError for the first bad variable."""
        return cls(
            pool_size=environment.whole_number(env, "DATABASE_POOL_SIZE", 1000),
            pooler=environment.one_of(env, "DATABASE_POOLER", DIRECT, (DIRECT, TRANSACTION)),
            statement_timeout=_seconds(env, "DATABASE_STATEMENT_TIMEOUT"),
            lock_timeout=_seconds(env, "DATABASE_LOCK_TIMEOUT"),
            job_statement_timeout=_seconds(env, "DATABASE_JOB_STATEMENT_TIMEOUT"),
            job_lock_timeout=_seconds(env, "DATABASE_JOB_LOCK_TIMEOUT"),
        )


def _seconds(env: Mapping[str, str], name: str) -> int | None:
    return environment.whole_number(env, name, 3600)
