"""What must not be in clear, every place where it could be, and the search for it."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import brotli
import requests
from flask import Flask, session
from sqlalchemy import select

from plaidapp.auth.access import LOGIN
from plaidapp.extensions import db
from plaidapp.store import User
from tests.redis_content import redis_text

from .databases import Postgres
from .person import PASSWORD, Person
from .world import World

CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
ISSUED = {
    "access token": "SELECT access_token FROM item",
    "public token": "SELECT token FROM public_token",
    "link token": "SELECT token FROM link_token",
    "address of Hosted Link": "SELECT hosted_id FROM link_token",
}
ACCOUNT_NUMBERS = ("DE89370400440532013000", "4111111111111111")
"""A bank says them in its rows, where they stay, and in texts of errors."""
OWN = {"email address", "user name", "account number"}
"""What a person sees on their pages, and what the database keeps of them."""
OURS = ("web", "worker-1", "worker-2", "clock")
AT_PLAID = "/hl/"
SHORTEST = 8
"""Characters. A shorter text would be found by chance."""
Places = dict[str, list[bytes]]
"""Everything that could have a secret, by where it is."""


class Leaks:
    """Knows the secrets of a world. `follow` people, `note` what the bank has issued, `search`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pages: list[str] = []
        self.known: dict[str, set[str]] = defaultdict(set)
        self.known["key"] = {world.env[key] for key in ("SECRET_KEY", "TOKEN_KEYS", "PLAID_SECRET")}
        self.known["password"] = {PASSWORD}
        self.known["account number"] = {*ACCOUNT_NUMBERS}

    def follow(self, person: Person, name: str) -> None:
        """Keep every answer that the person gets from now on."""
        self.known["user name"].add(name)
        self.known["email address"].add(f"{name}@example.com")
        for cookie in person.http.cookies:
            self._take_cookie(cookie.name, str(cookie.value))
        person.http.hooks["response"].append(self._take)

    def _take(self, answer: requests.Response, **_: object) -> None:
        self.known["CSRF token"].update(CSRF.findall(answer.text))
        for cookie in answer.cookies:
            self._take_cookie(cookie.name, str(cookie.value))
        private = "set-cookie", *(["location", "hx-redirect"] if _leads_to_plaid(answer) else [])
        headers = [each for each in answer.headers.items() if each[0].lower() not in private]
        self.pages.append(f"{answer.url} {answer.status_code} {headers}\n{answer.text}")

    def _take_cookie(self, name: str, value: str) -> None:
        self.known[f"cookie {name}"].add(value)
        if name == "session":
            self.known["token of a session"].update(_token_in(self.world.app, value))

    def note(self) -> None:
        """Learn what the bank has issued so far: it forgets an access token that it replaces."""
        with closing(sqlite3.connect(self.world.bank_state, timeout=10)) as state:
            for kind, query in ISSUED.items():
                self.known[kind].update(row[0] for row in state.execute(query) if row[0])
        with self.world.engine.connect() as connection:
            self.known["password hash"].update(connection.scalars(select(User.password_hash)))

    def places(self) -> Places:
        world = self.world
        redis = redis_text(world.app.extensions["redis"]).encode()
        return {
            "database": [cell.encode() for cell in self._cells()],
            "database's files": [*self._files()],
            "Redis": [redis, *_contents(world.directory, "appendonlydir/*")],
            "log": [(world.directory / f"{name}.log").read_bytes() for name in OURS],
            "pages": [page.encode() for page in self.pages],
        }

    def _cells(self) -> Iterator[str]:
        """Yield each row of the database as text, raw pages as the bank sent them."""
        with self.world.engine.connect() as connection:
            for table in db.metadata.sorted_tables:
                columns = [each for each in table.c if each.name != "password_hash"]
                for row in connection.execute(table.select().with_only_columns(*columns)):
                    yield f"{table.name} {row}"
                    if table.name == "received_page":
                        yield brotli.decompress(row.body).decode(errors="replace")

    def _files(self) -> Iterator[bytes]:
        """Yield the files of the database: they also have what was deleted or replaced since."""
        if isinstance(self.world.database, Postgres):
            yield from _contents(self.world.database.directory, "base/**/*", "pg_wal/*")
        else:
            yield from _contents(self.world.directory, "chaos.db*")

    def search(self, places: Places) -> Iterator[str]:
        """Yield what was found where."""
        for place, texts in places.items():
            for kind, secrets in self.known.items():
                if not _belongs(kind, place):
                    for secret in (each.encode() for each in secrets if len(each) >= SHORTEST):
                        for text in texts:
                            if secret in text:
                                yield f"{kind} in {place}: {_around(text, secret)}"


def _contents(folder: Path, *patterns: str) -> Iterator[bytes]:
    for path in (path for pattern in patterns for path in folder.glob(pattern)):
        with suppress(FileNotFoundError, IsADirectoryError):  # files of a server come and go
            yield path.read_bytes()


def _belongs(kind: str, place: str) -> bool:
    if place.startswith("database"):
        in_files = place == "database's files" and kind == "password hash"
        return kind in OWN or in_files
    return place == "pages" and (kind in OWN or kind == "CSRF token")


def _around(text: bytes, secret: bytes) -> str:
    at = text.index(secret)
    return text[max(0, at - 200) : at + 100].decode(errors="replace")


def _leads_to_plaid(answer: requests.Response) -> bool:
    names = ("Location", "HX-Redirect")
    return any(AT_PLAID in answer.headers.get(name, "") for name in names)


def _token_in(app: Flask, cookie: str) -> list[str]:
    with app.test_request_context(headers={"Cookie": f"session={cookie}"}):
        return [session[LOGIN]] if LOGIN in session else []
