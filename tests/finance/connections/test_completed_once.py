"""A session of Link is completed once, however many workers and browsers try at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from plaidapp.extensions import db
from plaidapp.jobs import clock, run
from plaidapp.store import Item, LinkResult, Pull
from plaidapp.store.base.types import now
from tests.fake_link import CHECKING
from tests.link_walker import Person as AtPlaid

CONNECT, EXCHANGE = "/finance/connections", "/item/public_token/exchange"


@pytest.fixture
def in_context(app):
    """Call a function as a process of its own does."""

    def call(function, *arguments):
        with app.app_context():
            return function(*arguments)

    return call


def lose(pull_id):
    """Let the pull's worker count as dead, which it is not."""
    db.session.execute(
        db.update(Pull).where(Pull.id == pull_id).values(heartbeat_at=now() - timedelta(hours=1))
    )
    db.session.commit()
    clock.reclaim()


@pytest.mark.both_databases
def test_two_workers_exchange_and_one_item_is_stored(
    alice, bank_server, fake_link, in_context, work_due, poll, ask
):
    alice.client.post(CONNECT)
    fake_link.add("link-sandbox-1", fake_link.result(accounts=[CHECKING]))
    alice.client.get(f"{CONNECT}/1")
    calls = bank_server.faults.rulebook.report
    before = calls()["calls"].get(EXCHANGE, 0)
    bank_server.misbehave(kind="delay", path=EXCHANGE, seconds=60, times=1)
    with ThreadPoolExecutor(1) as threads:
        late = threads.submit(in_context, run.run, 1)
        poll(lambda: calls()["calls"].get(EXCHANGE, 0) > before, what="an exchange")
        in_context(lose, 1)
        work_due()
        assert len(ask(Item)) == 1
        bank_server.faults.rulebook.replace([])
        late.result(timeout=30)
    work_due()
    (item,) = ask(Item)
    assert (item.state, [pull.state for pull in ask(Pull) if pull.id == 1]) == ("good", ["done"])
    assert [result.state for result in ask(LinkResult)] == ["exchanged"]


@pytest.mark.both_databases
def test_two_browsers_finish_and_come_back(alice, work_due, ask):
    url = alice.client.post(CONNECT).location
    both = [AtPlaid(url), AtPlaid(url)]
    for browser in both:
        browser.send(institution_id=["ins_109508"])
        browser.send(username=["user_good"], password=["pass_good"])
    account = both[0].account_ids(["0000"])
    for browser in both:
        browser.send(account_id=account)
        browser.give_up()
    back = [urlsplit(browser.returned).path for browser in both if browser.returned]
    assert back
    for path in (*back, back[0]):
        assert alice.client.get(path).status_code == 200
    work_due()
    assert len(ask(Item)) == 1
