"""What the nightly deletion takes, what it leaves, and that it survives an interruption."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.retention import prune
from plaidapp.store import (
    Edit,
    EditRow,
    Item,
    LinkSession,
    Pull,
    PullItem,
    ReceivedPage,
    StateChange,
    Transaction,
    Walk,
    Webhook,
    WebhookKey,
)
from plaidapp.store.base.types import now
from plaidapp.store.connections import items
from plaidapp.store.pulls import kinds, pulls
from plaidapp.store.transactions import raw_pages

OLD = timedelta(days=400)


def add_item(owner, name="a"):
    item = items.add(user_id=owner, plaid_item_id=name, access_token=b"")
    db.session.commit()
    return item


def add_pull(item, age=OLD, state=pulls.DONE, kind=kinds.TRANSACTIONS, by=pulls.CLOCK, **part):
    moment = now() - age
    pull = pulls.add(item.user_id, kind, [item], asked_by=by, state=state, created_at=moment)
    pull.items[0].phase = pulls.DONE
    for name, value in part.items():
        setattr(pull.items[0], name, value)
    db.session.commit()
    return pull.id


def stored(column):
    return set(db.session.scalars(select(column)))


def prune_all():
    deleted = sum(prune.everything(), start=prune.Counter())
    return {name: number for name, number in deleted.items() if number}


@pytest.fixture
def few(monkeypatch):
    """Keep one of each, and go in the smallest steps."""
    for name in ("HISTORY_KEPT", "LATEST_PULLS_KEPT", "PRUNE_OWNERS"):
        monkeypatch.setattr(policy, name, 1)


def test_of_pulls_that_found_nothing_the_last_of_each_kind_stays(owner):
    item, other = add_item(owner), add_item(owner, "b")
    quiet = [add_pull(item, timedelta(days=age)) for age in (5, 4, 3)]
    checked = [add_pull(item, timedelta(days=3), kind=kinds.CHECK, differences=0)]
    today = [add_pull(item, timedelta(hours=age)) for age in (3, 2)]
    kept = [
        add_pull(item, timedelta(days=5), added=1),
        add_pull(item, timedelta(days=5), by=pulls.PERSON),
        add_pull(item, timedelta(days=5), by=pulls.OPERATOR),
        add_pull(item, timedelta(days=5), kind=kinds.CHECK, differences=1),
        add_pull(item, timedelta(days=5), started_over=True),
        add_pull(item, timedelta(days=5), refusal="PRODUCTS_NOT_SUPPORTED"),
        add_pull(item, timedelta(days=5), state=pulls.FAILED, error_code="DOWN"),
        add_pull(item, timedelta(days=5), state=pulls.QUEUED),
        add_pull(other, timedelta(days=5)),
    ]
    assert prune_all() == {"quiet pulls": 3}
    assert stored(Pull.id) == {*checked, *today, *kept}
    assert stored(PullItem.pull_id) == stored(Pull.id)
    assert not stored(Pull.id).intersection(quiet)


def test_of_old_pulls_stay_those_that_a_page_shows_and_those_that_are_not_over(owner, few):
    item, other = add_item(owner), add_item(owner, "b")
    gone = [
        add_pull(item, added=1),
        add_pull(item, by=pulls.PERSON),
        add_pull(item, state=pulls.FAILED, error_code="DOWN"),
    ]
    without_items = pulls.add(owner, kinds.LOOK, state=pulls.DONE, created_at=now() - OLD)
    open_one = add_pull(item, state=pulls.QUEUED, added=1)
    may_leave_a_connection = add_pull(item, added=1)
    db.session.get(Pull, may_leave_a_connection).sealed = b"x"
    followed = add_pull(item, added=1)
    db.session.add(LinkSession(user_id=owner, pull_id=followed, purpose="new"))
    last_click, last_of_item = add_pull(item, by=pulls.PERSON), add_pull(item, added=1)
    last_of_other = add_pull(other, added=1)
    db.session.commit()
    assert prune_all() == {"pulls": 4}
    kept = [open_one, may_leave_a_connection, followed, last_click, last_of_item, last_of_other]
    assert stored(Pull.id) == set(kept)
    assert not {*gone, without_items.id}.intersection(kept)


def test_a_pull_of_several_items_goes_with_its_last_part(owner, few):
    item, other = add_item(owner), add_item(owner, "b")
    both = pulls.add(owner, kinds.TRANSACTIONS, [item, other], asked_by=pulls.CLOCK)
    both.state, both.created_at, both.items[0].added = pulls.DONE, now() - OLD, 1
    newer = add_pull(item, added=1)
    assert prune_all() == {"pulls": 1}
    assert stored(PullItem.item_id) == {item.id, other.id}
    assert stored(Pull.id) == {both.id, newer}


def test_old_webhooks_states_sessions_and_keys_go(owner, few):
    item = add_item(owner)
    moment = now() - OLD
    for token, item_id, received_at in (
        ("old", item.id, moment),
        ("last", item.id, moment),
        ("nobody's", None, moment),
        ("new", None, now()),
    ):
        db.session.add(Webhook(token=token, item_id=item_id, body="{}", received_at=received_at))
        db.session.flush()
    for state in ("login_required", "good"):
        db.session.add(StateChange(item_id=item.id, state=state, at=moment))
        db.session.flush()
    for purpose, fields in {
        "over": {},
        "open": {"sealed_token": b"x"},
        "looked at": {"look_after": moment},
        "new": {"created_at": now()},
    }.items():
        session = {"created_at": moment, **fields}
        db.session.add(LinkSession(user_id=owner, purpose=purpose, **session))
    db.session.add(WebhookKey(kid="unused", jwk="{}", asked_at=moment))
    db.session.add(WebhookKey(kid="used", jwk="{}", asked_at=now()))
    db.session.commit()
    assert prune_all() == {
        "webhooks": 1,
        "changes of state": 1,
        "sessions of Link": 1,
        prune.NOBODYS: 2,
    }
    assert stored(Webhook.token) == {"last", "new"}
    assert stored(StateChange.state) == {"good"}
    assert stored(LinkSession.purpose) == {"open", "looked at", "new"}
    assert stored(WebhookKey.kid) == {"used"}


def test_raw_pages_go_that_no_row_came_in_and_what_plaid_sent_stays(link, later):
    item = link()
    needed = stored(ReceivedPage.id)
    raw_pages.save(item.id, [raw_pages.compressed(b'{"added":[],"modified":[]}')])
    db.session.commit()
    assert prune_all() == {}
    later(days=2)
    assert prune_all() == {"raw pages": 1}
    assert stored(ReceivedPage.id) == needed
    assert all(raw_pages.json_of(row) for row in db.session.scalars(select(Transaction)))


def test_what_an_old_edit_changed_goes_and_the_row_keeps_it(link, owner, monkeypatch):
    monkeypatch.setattr(policy, "PRUNE_ROWS", 1)
    link()
    rows = db.session.scalars(select(Transaction)).all()
    for age in (OLD, timedelta()):
        edit = Edit(user_id=owner, made_at=now() - age)
        db.session.add(edit)
        db.session.flush()
        for row in rows:
            row.note = "lunch"
            db.session.add(EditRow(edit_id=edit.id, transaction_id=row.id, hidden=False))
    db.session.commit()
    assert prune_all() == {"edits": len(rows)}
    assert stored(EditRow.edit_id) == stored(Edit.id) == {edit.id}
    assert stored(Transaction.note) == {"lunch"}


def test_the_clock_prunes_once_a_night_and_goes_on_where_it_was_interrupted(
    owner, few, set_clock, monkeypatch
):
    for item in [add_item(owner, name) for name in "abc"]:
        for _ in range(3):
            add_pull(item, added=1)
    night = datetime.now(UTC).replace(hour=4) + timedelta(days=1)  # later than PRUNE_HOUR
    set_clock(night.isoformat())
    clock.prune()
    assert db.session.scalar(select(func.count(Pull.id))) == 7

    delete = prune.webhooks.delete_of_items
    monkeypatch.setitem(prune.DELETES["items"][1], "webhooks", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        clock.prune()
    db.session.rollback()
    assert db.session.scalar(select(func.count(Pull.id))) == 7  # nothing is half done
    monkeypatch.setitem(prune.DELETES["items"][1], "webhooks", delete)
    for _ in range(6):
        clock.prune()
    assert db.session.scalar(select(func.count(Pull.id))) == 3
    assert {walk.due_at for walk in db.session.scalars(select(Walk))} == {policy.next_prune(night)}

    add_pull(db.session.scalars(select(Item).limit(1)).one(), added=1)
    clock.prune()
    assert db.session.scalar(select(func.count(Pull.id))) == 4
    set_clock(policy.next_prune(night).isoformat())
    for _ in range(6):
        clock.prune()
    assert db.session.scalar(select(func.count(Pull.id))) == 3


def test_the_command_prunes_now_and_prints_how_much(context, owner, few, monkeypatch):
    monkeypatch.setattr(policy, "PRUNE_PAUSE", 0)
    item = add_item(owner)
    for _ in range(3):
        add_pull(item, added=1)
    run = context.test_cli_runner().invoke
    printed = {
        row["what"]: row["deleted"] for row in json.loads(run(args=["prune", "--json"]).output)
    }
    assert {name for name, number in printed.items() if number} == {"pulls"}
    assert printed["pulls"] == 2
    answer = run(args=["prune"])
    assert (answer.exit_code, answer.output.split()[:2]) == (0, ["what", "deleted"])
