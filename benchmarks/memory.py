"""How much memory do the processes use, and does it grow?

All figures are in MB. RSS is that of the largest process of a family. gunicorn's processes share
the app's memory, and RSS counts it in full for each; PSS divides it among them.
"""

import re
from collections.abc import Iterable

import psutil
from sqlalchemy import create_engine, text

from config import Config
from plaidapp import create_app
from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.store import Item
from plaidapp.store.pulls import kinds, pulls
from tests.chaos.person import Person
from tests.e2e.processes import Deployment, wait_until

from . import harness

MB = 2**20
LIMIT = 90
LOCALES = ("en-US", "de-DE")
TABLES = {
    "account": "account",
    "item": "item",
    "pull": "pull",
    "session": "link_session",
    "transaction": "transaction",
}
"""The table of each kind of id in an address."""


def main() -> None:
    quick = harness.arguments(__doc__ or "").quick
    rounds, jobs = (2, 50) if quick else (15, 1000)
    web, worker = [], []
    for kind in harness.DATABASES:
        with harness.deployment(kind) as running:
            person = Person(running.url, "anna")
            person.connect_dynamic("ins_109508")
            _wait_for_pulls(running)
            worker.append((kind, *_worker(running, jobs)))
            person.click("/finance/connections").raise_for_status()  # a session of Link
            web.append((kind, *_web(running, person, rounds)))
    limit = f"at most {LIMIT}, no growth"
    harness.table(
        "The web process, loading every page and export in two languages, MB of RSS",
        ("", "at first", "after one round", f"after {rounds} rounds", "PSS", "limit"),
        [(*row, limit) for row in web],
    )
    harness.table(
        "The worker process, MB of RSS",
        ("", "at first", f"after {jobs:,} pulls", f"after {2 * jobs:,}", "limit"),
        [(*row, limit) for row in worker],
    )


def _web(running: Deployment, person: Person, rounds: int) -> tuple[float, float, float, float]:
    family = running.running["web"].family
    rss = [_rss(family())]
    pages = list(_pages(running))
    for number in range(rounds):
        _load(person, pages)
        if number == 0:
            rss.append(_rss(family()))
    pss: float = max(process.memory_full_info().pss for process in family()) / MB
    return rss[0], rss[1], _rss(family()), pss


def _load(person: Person, pages: Iterable[str]) -> None:
    for locale in LOCALES:
        person.http.headers["Accept-Language"] = locale
        for page in pages:
            person.look(page, timeout=30).raise_for_status()


def _pages(running: Deployment) -> Iterable[str]:
    """Return the path of every page, fragment and file, with ids that exist."""
    app = create_app(Config.from_env(running.env))
    with app.app_context():
        ids = {
            f"{name}_id": db.session.scalar(text(f'SELECT min(id) FROM "{table}"'))
            for name, table in TABLES.items()
        }
        db.session.remove()
        db.engine.dispose()
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint != "static":
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(ids[match[1]]), rule.rule)


def _worker(running: Deployment, jobs: int) -> tuple[float, float, float]:
    family = running.running["worker"].family
    rss = [_rss(family())]
    for _ in range(2):
        _request_pulls(running, jobs)
        _wait_for_pulls(running)
        rss.append(_rss(family()))
    return rss[0], rss[1], rss[2]


def _request_pulls(running: Deployment, count: int) -> None:
    """Request pulls of balances and of transactions in turn."""
    app = create_app(Config.from_env(running.env))
    with app.app_context():
        item = db.session.scalars(db.select(Item)).one()
        chosen = (kinds.ACCOUNTS, kinds.TRANSACTIONS)
        added = [pulls.add(item.user_id, chosen[n % 2], items=[item]) for n in range(count)]
        db.session.commit()
        for pull in added:
            queue.ring(pull)
        db.session.remove()
        db.engine.dispose()


def _wait_for_pulls(running: Deployment) -> None:
    engine = create_engine(running.env["DATABASE_URL"])
    active = text("SELECT count(*) FROM pull WHERE state IN ('queued', 'running')")

    def is_idle() -> bool:
        with engine.connect() as connection:
            return not connection.execute(active).scalar_one()

    wait_until(is_idle, 600, "every pull is done")
    engine.dispose()


def _rss(family: Iterable[psutil.Process]) -> float:
    return max(process.memory_info().rss for process in family) / MB


if __name__ == "__main__":
    main()
