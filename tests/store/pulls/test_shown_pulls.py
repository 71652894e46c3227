"""Which pulls a person sees, and which failed ones are hidden after a later pull succeeded."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from plaidapp.extensions import db
from plaidapp.store import Pull
from plaidapp.store.base.types import now
from plaidapp.store.pulls import kinds, pulls, shown_pulls, transitions


@pytest.fixture
def pull(owner):
    pull = pulls.add(owner, kinds.ACCOUNTS)
    db.session.commit()
    return pull


def test_only_the_owner_gets_a_pull(owner, pull):
    assert pulls.owned(pull.id, owner).id == pull.id
    assert pulls.owned(pull.id, owner + 1) is None


def test_recent_pulls_come_newest_first(owner):
    ids = [pulls.add(owner, kinds.ACCOUNTS).id for _ in range(3)]
    db.session.execute(update(Pull).values(state=pulls.DONE))
    assert [pull.id for pull in shown_pulls.recent(owner, 2)] == ids[:0:-1]


def test_active_pulls_are_shown_however_old(owner, pull):
    newer = [pulls.add(owner, kinds.ACCOUNTS).id for _ in range(3)]
    db.session.execute(update(Pull).where(Pull.id != pull.id).values(state=pulls.FAILED))
    assert [shown.id for shown in shown_pulls.recent(owner, 1)] == [newer[-1], pull.id]


def ended(owner, kind, state, ago, *parts, **fields):
    """Add a pull that ended some seconds ago, with (Item, phase) for each of its Items."""
    moment = now() - timedelta(seconds=ago)
    pull = pulls.add(owner, kind, [item for item, _ in parts], state=state, **fields)
    pull.ended_at = pull.heartbeat_at = moment
    for pull_item, (_, phase) in zip(pull.items, parts, strict=True):
        pull_item.phase = phase
    db.session.commit()
    return pull


def shown(owner):
    return [pull.id for pull in shown_pulls.recent(owner, 5)]


def test_a_dismissed_pull_is_hidden_and_makes_no_room_for_older_ones(owner):
    old, failed = (ended(owner, kinds.ACCOUNTS, pulls.FAILED, ago, sealed=b"x") for ago in (9, 5))
    assert transitions.dismiss(failed.id)
    assert shown_pulls.recent(owner, 1) == []
    assert shown(owner) == [old.id]
    db.session.commit()
    db.session.refresh(failed)
    assert failed.sealed is None
    assert not transitions.queue_again(failed.id)


@pytest.mark.parametrize(
    ("later", "mended"),
    [(kinds.ACCOUNTS, True), (kinds.REPAIR, True), (kinds.TRANSACTIONS, False)],
)
def test_newer_balances_make_up_for_failed_balances(owner, item, later, mended):
    wrong = ended(owner, kinds.ACCOUNTS, pulls.FAILED, 60, (item, pulls.FAILED))
    item.synced_at = now()
    assert shown(owner) == [wrong.id]
    ended(owner, later, pulls.DONE, 30, (item, pulls.DONE), asked_by=pulls.WEBHOOK)
    assert shown(owner) == ([] if mended else [wrong.id])


@pytest.mark.parametrize("kind", [kinds.TRANSACTIONS, kinds.TOTAL, kinds.LINK])
def test_a_newer_sync_makes_up_for_a_failed_one(owner, item, kind):
    wrong = ended(owner, kind, pulls.FAILED, 60, (item, pulls.FAILED))
    ended(owner, kinds.ACCOUNTS, pulls.DONE, 30, (item, pulls.DONE), asked_by=pulls.WEBHOOK)
    for ago, ids in ((90, [wrong.id]), (30, [])):
        item.synced_at = now() - timedelta(seconds=ago)
        db.session.commit()
        assert shown(owner) == ids


def test_older_failed_or_partial_answers_make_up_for_nothing(owner, item, another_item):
    both = ((item, pulls.FAILED), (another_item, pulls.FAILED))
    wrong = ended(owner, kinds.ACCOUNTS, pulls.FAILED, 60, *both)
    for ago, state in ((120, pulls.DONE), (90, pulls.DONE), (30, pulls.FAILED)):
        parts = ((item, state), (another_item, state))
        ended(owner, kinds.ACCOUNTS, state, ago, *parts, asked_by=pulls.WEBHOOK)
    ended(owner, kinds.ACCOUNTS, pulls.DONE, 20, (item, pulls.DONE), asked_by=pulls.WEBHOOK)
    assert shown(owner) == [wrong.id]
    ended(owner, kinds.ACCOUNTS, pulls.DONE, 10, (another_item, pulls.DONE), asked_by=pulls.WEBHOOK)
    assert shown(owner) == []


def test_items_that_did_not_fail_need_no_newer_answer(owner, item, another_item):
    parts = ((item, pulls.FAILED), (another_item, pulls.DONE))
    wrong = ended(owner, kinds.ACCOUNTS, pulls.FAILED, 60, *parts)
    assert shown(owner) == [wrong.id]
    ended(owner, kinds.ACCOUNTS, pulls.DONE, 30, (item, pulls.DONE), asked_by=pulls.WEBHOOK)
    assert shown(owner) == []


def test_a_failed_connection_is_hidden_once_the_same_bank_is_connected(owner, item):
    banks = ("ins_1", "ins_2", None)
    wrong = [ended(owner, kinds.LINK, pulls.FAILED, 60, institution_id=bank) for bank in banks]
    for bank in ("ins_1", None):
        done = ended(owner, kinds.LINK, pulls.DONE, 30, (item, pulls.DONE), institution_id=bank)
    assert shown(owner) == [done.id, done.id - 1, wrong[2].id, wrong[1].id]


def test_an_items_pulls_come_newest_first(owner, item):
    ids = [pulls.add(owner, kinds.TRANSACTIONS, items=[item]).id for _ in range(3)]
    db.session.commit()
    assert [pull_item.pull.id for pull_item in shown_pulls.of_item(item.id, 2)] == ids[:0:-1]
