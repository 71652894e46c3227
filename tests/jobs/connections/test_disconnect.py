"""Disconnecting a bank, from the click until Plaid has confirmed it."""

from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.connections.disconnect import disconnect
from plaidapp.store import Account, Item, LinkResult, LinkSession, Pull, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items, link_results, link_sessions
from plaidapp.store.connections.link_results import Found
from plaidapp.store.pulls import kinds, transitions
from plaidapp.store.transactions import monthly_refresh, monthly_totals

REMOVE, SYNC = "/item/remove", "/transactions/sync"
DOWN = {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "DOWN"}
OF_ITEM = ("pull_item", "set_aside", "state_change", "received_page", "recurring_stream", "webhook")


@pytest.fixture
def end(run, look):
    """Disconnect an Item, run its pull, and return the pull as it is then."""

    def disconnect_and_run(item: Item, *, deletes_history: bool = False) -> Pull:
        pull = disconnect(items.lock(item.id), deletes_history=deletes_history)
        db.session.commit()
        run(pull.id)
        return look(pull.id)

    return disconnect_and_run


@pytest.fixture
def begin_to_end(context):
    def click(item: Item, *, deletes_history: bool = False) -> int:
        pull = disconnect(items.lock(item.id), deletes_history=deletes_history)
        db.session.commit()
        db.session.remove()
        return pull.id

    return click


def count(model, *conditions):
    return db.session.scalar(select(func.count()).select_from(model).where(*conditions))


def calls(bank_server, path=REMOVE):
    return bank_server.faults.rulebook.report()["calls"].get(path, 0)


def test_the_history_stays_and_the_token_is_destroyed(link, end, item_now, bank_server, token_of):
    item = link()
    token, rows = token_of(item), count(Transaction)
    assert end(item).state == "done"
    ended = item_now(item)
    assert (ended.state, ended.access_token) == (item_states.DISCONNECTED, b"")
    assert count(Transaction) == rows == 2
    account = db.session.scalars(select(Account)).one()
    assert account.closed_at == ended.disconnected_at
    with pytest.raises(AssertionError, match="ITEM_NOT_FOUND"):
        bank_server.call("/item/get", access_token=token)


def test_nothing_of_a_deleted_connection_is_left_but_its_ids(link, end, item_now, owner):
    other, item = link("ins_109509"), link()
    kept = count(Transaction, Transaction.item_id == other.id)
    pull = end(item, deletes_history=True)
    assert (pull.state, pull.items[0].removed) == ("done", 2)
    ended = item_now(item)
    assert (ended.state, ended.access_token, ended.institution_name) == ("deleted", b"", None)
    assert items.owned(item.id, owner) is None
    assert [each.id for each in items.of_user(owner)] == [other.id]
    assert count(Transaction) == kept
    assert count(Account, Account.item_id == item.id) == 0
    for name in OF_ITEM:
        table = db.metadata.tables[name]
        rows = db.session.execute(select(table).where(table.c.item_id == item.id)).all()
        assert len(rows) == (name == "pull_item"), name  # that of the pull itself
    ids = db.session.scalars(select(Account.id)).all()
    assert monthly_refresh.wrong(ids) == set()
    assert monthly_totals.count(owner).shown == kept


def test_the_session_that_made_a_deleted_connection_is_still_seen_to(
    link, end, owner, begin, item_now
):
    """Its pull stays: a second tab may finish. What Link said of the connection is gone."""
    item = link()
    pull_id = begin(kinds.CONNECT, items=[item], state="done")
    session = link_sessions.add(owner, link_sessions.CONNECT)
    session.pull_id, session.sealed_token, session.look_after = pull_id, b"token", now()
    told = Found("hash", b"sealed", "ins_1", "Bank", "[{}]", now())
    link_results.save(session.id, [told])
    db.session.execute(update(LinkResult).values(item_id=item.id, state="exchanged"))
    db.session.commit()
    end(item, deletes_history=True)
    db.session.remove()
    result = db.session.scalars(select(LinkResult)).one()
    assert (result.institution_name, result.accounts) == (None, "[]")
    clock.tick(1)
    assert db.session.get_one(LinkSession, session.id).look_requested == 1


