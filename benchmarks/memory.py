"""How much memory do the processes take, and does it grow?

RSS, in MB, of the Procfile's processes. Of gunicorn's workers, each of which holds the app that
they share as well, it is the largest; PSS counts what is shared in parts.
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
from plaidapp.store.pulls import pulls
from tests.chaos.person import Person
from tests.e2e.processes import Deployment, wait_until

from . import rig

MB = 2**20
MOST = 90
LOCALES = ("en-US", "de-DE")


def main() -> None:
    quick = rig.arguments(__doc__ or "").quick
    rounds, jobs = (2, 50) if quick else (15, 1000)
    web, worker = [], []
    for kind in rig.DATABASES:
        with rig.deployment(kind) as running:
            person = Person(running.url, "anna")
            person.connect_dynamic("ins_109508")
            _wait_for_pulls(running)
            worker.append((kind, *_worker(running, jobs)))
            web.append((kind, *_web(running, person, rounds)))
    must_be = f"at most {MOST}, no growth"
    rig.table(
        "The web process, every page and export in two languages, MB of RSS",
        ("", "at first", "after every page", f"after {rounds} times", "(PSS)", "must be"),
        [(*row, must_be) for row in web],
    )
    rig.table(
        "The worker, MB of RSS",
        ("", "at first", f"after {jobs:,} pulls", f"after {2 * jobs:,}", "must be"),
        [(*row, must_be) for row in worker],
    )


def _web(running: Deployment, person: Person, rounds: int) -> tuple[float, float, float, float]:
    family = running.running["web"].family
    found = [_rss(family())]
    pages = list(_pages(running))
    for number in range(rounds):
        _look(person, pages)
        if number == 0:
            found.append(_rss(family()))
    shared = max(process.memory_full_info().pss for process in family()) / MB
    return found[0], found[1], _rss(family()), shared


def _look(person: Person, pages: Iterable[str]) -> None:
    for locale in LOCALES:
        person.http.headers["Accept-Language"] = locale
        for page in pages:
            answer = person.look(page, timeout=30)
            answer.raise_for_status()


def _pages(running: Deployment) -> Iterable[str]:
    """The address of every page, fragment and file there is, for the one who is logged in."""
    app = create_app(Config.from_env(running.env))
    with app.app_context():
        ids = {
            f"{name}_id": db.session.scalar(text(f'SELECT min(id) FROM "{table}"'))
            for name, table in (("item", "item"), ("pull", "pull"), ("transaction", "transaction"))
        }
        db.session.remove()
        db.engine.dispose()
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()) and rule.endpoint != "static":
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda found: str(ids[found[1]]), rule.rule)


def _worker(running: Deployment, jobs: int) -> tuple[float, float, float]:
    family = running.running["worker"].family
    found = [_rss(family())]
    for _ in range(2):
        _pull(running, jobs)
        _wait_for_pulls(running)
        found.append(_rss(family()))
    return found[0], found[1], found[2]


def _pull(running: Deployment, jobs: int) -> None:
    """Balances and transactions by turns."""
    app = create_app(Config.from_env(running.env))
    with app.app_context():
        item = db.session.scalars(db.select(Item)).one()
        kinds = (pulls.ACCOUNTS, pulls.TRANSACTIONS)
        added = [pulls.add(item.user_id, kinds[n % 2], items=[item]) for n in range(jobs)]
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
            return connection.scalar(active) == 0

    wait_until(is_idle, 600, "every pull is done")
    engine.dispose()


def _rss(family: Iterable[psutil.Process]) -> float:
    return max(process.memory_info().rss for process in family) / MB


if __name__ == "__main__":
    main()
