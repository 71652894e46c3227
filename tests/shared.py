"""What the apps of all tests share, because making it anew takes longer than a small test."""

import sqlite3
from collections.abc import MutableMapping
from types import CodeType
from typing import Any

from flask.sansio.app import App
from flask.templating import DispatchingJinjaLoader
from flask.templating import Environment as FlaskEnvironment
from jinja2 import Environment, Template
from sqlalchemy import Engine, event
from werkzeug.routing import Rule

from plaidapp.extensions import db

_engines: dict[str, Engine] = {}
_database = {"file": ""}
_compiled: dict[tuple[object, ...], dict[str, object]] = {}
_templates: dict[tuple[str, str], CodeType] = {}


def use_engine() -> None:
    """Use one engine per kind of database, because it remembers each compiled statement.

    On PostgreSQL its connections stay open from test to test: opening one takes longer than the
    statements of a small test. On SQLite, where each test has a file of its own, it opens the file
    of the current test.
    """
    _database["file"] = db.engine.url.database or ""
    kind = db.engine.dialect.name
    if kind not in _engines:
        _engines[kind] = db.engine
        if kind == "sqlite":
            event.listen(db.engine, "do_connect", _open_current_file)
            event.listen(db.engine, "connect", _wait_for_no_disk)
    db.engines[None] = _engines[kind]


def _open_current_file(_dialect: object, _record: object, cargs: list[str], _: object) -> None:
    cargs[0] = _database["file"]


def _wait_for_no_disk(connection: sqlite3.Connection, _record: object) -> None:
    """The file ends with the test."""
    connection.execute("PRAGMA synchronous=OFF").close()


class Route(Rule):
    """A route that is compiled once for all apps. That was most of the time of `create_app`."""

    def compile(self) -> None:
        where = self.subdomain, self.host, self.merge_slashes, self.map.host_matching
        converters = tuple(self.map.converters.items())
        key = self.rule, repr(self.defaults), *where, converters
        if key not in _compiled:
            before = vars(self).copy()
            super().compile()
            made = {name: each for name, each in vars(self).items() if each is not before.get(name)}
            _compiled[key] = made | {"arguments": self.arguments}
        vars(self).update(_compiled[key])


class Templates(FlaskEnvironment):
    """Templates that are compiled once for all apps, because compiling takes most of a test."""

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(app, loader=_Loader(app), **options)


class _Loader(DispatchingJinjaLoader):
    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,
    ) -> Template:
        key = self.app.root_path, name
        if key not in _templates:
            source, filename, _ = self.get_source(environment, name)
            _templates[key] = environment.compile(source, name, filename)
        return environment.template_class.from_code(environment, _templates[key], globals or {})
