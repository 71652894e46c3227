"""Reading recurring payments: when, how often, and that errors never affect transactions."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from rq import Queue
from sqlalchemy import select, update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.pulls import item_requests
from plaidapp.store import Item, Pull, SetAside, Stream, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import sync_progress
from plaidapp.store.pulls import kinds, pulls, transitions

PATH = "/transactions/recurring/get"
DOWN = {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "DOWN"}


@pytest.fixture
def monthly(custom):
    """A custom user who pays 15.49 a month, the last time 17.99."""
    given = custom(*((amount, age) for amount, age in
                     (("17.99", 3), ("15.49", 33), ("15.49", 64), ("15.49", 94))))  # fmt: skip
    user = json.loads(given["password"])
    for row in user["override_accounts"][0]["transactions"]:
        row["description"] = "NETFLIX.COM"
    return {"username": "user_custom", "password": json.dumps(user)}


@pytest.fixture
def item(link, monthly):
    """A connected Item with its transactions; its recurring payments are not read yet."""
    return link(**monthly)


def asked(bank_server):
    return bank_server.faults.rulebook.report()["calls"].get(PATH, 0)


def read(query):
    """Read committed rows and end the transaction: on SQLite it would block writers."""
    db.session.remove()
    rows = db.session.scalars(query).all()
    db.session.remove()
    return rows


def of_kind(kind=kinds.RECURRING):
    return read(select(Pull).where(Pull.kind == kind).order_by(Pull.id))


def streams():
    return read(select(Stream).order_by(Stream.id))


def refusal(code):
    return {
        "kind": "error", "path": PATH, "status": 400, "error_type": "ITEM_ERROR",
        "error_code": code,
    }  # fmt: skip


@pytest.fixture
def sync(begin, run):
    def go(item):
        sync_progress.request_sync(item.id)
        run(begin(kinds.TRANSACTIONS, items=[item]))

    return go


@pytest.fixture
def aged(context):
    """Set how long ago the Item's streams were read and its transactions changed."""

    def write(item, read, changed):
        moment = now()
        values = {"streams_at": moment - read, "changed_at": moment - changed}
        db.session.execute(update(Item).where(Item.id == item.id).values(**values))
        db.session.commit()

    return write


def test_a_complete_history_starts_one_pull_of_recurring_payments(item, run, look, bank_server):
    (pull,) = of_kind()
    assert (pull.state, pull.asked_by) == ("queued", "clock")
    before = asked(bank_server)
    run(pull.id)
    assert look(pull.id).state == "done"
    assert asked(bank_server) == before + 1
    (row,) = streams()
    assert (row.title, row.frequency, row.last_amount) == ("Netflix", "MONTHLY", Decimal("17.99"))
    assert row.previous_amount == Decimal("15.49")
    assert row.paid == 4


def test_an_incomplete_history_starts_none(slow_sandbox, begin, run, look):
    pull_id = begin(kinds.LINK, given={"username": "user_good", "password": "pass_good"})
    run(pull_id)
    slow_sandbox.turn(20)
    run(pull_id)
    assert look(pull_id).items[0].added > 0
    assert of_kind() == []
    slow_sandbox.turn(60)
    run(pull_id)
    (pull,) = of_kind()
    run(pull.id)
    assert len(streams()) > 10


def test_syncs_start_at_most_one_a_day(item, run, sync, aged):
    run(of_kind()[0].id)
    for read, changed, expected in (
        (timedelta(hours=1), timedelta(0), 1),  # was read an hour ago
        (timedelta(days=2), timedelta(days=3), 1),  # no change since
        (timedelta(days=2), timedelta(days=1), 2),
    ):
        aged(item, read, changed)
        sync(item)
        assert len(of_kind()) == expected, (read, changed)


def test_a_sync_without_changes_starts_none(item, run, sync, bank_server):
    run(of_kind()[0].id)
    before = bank_server.faults.rulebook.report()["calls"]
    for _ in range(3):
        sync(item)
    after = bank_server.faults.rulebook.report()["calls"]
    assert {path for path in after if after[path] != before.get(path)} == {"/transactions/sync"}
    assert len(of_kind()) == 1