def test_a_large_history_is_deleted_in_parts(link, end, monkeypatch, owner):
    monkeypatch.setattr(policy, "DELETE_BATCH", 20)
    monkeypatch.setattr(policy, "DELETE_PAUSE", 0.0)
    item = link(username="user_transactions_dynamic", password="any")
    rows = count(Transaction)
    assert rows > 40
    pull = end(item, deletes_history=True)
    assert pull.items[0].removed == rows
    assert count(Transaction) == monthly_totals.count(owner).shown == 0


def test_plaid_is_asked_until_it_confirms(link, begin_to_end, run, look, item_now, bank_server):
    """Three times in the first minute, then less and less often. The token is kept until then."""
    item = link()
    bank_server.misbehave(path=REMOVE, **DOWN)
    pull_id, waits = begin_to_end(item), []
    for _ in range(20):
        before = now()
        run(pull_id)
        pull = look(pull_id)
        assert pull.state == "queued"
        waits.append(pull.run_after - before)
    assert item_now(item).state == item_states.DISCONNECTING
    assert item_now(item).access_token
    assert sum(waits[:2], timedelta()) < timedelta(minutes=1) < sum(waits[:3], timedelta())
    day = timedelta(days=1)
    assert day * (1 - policy.JITTER) <= waits[-1] <= day * 1.01
    bank_server.faults.rulebook.clear()
    run(pull_id)
    assert look(pull_id).state == "done"
    assert (item_now(item).state, item_now(item).access_token) == ("disconnected", b"")


def test_a_refusal_and_lost_workers_do_not_end_the_tries(
    link, begin_to_end, run, look, item_now, bank_server
):
    item = link()
    refusal = {"status": 400, "error_type": "INVALID_INPUT", "error_code": "INVALID_API_KEYS"}
    bank_server.misbehave(kind="error", path=REMOVE, **refusal)
    pull_id = begin_to_end(item)
    run(pull_id)
    assert look(pull_id).state == "queued"
    assert item_now(item).error_code is None
    long_ago = now() - policy.HEARTBEAT_LIMIT - timedelta(seconds=1)
    lost = {"state": "running", "heartbeat_at": long_ago, "lost_workers": 1000, "attempt": 1000}
    db.session.execute(update(Pull).where(Pull.id == pull_id).values(**lost))
    db.session.commit()
    clock.reclaim()
    assert look(pull_id).state == "queued"
    bank_server.faults.rulebook.clear()
    run(pull_id)
    assert item_now(item).state == item_states.DISCONNECTED


def test_an_item_that_plaid_no_longer_has_is_disconnected(link, end, bank_server, token_of):
    item = link()
    bank_server.call(REMOVE, access_token=token_of(item))
    assert end(item).state == "done"


def test_a_history_that_was_kept_can_be_deleted_later(link, end, item_now, bank_server):
    item = link()
    end(item)
    asked = calls(bank_server)
    end(item, deletes_history=True)
    assert item_now(item).state == item_states.DELETED
    assert calls(bank_server) == asked
    assert count(Transaction) == count(Account) == 0


def test_the_history_goes_at_once_even_if_plaid_is_away(
    link, begin_to_end, run, item_now, bank_server
):
    item = link()
    bank_server.misbehave(path=REMOVE, **DOWN)
    run(begin_to_end(item, deletes_history=True))
    assert item_now(item).state == item_states.DISCONNECTING
    assert count(Transaction) == count(Account) == 0


