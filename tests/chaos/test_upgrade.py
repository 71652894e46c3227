"""A rolling upgrade from the version before, under load, and back: only in the long form."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select

from plaidapp.store import Pull
from plaidapp.store.pulls import pulls

from .bank_life import BankLife
from .conftest import Note, keep_logs
from .databases import Postgres
from .deliveries import Plaid, stored_hashes
from .figures import LONG
from .judge import Judge
from .person import Person
from .releases import Site, commit_before, unpack
from .visitors import Visitors
from .world import ROOT, poll

BANKS = ("ins_109508", "ins_109509")
PEOPLE = ("anna", "ben")
WEBHOOKS = 300
PER_SECOND = 10
ANSWERS = 60
"""How many requests people make before each step, and after the last."""


@pytest.fixture
def site() -> Iterator[Site]:
    commit = commit_before()
    if commit is None:
        pytest.fail("Git has no version before. Fetch its history: git fetch --unshallow")
    with tempfile.TemporaryDirectory(prefix="upgrade-") as name:
        directory = Path(name)
        old = directory / "old"
        unpack(commit, old)
        site = Site(directory, Postgres(), old)
        try:
            site.start()
            yield site
        finally:
            site.close()
            keep_logs(directory, "upgrade")


@pytest.mark.skipif(not LONG, reason="`make chaos` does it; tests/test_migrations.py only migrates")
def test_an_upgrade_under_load_refuses_and_loses_nothing(site: Site, note_own: Note) -> None:
    """Then the old code takes over again: it works with the new tables."""
    people = [Person(site.url, name) for name in PEOPLE]
    for person in people:
        for bank in BANKS:
            person.connect_dynamic(bank)
    poll(lambda: len(site.item_ids()) == len(PEOPLE) * len(BANKS), 60, "all connections")
    poll(site.are_synced, 60, "synced connections")
    item_ids, plaid, judge = site.item_ids(), Plaid(site), Judge(site)
    names = site.plaid_ids(item_ids)
    updates = [plaid.update_of(names[number % len(names)]) for number in range(WEBHOOKS)]

    with (
        Visitors(zip(people, item_ids[:: len(BANKS)], strict=True)) as visitors,
        BankLife(site, item_ids),
        ThreadPoolExecutor(1) as pool,
    ):
        sending = pool.submit(plaid.deliver_all, updates, PER_SECOND, 60)
        visitors.wait_for(ANSWERS)
        site.migrate(ROOT)
        visitors.wait_for(ANSWERS)
        replace(site, site.old, ROOT)
        visitors.wait_for(ANSWERS)
        poll(sending.done, 300, "all webhooks")
        replace(site, ROOT, site.old)
        visitors.wait_for(ANSWERS)
    replace(site, site.old, ROOT)
    took = judge.converge(120)

    lost = {one.token_hash for one in updates} - stored_hashes(site)
    statuses = Counter(outcome.status for outcome in sending.result())
    note_own(
        f"upgrade and back under load: {visitors.answers.total()} requests, {WEBHOOKS} webhooks",
        "no request refused, broken or 5xx; no webhook, click or row lost or doubled",
        f"{len(visitors.problems)} failed, {len(lost)} webhooks lost; exact {took:.1f} s later",
    )
    assert visitors.problems == []
    assert statuses == {200: WEBHOOKS}
    assert not lost
    with site.engine.connect() as connection:
        clicks = select(Pull.state, func.count()).where(Pull.asked_by == pulls.PERSON)
        assert connection.execute(clicks.group_by(Pull.state)).scalars().all() == [pulls.DONE]
    plaid.close()
    for person in people:
        person.close()


def replace(site: Site, old: Path, new: Path) -> None:
    """Workers and clocks overlap. The web process does not: its socket waits for the next one."""
    for role in ("worker", "clock"):
        site.begin(role, new)
        site.end(role, old)
    site.end("web", old)
    site.begin("web", new)