def test_a_sync_records_when_transactions_changed(link, run, bank_server, token_of, sync, item_now):
    item = link(username="user_transactions_dynamic", password="any")
    first = item_now(item).changed_at
    sync(item)
    assert item_now(item).changed_at == first
    bank_server.change(token_of(item))
    sync(item)
    assert item_now(item).changed_at > first


@pytest.mark.parametrize(
    "code", ["PRODUCTS_NOT_SUPPORTED", "PRODUCT_NOT_ENABLED", "INVALID_PRODUCT", "NO_ACCOUNTS"]
)
def test_a_final_refusal_is_stored_and_the_pull_succeeds(
    item, run, look, item_now, bank_server, code, sync
):
    bank_server.misbehave(**refusal(code))
    (pull,) = of_kind()
    run(pull.id)
    assert (look(pull.id).state, look(pull.id).items[0].error_code) == ("done", None)
    assert (item_now(item).state, item_now(item).streams_refusal) == ("good", code)
    sync(item)
    assert len(of_kind()) == 1, "a refusal is not asked for again at once"


def test_a_refusal_ends_with_the_next_answer(item, run, item_now, bank_server, begin):
    bank_server.misbehave(**refusal("PRODUCTS_NOT_SUPPORTED"))
    run(of_kind()[0].id)
    bank_server.faults.rulebook.clear()
    run(begin(kinds.RECURRING, items=[item]))
    assert item_now(item).streams_refusal is None
    assert len(streams()) == 1


def test_a_product_that_is_not_ready_is_asked_for_again(item, run, look, bank_server):
    bank_server.misbehave(**refusal("PRODUCT_NOT_READY"), times=1)
    (pull,) = of_kind()
    run(pull.id)
    waiting = look(pull.id)
    assert (waiting.state, waiting.failures, waiting.items[0].phase) == ("queued", 0, "preparing")
    run(pull.id)
    assert look(pull.id).state == "done"
    assert len(streams()) == 1


def test_an_expired_log_in_becomes_the_items_state(item, run, look, item_now, bank_server):
    bank_server.misbehave(**refusal("ITEM_LOGIN_REQUIRED"))
    (pull,) = of_kind()
    run(pull.id)
    assert look(pull.id).state == "failed"
    assert (item_now(item).state, item_now(item).streams_at) == ("login_required", None)


def test_a_failing_bank_harms_neither_the_sync_nor_the_item(
    item, run, look, item_now, bank_server, sync, stored, at_bank
):
    bank_server.misbehave(path=PATH, **DOWN)
    (pull,) = of_kind()
    run(pull.id)
    assert (look(pull.id).state, look(pull.id).failures) == ("queued", 1)
    sync(item)
    assert item_now(item).state == "good"
    assert stored() == at_bank(item)
    assert len(of_kind()) == 1, "one is waiting already"
    bank_server.faults.rulebook.clear()
    run(pull.id)
    assert len(streams()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("last_amount", {"amount": Decimal("1e300")}),
        ("first_date", "yesterday"),
        ("stream_id", None),
        ("transaction_ids", "all"),
    ],
)
def test_a_stream_that_can_t_be_read_is_set_aside(item, run, look, rewrite, field, value):
    def edit(page):
        (stream,) = page["outflow_streams"]
        bad = stream | {"stream_id": "bad", field: value}
        return page | {"outflow_streams": [bad, stream]}

    rewrite(PATH, edit)
    (pull,) = of_kind()
    run(pull.id)
    assert look(pull.id).state == "done"
    assert len(streams()) == 1
    (row,) = read(select(SetAside))
    assert (row.kind, row.plaid_id) == ("stream", None if field == "stream_id" else "bad")


