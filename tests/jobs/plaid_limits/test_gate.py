"""Plaid's limits: all workers together keep them, and what is held back is no failure."""

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from plaidapp import policy
from plaidapp.bank import client
from plaidapp.jobs import queue
from plaidapp.jobs.plaid_limits.gate import Gate, HeldBackError
from plaidapp.jobs.plaid_limits.window import Window
from plaidapp.policy import PlaidLimit
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds, pulls

SYNC, ACCOUNTS = "/transactions/sync", "/accounts/get"


@pytest.fixture
def limit(context, monkeypatch):
    """Let Plaid allow only so many calls, until the test ends."""

    def set_limits(seconds=60.0, **limits):
        paths = {"sync": SYNC, "accounts": ACCOUNTS}
        table = {paths[name]: PlaidLimit(*numbers) for name, numbers in limits.items()}
        monkeypatch.setattr(policy, "PLAID_MINUTE", seconds)
        gate = Gate(Window(context.extensions["redis"]), "client", table)
        monkeypatch.setitem(context.extensions, "plaid_gate", gate)
        return gate

    return set_limits


def asked(gate, asked_by, path=SYNC, item="item"):
    """Return True if the call may be made now."""
    try:
        gate.wait_for_turn(asked_by, path, item, patient=False)
    except HeldBackError:
        return False
    return True


def test_the_clock_leaves_a_part_of_each_limit_to_webhooks_and_these_to_persons(limit):
    gate = limit(sync=(10, 100))
    made = [
        sum(asked(gate, who) for _ in range(20))
        for who in (pulls.CLOCK, pulls.WEBHOOK, pulls.PERSON)
    ]
    assert made == [5, 3, 2]
    assert asked(gate, pulls.CLOCK, item="another")
    assert asked(gate, pulls.PERSON, path="/link/token/create", item=None)  # it has no limit


def test_a_client_has_a_limit_over_all_its_items(limit):
    gate = limit(accounts=(3, 4))
    made = [asked(gate, pulls.PERSON, ACCOUNTS, item) for item in "aaaabbb"]
    assert made == [True, True, True, False, True, False, False]  # what is refused is not counted


def test_calls_from_before_redis_clock_was_set_back_hold_nothing_back(limit, context):
    gate = limit(accounts=(3, 4))
    keys = f"plaidapp:calls:client:{ACCOUNTS}", f"plaidapp:calls:client:{ACCOUNTS}:item"
    in_an_hour = int((now().timestamp() + 3600) * 1000)
    for key in keys:
        context.extensions["redis"].lpush(key, *[in_an_hour] * 4)

    made = [asked(gate, pulls.PERSON, ACCOUNTS) for _ in range(4)]

    assert made == [True, True, True, False]


class Watched(Window):
    """Notes, for each key, when calls were let through: a moment before, and one after."""

    def __init__(self, connection):
        super().__init__(connection)
        self.passed = defaultdict(list)

    def take(self, counts):
        before = time.monotonic()
        wait = super().take(counts)
        if not wait:
            for count in counts:
                self.passed[count].append((before, time.monotonic()))
        return wait


def test_four_workers_together_keep_the_limits(link, bank_server, context, monkeypatch):
    items = [link(), link("ins_109509")]
    bank_server.faults.rulebook.clear()
    monkeypatch.setattr(policy, "PLAID_MINUTE", 0.3)
    window = Watched(context.extensions["redis"])
    gate = Gate(window, "client", {ACCOUNTS: PlaidLimit(6, 9)})
    bank = context.extensions["bank"].gated(
        lambda path, item, _patient: gate.wait_for_turn(pulls.PERSON, path, item, patient=True)
    )

    def work(_):
        for item in [*items, *items, *items]:
            bank.accounts(item.token)

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))

    assert bank_server.faults.rulebook.report()["calls"][ACCOUNTS] == 24
    assert sorted(map(len, window.passed.values())) == [12, 12, 24]
    for count, passed in window.passed.items():
        befores, afters = map(sorted, zip(*passed, strict=True))
        # Redis let each through in between, and it counts in milliseconds.
        taken = [
            after - before for before, after in zip(befores, afters[count.most :], strict=False)
        ]
        assert min(taken) > policy.PLAID_MINUTE - 0.002


def test_a_pull_that_is_held_back_goes_on_later_and_has_not_failed(
    limit, link, begin, run, look, item_now, context
):
    item = link()
    limit(sync=(1, 100))
    pull_id = begin(kinds.TRANSACTIONS, items=[item])
    run(pull_id)
    assert look(pull_id).state == "done"

    second = begin(kinds.TRANSACTIONS, items=[item])
    run(second)
    pull = look(second)
    assert (pull.state, pull.failures, pull.items[0].phase) == ("queued", 0, "queued")
    assert pull.run_after > now()
    assert pull.items[0].error_code is None
    assert item_now(item).failing_since is None

    context.extensions["redis"].flushdb()
    run(second)
    assert look(second).state == "done"


def test_an_item_that_is_held_back_is_asked_though_another_has_failed(
    limit, link, begin, run, look, bank_server, context
):
    broken, held = link(), link("ins_109509")
    limit(sync=(1, 100))
    run(begin(kinds.TRANSACTIONS, items=[held]))
    bank_server.misbehave(
        kind="error",
        path=SYNC,
        item_id=broken.plaid_item_id,
        status=400,
        error_type="ITEM_ERROR",
        error_code="ITEM_LOGIN_REQUIRED",
    )
    pull_id = begin(kinds.TRANSACTIONS, items=[broken, held])
    run(pull_id)
    assert look(pull_id).state == "queued"

    context.extensions["redis"].flushdb()
    run(pull_id)
    pull = look(pull_id)
    assert pull.state == "failed"
    assert [each.phase for each in pull.items] == ["failed", "done"]


def test_a_long_update_waits_where_it_is(limit, link, begin, run, look, bank_server, monkeypatch):
    item = link()
    monkeypatch.setattr(client, "PAGE_SIZE", 1)
    limit(seconds=0.3, sync=(1, 100))
    monkeypatch.setattr(policy, "HELD_BRIEFLY", 0.0)
    bank_server.faults.rulebook.clear()
    pull_id = begin(kinds.REPAIR, items=[item])
    run(pull_id)
    assert look(pull_id).state == "done"
    assert bank_server.faults.rulebook.report()["calls"][SYNC] > 1


def test_without_redis_calls_are_made(limit, monkeypatch, tmp_path):
    table = {SYNC: PlaidLimit(1, 1)}
    gate = Gate(Window(queue.connect(f"unix://{tmp_path}/nothing-here")), "client", table)
    assert [asked(gate, pulls.PERSON) for _ in range(3)] == [True] * 3
