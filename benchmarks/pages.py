"""Do pages stay fast when a history grows a thousandfold?

A person has 1,000 transactions in one database and 1,000,000 in another. The first table compares
the app's own pages, rendered in this process. The second compares the app's queries with naive
ones, on the larger database.
"""

import contextlib
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import ColumnElement, func, or_, select

from benchmarks import long_history
from benchmarks.harness import DATABASES, alternate, database, parser, table
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.finance.transactions.listing import PAGE_SIZE
from plaidapp.store import Transaction
from plaidapp.store.transactions import filter_totals, reader, search
from plaidapp.store.transactions.filters import Filter
from tests.conftest import make_config
from tests.logged_in import logged_in

EXPLORER = "/finance/transactions"
SIZES = (1_000, 1_000_000)
QUICK = (1_000, 50_000)
DEEP = 1_000
"""How many pages in the deep page is, or half the history if that is shorter."""
HTMX = {"HX-Request": "true"}
NO_REDIS = "redis://localhost:1"  # no page needs Redis or the bank
SAME = (
    *("dashboard", "first page", "deep page", "account", "account, a deep page"),
    *("net worth, explained", "spending, explained", "a month, explained", "a balance, explained"),
    "all, explained",
    *("spending", "spending, a past month", "recurring", "recurring, the calendar"),
)
LIMITS = dict.fromkeys(SAME, 1.3)
SEARCH_LIMIT = 3
MERCHANTS = 20_000
TYPED = (
    *("coffee", "locksmith", "loksmith", "katomi cofee", "vistosol", "barvispex", "renterkami"),
    *("17.99", "october", "groceries last quarter", "sync platypus", "account 3", "export last"),
)
"""What somebody types, letter by letter, to find anything."""
FIND_LIMIT = 50
"""Milliseconds in which 95 of 100 answers are there."""


def main() -> None:
    known = parser(__doc__ or "")
    known.add_argument("--keep", type=Path, help="where to keep the databases for the next run")
    options = known.parse_args()
    sizes, rounds = (QUICK, 5) if options.quick else (SIZES, 15)
    for kind in DATABASES:
        with contextlib.ExitStack() as opened:
            apps = {rows: opened.enter_context(filled(kind, rows, options.keep)) for rows in sizes}
            compare_pages(kind, apps, rounds)
            compare_queries(kind, apps[sizes[-1]])
            time_find(kind, apps, rounds)


@contextlib.contextmanager
def filled(kind: str, rows: int, keep: Path | None = None) -> Iterator[Flask]:
    """Give the app on a database with `rows` transactions of user 1. It may be kept in `keep`."""
    kept = keep and keep / f"{kind}-{rows}"
    filled = kept and kept / "filled"
    is_filled = filled and filled.exists()
    if kept and not is_filled:
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
    with database(kind, kept) as url:
        app = create_app(make_config(url, NO_REDIS, "http://localhost:1"))
        with app.app_context():
            upgrade()
            user_id = None if is_filled else long_history.add_user("alice")
        if user_id:
            long_history.add_history(app, user_id, rows, MERCHANTS)
        if filled:
            filled.touch()
        yield app
        with app.app_context():
            db.engine.dispose()


def compare_pages(kind: str, apps: Mapping[int, Flask], rounds: int) -> None:
    """Time each page on the short and on the long history."""
    ways: dict[str, Callable[[], float]] = {}
    for rows, app in apps.items():
        for name, path in _paths(app, rows).items():
            ways[f"{name}/{rows}"] = _get(logged_in(app, 1), path)
    alternate(ways, 1)  # the first round reads templates and opens connections
    medians = {way: statistics.median(times) for way, times in alternate(ways, rounds).items()}
    small, large = apps
    rows_shown = []
    for name in _paths(apps[small], small):
        few, many = medians[f"{name}/{small}"], medians[f"{name}/{large}"]
        rows_shown.append((name, few, many, many / few, LIMITS.get(name, SEARCH_LIMIT)))
    header = ("page", f"{small:,} rows, ms", f"{large:,} rows, ms", "ratio", "at most")
    table(f"Pages, {kind}", header, rows_shown)