def test_a_stream_stays_while_its_newest_form_is_set_aside(item, run, rewrite, begin):
    (pull,) = of_kind()
    run(pull.id)

    def edit(page):
        (stream,) = page["outflow_streams"]
        return page | {"outflow_streams": [stream | {"frequency": 7}]}

    rewrite(PATH, edit)
    run(begin(kinds.RECURRING, items=[item]))
    (stream,) = streams()
    assert stream.vanished_at is None
    assert [row.plaid_id for row in read(select(SetAside))] == [stream.plaid_stream_id]
    rewrite(PATH, lambda page: page | {"outflow_streams": []})
    run(begin(kinds.RECURRING, items=[item]))
    assert streams()[0].vanished_at is not None
    assert read(select(SetAside)) == []


@pytest.mark.parametrize("field", ["outflow_streams", "request_id"])
def test_a_malformed_response_stores_nothing(item, run, look, rewrite, field):
    rewrite(PATH, lambda page: page | {field: 7})
    (pull,) = of_kind()
    run(pull.id)
    failed = look(pull.id)
    assert (failed.state, failed.items[0].error_code) == ("queued", "BANK_NONSENSE")
    assert streams() == []


def test_after_a_worker_died_the_pull_is_done_by_another(item, run, look):
    (pull,) = of_kind()
    assert transitions.claim(pull.id)
    db.session.commit()
    lost = now() - policy.HEARTBEAT_LIMIT - timedelta(seconds=1)
    db.session.execute(update(Pull).where(Pull.id == pull.id).values(heartbeat_at=lost))
    db.session.commit()
    clock.reclaim()
    run(pull.id)
    assert (look(pull.id).state, look(pull.id).attempt) == ("done", 2)
    assert len(streams()) == 1


def test_after_redis_was_wiped_the_pull_is_done(context, item):
    context.extensions["redis"].flushall()
    clock.ring_due()
    queue = Queue("default", connection=context.extensions["redis"])
    assert queue.job_ids == [f"pull-{of_kind()[0].id}-0"]


def test_the_pull_ends_even_if_the_item_has_a_newer_request(item, run, look):
    """Transactions are another pull's work: this one would never end."""
    sync_progress.request_sync(item.id)
    db.session.commit()
    (pull,) = of_kind()
    run(pull.id)
    assert look(pull.id).state == "done"


def test_an_older_answer_does_not_replace_a_newer_one(
    item, begin, run, bank_server, monkeypatch, context
):
    """While the bank works on the first request, a second one is answered and stored."""
    (late,) = of_kind()

    def meanwhile(_token):
        with context.app_context():
            run(begin(kinds.RECURRING, items=[item]))
            db.session.execute(update(Stream).values(status="NEWER"))
            db.session.commit()

    monkeypatch.setattr(bank_server, "change", meanwhile)
    bank_server.misbehave(kind="mutate", path=PATH, times=1)
    run(late.id)
    assert [row.status for row in streams()] == ["NEWER"]


def ask(item):
    pull = item_requests.recurring(item, pulls.WEBHOOK)
    db.session.commit()
    return pull


def test_a_queued_pull_is_enough_but_a_running_one_is_not(item):
    (first,) = of_kind()
    assert ask(item) is None
    assert transitions.claim(first.id)
    db.session.commit()
    second = ask(item)
    assert (second.kind, second.asked_by) == ("recurring", "webhook")
    assert ask(item) is None
    assert len(of_kind()) == 2


def test_a_queued_pull_that_waits_for_the_bank_becomes_due(item):
    (pull,) = of_kind()
    later = now() + timedelta(minutes=5)
    db.session.execute(update(Pull).where(Pull.id == pull.id).values(run_after=later))
    db.session.commit()
    assert ask(item).id == pull.id
    assert of_kind()[0].run_after <= now()


def test_reading_recurring_payments_changes_no_transaction(item, run):
    before = db.session.execute(select(Transaction.__table__)).all()
    run(of_kind()[0].id)
    db.session.rollback()
    assert db.session.execute(select(Transaction.__table__)).all() == before
