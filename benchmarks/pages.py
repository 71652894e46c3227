"""Do pages stay as quick when a ledger grows a thousandfold?

One person has 1,000 transactions in one database and 1,000,000 in another. The pages are those of
the app itself, in this process; below them the queries of the naive way, on the larger one.
"""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping

from flask import Flask
from flask.testing import FlaskClient
from flask_login import FlaskLoginClient
from flask_migrate import upgrade
from sqlalchemy import func, or_, select

from benchmarks import ledger as rows_of
from benchmarks.rig import DATABASES, alternate, arguments, database, table
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.finance.transactions.listing import PAGE_SIZE
from plaidapp.store import Transaction
from plaidapp.store.people import users
from plaidapp.store.transactions import filter_totals, reader
from plaidapp.store.transactions.filters import Filter
from tests.conftest import make_config

EXPLORER = "/finance/transactions"
SIZES = (1_000, 1_000_000)
QUICK = (1_000, 50_000)
DEEP = 1_000
"""Pages; or half the ledger, where it is shorter."""
NOBODY = "redis://localhost:1"  # neither Redis nor the bank is asked for any of the pages
MUST_BE = {"dashboard": 1.3, "first page": 1.3, "deep page": 1.3}
SEARCH_MUST_BE = 3


def main() -> None:
    options = arguments(__doc__)
    sizes, rounds = (QUICK, 5) if options.quick else (SIZES, 15)
    for kind in DATABASES:
        with contextlib.ExitStack() as opened:
            apps = {rows: opened.enter_context(filled(kind, rows)) for rows in sizes}
            compare_pages(kind, apps, rounds)
            compare_queries(kind, apps[sizes[-1]])


@contextlib.contextmanager
def filled(kind: str, rows: int) -> Iterator[Flask]:
    with database(kind) as url:
        app = create_app(make_config(url, NOBODY, "http://localhost:1"))
        app.test_client_class = FlaskLoginClient
        with app.app_context():
            upgrade()
            user_id = rows_of.person("alice")
        rows_of.fill(app, user_id, rows)
        yield app
        with app.app_context():
            db.engine.dispose()


def compare_pages(kind: str, apps: Mapping[int, Flask], rounds: int) -> None:
    ways: dict[str, Callable[[], float]] = {}
    for rows, app in apps.items():
        for name, path in _paths(app, rows).items():
            ways[f"{name}/{rows}"] = _get(_client(app), path)
    alternate(ways, 1)  # templates are read, connections opened
    found = {way: statistics.median(times) for way, times in alternate(ways, rounds).items()}
    small, large = apps
    shown = []
    for name in _paths(apps[small], small):
        few, many = found[f"{name}/{small}"], found[f"{name}/{large}"]
        shown.append((name, few, many, many / few, MUST_BE.get(name, SEARCH_MUST_BE)))
    header = ("page", f"{small:,} rows, ms", f"{large:,} rows, ms", "ratio", "at most")
    table(f"Pages, {kind}", header, shown)


def _paths(app: Flask, rows: int) -> dict[str, str]:
    with app.app_context():
        after = _place(min(DEEP * PAGE_SIZE, rows // 2))
    return {
        "dashboard": "/finance/",
        "first page": EXPLORER,
        "deep page": f"{EXPLORER}?after={after[0]}_{after[1]}",
        "search, a common word": f"{EXPLORER}?q={rows_of.COMMON}",
        "search, a rare word": f"{EXPLORER}?q={rows_of.RARE}",
        "search, a letter": f"{EXPLORER}?q=c",
    }


def _place(number: int) -> reader.Place:
    """After so many rows: what the link of the page before says."""
    place = reader.end_of_stretch(Filter(1), number)
    if not place:
        raise LookupError(number)
    return place


def _client(app: Flask) -> FlaskClient:
    with app.app_context():
        return app.test_client(user=users.by_id(1))


def _get(client: FlaskClient, path: str) -> Callable[[], float]:
    def get() -> float:
        begun = time.perf_counter()
        answer = client.get(path)
        took = time.perf_counter() - begun
        if answer.status_code != 200:
            raise RuntimeError(path)
        return took * 1000

    return get


def compare_queries(kind: str, app: Flask) -> None:
    """The same question asked both ways; the answers are the same."""
    with app.app_context():
        place = _place(DEEP * PAGE_SIZE // 2)
        searches = {word: Filter(1, search=word) for word in (rows_of.COMMON, rows_of.RARE)}
        pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "a deep page, by OFFSET": (
                lambda: reader.page(Filter(1), PAGE_SIZE, place),
                lambda: _offset(DEEP * PAGE_SIZE // 2),
            ),
            "count and sums, by count(*) and sum()": (
                lambda: filter_totals.tally(Filter(1), 1).rows,
                lambda: _summed().rows,
            ),
        } | {
            f"{word}, by LIKE": (
                lambda wanted=wanted: reader.page(wanted, PAGE_SIZE),
                lambda word=word: _like(word),
            )
            for word, wanted in searches.items()
        }
        ways = {}
        for name, both in pairs.items():
            if both[0]() != both[1]():
                raise RuntimeError(name)
            ways |= {f"{name}/{which}": _timed(way) for which, way in enumerate(both)}
        found = {way: statistics.median(times) for way, times in alternate(ways, 2).items()}
        shown = [(name, *(found[f"{name}/{which}"] for which in (0, 1))) for name in pairs]
    header = ("the naive way", "ours, ms", "naive, ms", "naive / ours")
    rows = [(name, ours, naive, naive / ours) for name, ours, naive in shown]
    table(f"Queries of the longer ledger, {kind}", header, rows)


def _timed(way: Callable[[], object]) -> Callable[[], float]:
    def run() -> float:
        db.session.rollback()
        begun = time.perf_counter()
        way()
        return (time.perf_counter() - begun) * 1000

    return run


def _shown() -> list[object]:
    shown = Transaction.removed_at.is_(None), Transaction.hidden.is_(False)
    return [Transaction.user_id == 1, *shown]


def _newest(*conditions: object) -> list[Transaction]:
    query = select(Transaction).where(*_shown(), *conditions)
    query = query.order_by(Transaction.date.desc(), Transaction.id.desc()).limit(PAGE_SIZE)
    return list(db.session.scalars(query))


def _offset(number: int) -> list[Transaction]:
    query = select(Transaction).where(*_shown())
    query = query.order_by(Transaction.date.desc(), Transaction.id.desc())
    return list(db.session.scalars(query.offset(number).limit(PAGE_SIZE)))


def _like(word: str) -> list[Transaction]:
    columns = Transaction.name, Transaction.merchant_name
    return _newest(or_(*(column.ilike(f"%{word}%") for column in columns)))


def _summed() -> filter_totals.Tally:
    query = select(func.count(), func.sum(Transaction.size)).where(*_shown())
    rows, _ = db.session.execute(query).one()
    return filter_totals.Tally(rows, False, ())


if __name__ == "__main__":
    main()