@pytest.mark.parametrize("kind", [kinds.TRANSACTIONS, kinds.ACCOUNTS, kinds.RECURRING])
def test_a_pull_that_is_running_stores_nothing_more(
    link, begin, run, look, item_now, bank_server, token_of, monkeypatch, kind
):
    """The person disconnects while the worker has the bank's answer and has not stored it."""
    from plaidapp.jobs.pulls.attempt import Attempt

    item = link()
    bank_server.call("/transactions/refresh", access_token=token_of(item))
    before = dump_of_ledger()
    pull_id = begin(kind, items=[item])
    lock_ledger = Attempt.lock_ledger

    def disconnect_first(attempt, pull_item):
        monkeypatch.setattr(Attempt, "lock_ledger", lock_ledger)
        disconnect(items.lock(item.id), deletes_history=False)
        db.session.commit()
        lock_ledger(attempt, pull_item)

    monkeypatch.setattr(Attempt, "lock_ledger", disconnect_first)
    run(pull_id)
    assert dump_of_ledger() == before
    run(pull_id)  # another worker takes it over
    assert look(pull_id).state == "done"
    assert item_now(item).state == item_states.DISCONNECTING
    assert item_now(item).synced_at == item.synced_at


def dump_of_ledger():
    db.session.remove()
    names = ("transaction", "balance", "recurring_stream", "received_page")
    tables = [db.metadata.tables[name] for name in names]
    found = [db.session.execute(select(func.count()).select_from(table)).all() for table in tables]
    db.session.remove()
    return found


def test_a_log_in_that_is_under_way_ends(link, begin_to_end, run, look, owner, begin):
    """The person has a tab of Plaid's open in which they log in to the Item again."""
    item = link()
    pull_id = begin(kinds.RECONNECT, items=[item], run_after=now() + timedelta(minutes=1))
    session = link_sessions.add(owner, link_sessions.REPAIR, item.id)
    session.pull_id, session.sealed_token, session.sealed_url = pull_id, b"token", b"url"
    db.session.commit()
    begin_to_end(item)
    assert look(pull_id).state == "dismissed"
    session = db.session.get_one(LinkSession, session.id, populate_existing=True)
    assert (session.sealed_token, session.is_open) == (None, False)
    transitions.change(Pull.id == pull_id, state="queued")
    db.session.commit()
    run(pull_id)
    assert look(pull_id).state == "done"


def test_links_to_log_in_again_are_destroyed(link, begin_to_end, owner):
    """Also of those that are over: their pages must not begin anything."""
    item = link()
    for ended_at in (None, now()):
        session = link_sessions.add(owner, link_sessions.REPAIR, item.id)
        link_sessions.change(session.id, sealed_token=b"x", sealed_url=b"x", ended_at=ended_at)
    db.session.commit()

    begin_to_end(item)

    for session in db.session.scalars(select(LinkSession)):
        assert session.sealed_token is session.sealed_url is None
        assert session.ended_at


def test_the_person_is_locked_before_pulls(link, begin_to_end):
    """A worker that reports locks them in this order. Otherwise each may wait for the other."""
    item = link()
    seen = []
    engine, note = db.engine, lambda *args: seen.append(args[2])
    event.listen(engine, "before_cursor_execute", note)

    begin_to_end(item)

    event.remove(engine, "before_cursor_execute", note)
    updates = [each.split()[1].strip('"') for each in seen if each.startswith("UPDATE")]
    assert updates.index("user") < updates.index("pull")


def test_the_other_items_of_a_pull_are_read(link, begin, run, look, end, item_now):
    one, other = link(), link("ins_109509")
    pull_id = begin(kinds.ACCOUNTS, items=[one, other])
    end(one)
    run(pull_id)
    pull = look(pull_id)
    assert pull.state == "done"
    assert [part.accounts for part in pull.items] == [0, 1]


def test_nothing_is_requested_of_a_disconnected_item(link, end, item_now, owner):
    item = link()
    end(item)
    db.session.execute(update(Item).values(next_look=now()))
    db.session.commit()
    before = count(Pull)
    clock.tick(1)
    assert count(Pull) == before
    assert items.connected(owner) == items.everyone() == []
    assert [each.id for each in items.of_user(owner)] == [item.id]


def test_a_disconnected_account_leaves_the_net_worth_today(link, end, item_now, owner, today):
    from plaidapp.finance.reports import account_balances

    item = link()
    end(item)
    yesterday = today - timedelta(days=1)
    db.session.remove()
    (balance,) = account_balances.of_user(owner, "1M", today)
    before, after = balance.at([yesterday, today])
    assert before != 0
    assert after == 0
