"""Items: when the cursor moves, and how requests are counted."""

import threading

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Item, StateChange
from plaidapp.store.connections import item_states, items, state_changes, sync_progress


def read(item):
    db.session.rollback()
    columns = Item.cursor, Item.sync_requested, Item.sync_applied, Item.state, Item.error_code
    return tuple(db.session.execute(select(*columns).where(Item.id == item.id)).one())


def advance(item, came_from, cursor, want):
    status = "HISTORICAL_UPDATE_COMPLETE"
    outcome = sync_progress.advance(item.id, came_from, cursor, want, status, changed=True)
    db.session.commit()
    return outcome is not sync_progress.Advance.LOST


def test_the_cursor_moves_from_its_position(item):
    assert advance(item, "", "c1", 0)
    assert read(item)[0] == "c1"
    assert item.id == items.of_user(item.user_id)[0].id


def test_the_cursor_does_not_move_from_an_earlier_position(item):
    advance(item, "", "c1", 0)
    assert not advance(item, "", "c2", 5)
    assert read(item)[:3] == ("c1", 0, 0)


@pytest.mark.parametrize(("wants", "applied"), [([1], 1), ([2, 1], 2), ([1, 3], 3)])
def test_the_applied_count_never_decreases(item, wants, applied):
    for want in wants:
        assert advance(item, "", "", want)
    assert read(item)[2] == applied


@pytest.mark.parametrize(
    ("want", "state", "outcome"),
    [
        (2, item_states.GOOD, sync_progress.Advance.APPLIED),
        (1, item_states.GOOD, sync_progress.Advance.BEHIND),
        (1, item_states.REPLACED, sync_progress.Advance.APPLIED),  # a replaced Item needs no sync
    ],
)
def test_a_sync_learns_of_requests_made_during_it(item, want, state, outcome):
    sync_progress.request_sync(item.id)
    sync_progress.request_sync(item.id)
    state_changes.set_state(item.id, state, None, None)
    assert (
        sync_progress.advance(item.id, "", "c1", want, item_states.COMPLETE, changed=False)
        is outcome
    )


def test_an_item_that_syncs_is_good_again(item):
    state_changes.set_state(
        item.id, item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED", "Log in again."
    )
    db.session.commit()
    assert read(item)[3:] == ("login_required", "ITEM_LOGIN_REQUIRED")
    advance(item, "", "c1", 0)
    assert read(item)[3:] == ("good", None)


@pytest.mark.parametrize(
    "state", [item_states.GOOD, item_states.LOGIN_REQUIRED, item_states.REVOKED]
)
def test_a_replaced_item_stays_replaced(item, state):
    state_changes.replace(item.id)
    state_changes.set_state(item.id, state, "CODE", "A sentence.")
    db.session.commit()
    assert read(item)[3:] == (item_states.REPLACED, None)


def test_other_items_do_not_change(item, another_item):
    advance(item, "", "c1", 1)
    sync_progress.request_sync(item.id)
    db.session.commit()
    assert read(another_item)[:3] == ("", 0, 0)


def test_simultaneous_requests_all_count(context, item):
    both = threading.Barrier(4)

    def request():
        with context.app_context():
            db.session.execute(select(Item.sync_requested).where(Item.id == item.id)).all()
            db.session.rollback()
            both.wait()
            for _ in range(10):
                sync_progress.request_sync(item.id)
                db.session.commit()

    threads = [threading.Thread(target=request) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(item)[1] == 40


def test_one_of_two_syncs_from_the_same_cursor_wins(context, item):
    both = threading.Barrier(2)
    won = []

    def move(number):
        with context.app_context():
            both.wait()
            won.append((advance(item, "", f"c{number}", 0), f"c{number}"))

    threads = [threading.Thread(target=move, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(success for success, _ in won) == [False, True]
    assert read(item)[0] == max(won)[1]


@pytest.mark.parametrize("whose", ["own", "other"])
def test_an_item_belongs_to_its_owner(item, owner, whose):
    found = items.owned(item.id, owner if whose == "own" else owner + 1)
    assert (found is not None) == (whose == "own")


def changes(item):
    db.session.commit()
    query = select(StateChange.state, StateChange.code, StateChange.message)
    ours = query.where(StateChange.item_id == item.id).order_by(StateChange.id)
    return [tuple(row) for row in db.session.execute(ours)]


def test_each_change_of_state_is_recorded_once(item, another_item):
    login = (item_states.LOGIN_REQUIRED, "ITEM_LOGIN_REQUIRED", "Log in again.")
    state_changes.set_state(item.id, *login)
    state_changes.set_state(item.id, *login)
    assert changes(item) == [login]

    advance(item, "", "c1", 0)
    advance(item, "c1", "c2", 0)
    state_changes.answered(item.id, "ins_1", "Bank")
    assert changes(item) == [login, ("good", None, None)]

    problem = (item_states.ERROR, "ITEM_LOCKED", "It is locked.")
    state_changes.set_state(item.id, *problem)
    sync_progress.not_ready(item.id, 0)
    state_changes.set_state(item.id, *problem)
    sync_progress.refused(item.id, 0, "PRODUCTS_NOT_SUPPORTED")
    state_changes.set_state(item.id, *problem)
    state_changes.answered(item.id, "ins_1", "Bank")
    assert changes(item)[2:] == [problem, ("good", None, None)] * 3

    state_changes.replace(item.id)
    state_changes.set_state(item.id, *login)
    state_changes.revive(item.id)
    assert [state for state, *_ in changes(item)[8:]] == ["replaced", "good"]
    assert changes(another_item) == []
