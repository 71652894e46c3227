"""plaidapp: your bank data, in your own database."""

from pathlib import Path

from flask import Flask
from sqlalchemy import make_url

from config import Config

from . import policy
from .bank.client import Bank
from .extensions import GLANCES, configure_postgresql, configure_sqlite, db
from .jobs import queue
from .store.base import encryption

ROOT = Path(__file__).parent.parent


def create_app(config: Config) -> Flask:
    """The app, wired. Opens no connection: gunicorn forks after this."""
    from . import web  # not above: forms, templates and locales are a tenth of a worker's memory

    app = create_worker_app(config)
    web.init_app(app)
    return app


def create_worker_app(config: Config) -> Flask:
    """What a job needs of the app: the database, the queue and the bank, but nothing to look at."""
    app = Flask(
        "plaidapp",
        root_path=str(ROOT),
        template_folder="templates",
        static_folder="static",
        instance_path=str(ROOT / "instance"),
    )
    app.config.from_mapping(
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config.database_url),
        SQLALCHEMY_BINDS={GLANCES: _glance_options(config.database_url)},
        PLAIDAPP=config,
    )
    app.logger.setLevel(config.log_level)
    _configure_db(app)
    cipher = encryption.cipher_for(config.token_keys)
    app.extensions["cipher"] = cipher
    app.extensions["redis"] = queue.connect(config.redis_url)
    app.extensions["bank"] = Bank(
        config.plaid_url,
        config.plaid_client_id,
        config.plaid_secret,
        cipher,
        config.bank_timeout or policy.CALL_DEADLINE,
        webhook_url=config.public_url and f"{config.public_url}/webhooks/plaid",
    )
    return app


def _engine_options(database_url: str) -> dict[str, object]:
    # Errors end in logs, and their statements' values are people's.
    options: dict[str, object] = {"hide_parameters": True}
    if not database_url.startswith("sqlite"):
        # Connections that died while idle are noticed; a database that is away not waited for long.
        options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5}}
    return options


def _glance_options(database_url: str) -> dict[str, object]:
    """No transaction means nothing to begin or to roll back, and what fails is asked anew."""
    options = _engine_options(database_url) | {"pool_pre_ping": False}
    return options | {
        "url": database_url,
        "isolation_level": "AUTOCOMMIT",
        "pool_reset_on_return": None,
    }


def _configure_db(app: Flask) -> None:
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite and url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        configure = configure_sqlite if sqlite else configure_postgresql
        configure(db.engine)
