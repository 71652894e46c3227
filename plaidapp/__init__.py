"""plaidapp: your bank data, in your own database."""

import contextlib
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

from flask import Flask
from flask.templating import Environment
from sqlalchemy import make_url

import database_settings
from config import Config
from database_settings import DatabaseSettings

from . import policy
from .bank.client import Bank
from .bank.link_calls import LinkOptions
from .extensions import db, postgresql, sqlite
from .jobs import queue
from .jobs.plaid_limits.gate import Gate, client_key
from .jobs.plaid_limits.window import Window
from .sealing import Cipher

ROOT = Path(__file__).parent.parent


class Templates(Environment):
    """Gives templates the globals as they are: none has globals of its own.

    Jinja lays a ChainMap over them, and reads all of it for every import of a macro.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return super().make_globals(d) if d else self.globals


class PlainFlask(Flask):
    """Calls views and hooks as they are. Flask asks of each, each time, whether it is async."""

    jinja_environment = Templates

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(config: Config) -> Flask:
    """Make the whole app. It opens no connection, since gunicorn forks afterwards."""
    from . import web  # imported here because forms and locales would add a tenth to a worker

    app = create_worker_app(config)
    web.init_app(app)
    return app


def create_worker_app(config: Config) -> Flask:
    """Make the part of the app that jobs need: database, queue and bank, but no pages."""
    app = PlainFlask(
        "plaidapp",
        root_path=str(ROOT),
        template_folder="templates",
        static_folder="static",
        instance_path=str(ROOT / "instance"),
    )
    app.config.from_mapping(
        SECRET_KEY=config.secret_keys[0],
        SECRET_KEY_FALLBACKS=list(config.secret_keys[1:]),
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config),
        PLAIDAPP=config,
    )
    app.logger.setLevel(config.log_level)
    _configure_db(app, config)
    cipher = Cipher(config.token_keys)
    app.extensions["cipher"] = cipher
    app.extensions["redis"] = queue.connect(config.redis_url)
    app.extensions["plaid_gate"] = Gate(
        Window(app.extensions["redis"]),
        client_key(config.plaid_client_id, config.plaid_env),
        policy.plaid_limits(config.plaid_limits),
    )
    app.extensions["bank"] = Bank(
        config.plaid_url,
        config.plaid_client_id,
        config.plaid_secret,
        cipher,
        config.bank_timeout or policy.CALL_DEADLINE,
        LinkOptions(
            config.plaid_country_codes,
            config.plaid_language,
            config.public_url and f"{config.public_url}/webhooks/plaid",
        ),
    )
    return app


def _engine_options(config: Config) -> dict[str, object]:
    options: dict[str, object] = {
        "hide_parameters": True,  # errors are logged, and the values in a statement are private
        "pool_size": config.database.pool_size or policy.DATABASE_POOL_SIZE,
        "max_overflow": 0,
        "pool_timeout": policy.DATABASE_PATIENCE,
    }
    if not config.database_url.startswith("sqlite"):
        connect = dict(postgresql.CONNECT, tcp_user_timeout=round(1000 * policy.SILENCE_LIMIT))
        if config.database.pooler == database_settings.TRANSACTION:
            connect["prepare_threshold"] = None  # they would be prepared on another connection
        options["connect_args"] = connect
    return options


def _configure_db(app: Flask, config: Config) -> None:
    url = make_url(config.database_url)
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite and url.database and url.database != ":memory:":
        _keep_private(Path(url.database))
    db.init_app(app)
    with app.app_context():
        if is_sqlite:
            sqlite.configure(db.engine)
        else:
            postgresql.configure(db.engine, _limits(config.database))


def _limits(chosen: DatabaseSettings) -> postgresql.AllLimits:
    return postgresql.AllLimits(
        pages=postgresql.Limits(
            chosen.statement_timeout or policy.STATEMENT_TIMEOUT,
            chosen.lock_timeout or policy.LOCK_TIMEOUT,
            policy.IDLE_TIMEOUT,
        ),
        jobs=postgresql.Limits(
            chosen.job_statement_timeout or policy.JOB_STATEMENT_TIMEOUT,
            chosen.job_lock_timeout or policy.JOB_LOCK_TIMEOUT,
            policy.IDLE_TIMEOUT,
        ),
        migrations=postgresql.Limits(0, policy.MIGRATION_LOCK_TIMEOUT, policy.IDLE_TIMEOUT),
    )


def _keep_private(database: Path) -> None:
    """Make the file if there is none, and let nobody but its owner read it.

    SQLite gives the files next to it the same mode when it makes them.
    """
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    database.touch(mode=0o600)
    for suffix in ("", "-wal", "-shm", "-journal"):
        with contextlib.suppress(OSError):  # there is none, or it is somebody else's
            database.with_name(database.name + suffix).chmod(0o600)
