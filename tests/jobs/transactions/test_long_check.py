"""A check goes back in windows and goes on from there later, however long the history is."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plaidapp import policy
from plaidapp.bank import client
from plaidapp.extensions import db
from plaidapp.jobs.press import press
from plaidapp.store import CheckDifference, Item, Pull, PullItem, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states
from plaidapp.store.pulls import kinds, pulls
from tests.stored import copy_of

pytestmark = pytest.mark.usefixtures("context")

PATH = "/transactions/get"
LIMITED = {
    "status": 429,
    "error_type": "RATE_LIMIT_EXCEEDED",
    "error_code": "TRANSACTIONS_LIMIT",
}


@pytest.fixture
def long_history(dynamic, monkeypatch):
    """About fifty rows, which take about seven windows."""
    monkeypatch.setattr(policy, "WINDOW_ROWS", 8)
    return dynamic


@pytest.fixture
def asked(monkeypatch):
    """The first and last day of every page that the bank is asked for."""
    days, page = [], client.Bank.transactions_page

    def noted(bank, sealed, start, end, offset):
        days.append((start, end))
        return page(bank, sealed, start, end, offset)

    monkeypatch.setattr(client.Bank, "transactions_page", noted)
    return days


def rows(*order):
    query = select(Transaction).where(~Transaction.pending, Transaction.removed_at.is_(None))
    found = db.session.scalars(query.order_by(*order)).all()
    db.session.remove()
    return found


def twice(row, name, **values):
    """Store a row a second time, which the bank does not have."""
    db.session.execute(copy_of(row.id, plaid_transaction_id=name, **values))
    db.session.commit()
    db.session.remove()


def found():
    differences = db.session.scalars(select(CheckDifference)).all()
    db.session.remove()
    return {each.plaid_id: each.kind for each in differences}


def test_a_check_that_plaid_limits_goes_on_where_it_was(
    long_history, begin, run, look, bank_server, asked
):
    newest_first = rows(Transaction.date.desc())
    twice(newest_first[0], "newest")
    twice(newest_first[-1], "oldest")
    bank_server.misbehave(path=PATH, kind="error", **LIMITED, after=4)
    pull_id = begin(kinds.CHECK, [long_history])
    began = now()

    run(pull_id)

    pull = look(pull_id)
    assert (pull.state, pull.failures, pull.items[0].phase) == (pulls.QUEUED, 0, pulls.COMPARING)
    assert pull.run_after >= began + timedelta(seconds=policy.RATE_LIMIT_WAIT)
    limited_at = asked[-1]
    bank_server.faults.rulebook.clear()
    del asked[:]

    run(pull_id)

    assert asked[0] == limited_at  # and none of the newer days
    assert look(pull_id).state == pulls.DONE
    assert found() == {"newest": "only_here", "oldest": "only_here"}
    assert look(pull_id).items[0].rows == len(newest_first)
    assert db.session.scalar(compared_of(pull_id)) is None


def test_a_check_that_takes_long_lets_others_go_first(long_history, begin, run, look, monkeypatch):
    monkeypatch.setattr(policy, "CHECK_TURN", timedelta(0))
    twice(rows(Transaction.date)[0], "oldest")
    pull_id, attempts = begin(kinds.REPAIR, [long_history]), 0
    while look(pull_id).state == pulls.QUEUED and attempts < 20:
        run(pull_id)
        attempts += 1
    assert (look(pull_id).state, look(pull_id).failures) == (pulls.DONE, 0)

    assert attempts > 2
    assert found() == {}  # the first attempt has repaired it, and the others only compared


def test_nothing_is_kept_of_a_check_whose_connection_ends(
    long_history, begin, run, look, monkeypatch
):
    monkeypatch.setattr(policy, "CHECK_TURN", timedelta(0))
    twice(rows(Transaction.date.desc())[0], "newest")
    pull_id = begin(kinds.CHECK, [long_history])
    run(pull_id)
    assert "newest" in db.session.scalar(compared_of(pull_id))
    db.session.execute(update(Item).values(state=item_states.DISCONNECTED))
    db.session.commit()

    run(pull_id)

    assert look(pull_id).state == pulls.DONE
    assert db.session.scalar(compared_of(pull_id)) is None
    assert found() == {}


@pytest.mark.parametrize(("kind", "differs"), [(kinds.CHECK, True), (kinds.REPAIR, False)])
def test_a_click_between_two_windows_begins_anew(
    long_history, begin, run, look, monkeypatch, kind, differs
):
    monkeypatch.setattr(policy, "CHECK_TURN", timedelta(0))
    pull_id = begin(kind, [long_history])
    run(pull_id)
    assert look(pull_id).state == pulls.QUEUED
    twice(rows(Transaction.date.desc())[0], "newest")  # in a window that was compared already

    assert press(long_history.user_id, kind, [long_history]).id == pull_id
    db.session.remove()
    run_to_end(run, look, pull_id)

    assert found() == ({"newest": "only_here"} if differs else {})
    assert ("newest" in {row.plaid_transaction_id for row in rows()}) is differs


def test_a_click_while_a_repair_compares_repairs_once_more(
    app, long_history, run, look, monkeypatch
):
    pressed, page = [], client.Bank.transactions_page

    def pressing(*arguments):
        if not pressed:
            with app.app_context():
                pressed.append(press(long_history.user_id, kinds.REPAIR, [long_history]).id)
                twice(rows(Transaction.date)[0], "oldest")
        return page(*arguments)

    monkeypatch.setattr(client.Bank, "transactions_page", pressing)
    pull_id = press(long_history.user_id, kinds.REPAIR, [long_history]).id
    db.session.remove()

    run(pull_id)

    assert (pressed, look(pull_id).state) == ([pull_id], pulls.DONE)
    assert found() == {}
    assert "oldest" not in {row.plaid_transaction_id for row in rows()}


def test_what_is_repaired_during_a_long_check_is_no_difference(
    long_history, begin, run, look, monkeypatch
):
    newest, *_, oldest = rows(Transaction.date.desc())
    twice(newest, "newest")
    for row, values in ((newest, {"name": "by hand"}), (oldest, {"name": "by hand"})):
        db.session.execute(update(Transaction).where(Transaction.id == row.id).values(**values))
        db.session.commit()
    monkeypatch.setattr(policy, "CHECK_TURN", timedelta(0))
    pull_id = begin(kinds.CHECK, [long_history])
    for _ in range(3):
        run(pull_id)
    assert look(pull_id).state == pulls.QUEUED
    with monkeypatch.context() as patch:
        patch.setattr(policy, "CHECK_TURN", timedelta(hours=1))
        run_to_end(run, look, begin(kinds.REPAIR, [long_history]))

    run_to_end(run, look, pull_id)

    assert found() == {}


def run_to_end(run, look, pull_id):
    for _ in range(30):
        if look(pull_id).state != pulls.QUEUED:
            break
        run(pull_id)
    assert look(pull_id).state == pulls.DONE


def compared_of(pull_id):
    return select(PullItem.comparison).where(PullItem.pull_id == pull_id)


def test_a_row_whose_days_are_in_two_windows_is_one_difference(long_history, begin, run):
    oldest, newest = rows(Transaction.date)[0], rows(Transaction.date.desc())[0]
    for row, day in ((oldest, newest.date), (newest, oldest.date)):
        changed = db.session.get_one(Transaction, row.id)
        changed.date = day
    db.session.commit()

    run(begin(kinds.CHECK, [long_history]))

    assert found() == {
        oldest.plaid_transaction_id: "different",
        newest.plaid_transaction_id: "different",
    }


def test_what_the_bank_changes_during_a_long_check_is_no_difference(
    long_history, begin, run, look, bank_server, token_of, asked
):
    token, page = token_of(long_history), client.Bank.transactions_page

    def changing(*arguments):
        bank_server.change(token)
        return page(*arguments)

    client.Bank.transactions_page = changing  # `asked` puts the original back
    bank_server.misbehave(path=PATH, kind="error", **LIMITED, after=5)
    pull_id = begin(kinds.CHECK, [long_history])
    run(pull_id)
    assert look(pull_id).state == pulls.QUEUED
    bank_server.faults.rulebook.clear()
    run(begin(kinds.TRANSACTIONS, [long_history]))  # moves the cursor
    run(pull_id)

    assert look(pull_id).state == pulls.DONE
    assert found() == {}


def test_very_many_differences_end_a_check_early(long_history, begin, run, look, monkeypatch):
    monkeypatch.setattr(policy, "DIFFERENCES_READ", 3)
    row = rows(Transaction.date.desc())[0]
    for number in range(5):
        twice(row, f"made up {number}")
    oldest = rows(Transaction.date)[0]
    twice(oldest, "oldest")

    pull_id = begin(kinds.CHECK, [long_history])
    run(pull_id)

    assert look(pull_id).items[0].differences == 5
    assert db.session.scalars(select(Pull.state).where(Pull.id == pull_id)).all() == [pulls.DONE]