def _paths(app: Flask, rows: int) -> dict[str, str]:
    with app.app_context():
        after = _place(min(DEEP * PAGE_SIZE, rows // 2))
        deep = db.session.get_one(Transaction, after[1]).account_id
    return {
        "dashboard": "/finance/",
        "first page": EXPLORER,
        "deep page": f"{EXPLORER}?after={after[0]}_{after[1]}",
        "account": "/finance/accounts/1",
        "account, a deep page": f"/finance/accounts/{deep}?after={after[0]}_{after[1]}",
        "spending": "/finance/spending",
        "spending, a past month": f"/finance/spending?month={_last_year()}",
        "recurring": "/finance/recurring",
        "recurring, the calendar": "/finance/recurring/calendar",
        "a balance, explained": "/finance/explain/balance/1",
        "net worth, explained": "/finance/explain/net-worth?currency=USD",
        "spending, explained": "/finance/explain/spending?currency=USD",
        "a month, explained": "/finance/explain/cash-flow?part=out&currency=USD",
        "all, explained": "/finance/explain/transactions?part=out&currency=USD",
        "search, a common word": f"{EXPLORER}?q={long_history.COMMON}",
        "search, a rare word": f"{EXPLORER}?q={long_history.RARE}",
        "search, a letter": f"{EXPLORER}?q=c",
    }


def _last_year() -> str:
    """This month of last year, as an address has it."""
    today = datetime.now(UTC)
    return f"{today.year - 1}-{today:%m}"


def _place(number: int) -> reader.Place:
    """Return the position after `number` rows, which the previous page's link would hold."""
    place = reader.end_of_stretch(Filter(1), number)
    if not place:
        raise LookupError(number)
    return place


def _get(
    client: FlaskClient, path: str, headers: Mapping[str, str] | None = None
) -> Callable[[], float]:
    def get() -> float:
        start = time.perf_counter()
        response = client.get(path, headers=headers)
        seconds = time.perf_counter() - start
        if response.status_code != 200:
            raise RuntimeError(path)
        return seconds * 1000

    return get


def time_find(kind: str, apps: Mapping[int, Flask], rounds: int) -> None:
    """Time each letter of what somebody types in the dialog that finds anything."""
    rows = []
    for size, app in apps.items():
        client = logged_in(app, 1)
        begun = [typed[: end + 1] for typed in TYPED for end in range(len(typed))]
        requests = [_get(client, f"/finance/find?q={quote(text)}", HTMX) for text in begun]
        for ask in requests:  # the first round reads templates and opens connections
            ask()
        times = sorted(ask() for _ in range(rounds) for ask in requests)
        rows.append((f"{size:,} rows", statistics.median(times), _percentile(times), FIND_LIMIT))
    header = ("each letter, to find anything", "median, ms", "p95, ms", "at most")
    table(f"Find, with {MERCHANTS:,} merchants, {kind}", header, rows)


def _percentile(times: list[float]) -> float:
    return times[len(times) * 95 // 100]


def compare_queries(kind: str, app: Flask) -> None:
    """Time the app's queries and naive ones that give the same result."""
    with app.app_context():
        place = _place(DEEP * PAGE_SIZE // 2)
        searches = {
            word: Filter(1, search=search.words(word))
            for word in (long_history.COMMON, long_history.RARE)
        }
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
        ways: dict[str, Callable[[], float]] = {}
        for name, both in pairs.items():
            if both[0]() != both[1]():
                raise RuntimeError(name)
            ways |= {f"{name}/{which}": _timed(way) for which, way in enumerate(both)}
        medians = {way: statistics.median(times) for way, times in alternate(ways, 2).items()}
    rows = []
    for name in pairs:
        ours, naive = medians[f"{name}/0"], medians[f"{name}/1"]
        rows.append((name, ours, naive, naive / ours))
    header = ("the naive query", "ours, ms", "naive, ms", "naive / ours")
    table(f"Queries on the longer history, {kind}", header, rows)


def _timed(way: Callable[[], object]) -> Callable[[], float]:
    def run() -> float:
        db.session.rollback()
        start = time.perf_counter()
        way()
        return (time.perf_counter() - start) * 1000

    return run


def _visible() -> list[ColumnElement[bool]]:
    return [
        Transaction.user_id == 1,
        Transaction.removed_at.is_(None),
        Transaction.hidden.is_(False),
    ]


def _newest(*conditions: ColumnElement[bool]) -> list[Transaction]:
    query = select(Transaction).where(*_visible(), *conditions)
    query = query.order_by(Transaction.date.desc(), Transaction.id.desc()).limit(PAGE_SIZE)
    return list(db.session.scalars(query))


def _offset(number: int) -> list[Transaction]:
    query = select(Transaction).where(*_visible())
    query = query.order_by(Transaction.date.desc(), Transaction.id.desc())
    return list(db.session.scalars(query.offset(number).limit(PAGE_SIZE)))


def _like(word: str) -> list[Transaction]:
    columns = Transaction.name, Transaction.merchant_name
    return _newest(or_(*(column.ilike(f"%{word}%") for column in columns)))


def _summed() -> filter_totals.Tally:
    query = select(func.count(), func.sum(Transaction.size)).where(*_visible())
    rows, _ = db.session.execute(query).one()
    return filter_totals.Tally(rows, False, ())


if __name__ == "__main__":
    main()
