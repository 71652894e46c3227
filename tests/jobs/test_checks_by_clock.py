"""The clock has each connection checked at its own time, and behind everything else."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.store import Item, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items
from plaidapp.store.pulls import kinds, pulls

pytestmark = pytest.mark.usefixtures("context")


def add(owner, name, **fields):
    given = {"update_status": item_states.COMPLETE, "created_at": now()} | fields
    item = items.add(user_id=owner, plaid_item_id=name, access_token=b"", **given)
    db.session.commit()
    return item


def checked():
    """Let the clock look, and return how many checks each Item has."""
    clock.check_against_banks()
    found = db.session.scalars(select(Pull).where(Pull.kind == kinds.CHECK)).all()
    db.session.expire_all()
    return Counter(each.item_id for pull in found for each in pull_items(pull))


def pull_items(pull):
    return pulls.by_id(pull.id).items


def test_the_first_check_comes_twelve_hours_after_connecting_or_later(owner, later):
    item = add(owner, "one")
    assert item.check_at - item.created_at >= policy.FIRST_CHECK_AFTER
    assert item.check_at - item.created_at <= policy.FIRST_CHECK_AFTER + policy.FIRST_CHECK_SPREAD

    later(seconds=policy.FIRST_CHECK_AFTER.total_seconds() - 60)
    assert checked() == {}
    later(seconds=policy.FIRST_CHECK_SPREAD.total_seconds() + 120)
    assert checked() == {item.id: 1}
    assert checked() == {item.id: 1}


def test_later_checks_come_at_the_same_time_of_day_even_after_a_long_pause(owner):
    planned = now() - 3 * policy.CHECK_INTERVAL - timedelta(hours=1)
    item = add(owner, "one", check_at=planned)

    assert checked() == {item.id: 1}

    db.session.refresh(item)
    assert item.check_at == planned + 4 * policy.CHECK_INTERVAL


def test_connections_of_an_older_release_are_spread_over_a_day(owner):
    made = [add(owner, str(number), created_at=now() - timedelta(days=9)) for number in range(30)]
    for item in made:
        item.check_at = None
    db.session.commit()

    assert checked() == {}

    times = db.session.scalars(select(Item.check_at).order_by(Item.check_at)).all()
    assert all(now() < each < now() + policy.CHECK_INTERVAL for each in times)
    assert times[-1] - times[0] > policy.CHECK_INTERVAL / 4


def test_connections_that_dont_answer_are_not_checked(owner):
    states = (item_states.LOGIN_REQUIRED, item_states.ERROR, item_states.DISCONNECTED)
    for state in states:
        add(owner, state, state=state, check_at=now())
    add(owner, "preparing", update_status=item_states.RECENT, check_at=now())
    good = add(owner, "good", check_at=now())

    assert checked() == {good.id: 1}


def test_checks_wait_behind_what_else_is_due(owner, monkeypatch):
    monkeypatch.setattr(policy, "CHECKS_AHEAD", 3)
    made = [add(owner, str(number), check_at=now()) for number in range(4)]
    pulls.add(owner, kinds.TRANSACTIONS, [made[0]], asked_by=pulls.WEBHOOK)
    db.session.commit()

    assert len(checked()) == 2
    assert len(checked()) == 2
    for pull in db.session.scalars(select(Pull)):
        pull.state = pulls.DONE
    db.session.commit()
    assert len(checked()) == 4


def test_an_item_whose_check_is_under_way_gets_no_other(owner):
    item = add(owner, "one", check_at=now())
    pulls.add(owner, kinds.CHECK, [item], run_after=now() + timedelta(hours=1))
    db.session.commit()

    assert checked() == {item.id: 1}
