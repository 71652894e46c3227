"""Disconnecting a bank that is connected again, or whose accounts another connection lists."""

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.finance.reports import account_balances
from plaidapp.jobs.connections.disconnect import disconnect
from plaidapp.jobs.transactions import bank_comparison
from plaidapp.store import Account, Item, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import account_questions, former_accounts, item_states, items

pytestmark = pytest.mark.usefixtures("context")
GOOD, DISCONNECTED, REPLACED = item_states.GOOD, item_states.DISCONNECTED, item_states.REPLACED


@pytest.fixture
def end(finish):
    def disconnect_item(item, *, deletes_history=False):
        disconnect(items.lock(item.id), deletes_history=deletes_history)
        db.session.commit()
        finish()

    return disconnect_item


def accounts(*conditions):
    db.session.remove()
    found = db.session.scalars(select(Account).where(*conditions).order_by(Account.id)).all()
    db.session.remove()
    return found


def rows(*conditions):
    db.session.remove()
    query = select(Transaction).where(Transaction.removed_at.is_(None), *conditions)
    found = db.session.scalars(query.order_by(Transaction.id)).all()
    db.session.remove()
    return [(row.id, row.account_id, row.public_id, row.name, row.note) for row in found]


def edit():
    db.session.execute(update(Transaction).values(note="mine", edited_at=now()))
    db.session.commit()


def state_of(item):
    db.session.remove()
    return db.session.get_one(Item, item.id).state


def differences(item):
    return bank_comparison.find(db.session.get_one(Item, item.id))


def test_connecting_again_picks_up_the_kept_history(
    bank, connect_login, end, finish, owner, days, today
):
    login = bank.login("anna")
    checking = login.account()
    for age in (700, 40, 3):
        login.row(checking, days(age), str(age))
    old = connect_login("anna")
    edit()
    before, (account,) = rows(), accounts()
    end(old)
    assert state_of(old) == DISCONNECTED
    login.row(checking, days(1), "1", "since then")
    new = connect_login("anna")
    finish()
    assert (state_of(old), state_of(new)) == (REPLACED, GOOD)
    (after,) = accounts()
    assert (after.id, after.public_id, after.closed_at) == (account.id, account.public_id, None)
    assert after.item_id == new.id
    assert rows()[:3] == before
    assert [row[3] for row in rows()[3:]] == ["since then"]
    assert differences(new) == []
    (balance,) = account_balances.of_user(owner, "1M", today)
    assert balance.at([days(2), today]) == [1001, 1000]


def test_an_account_that_is_not_shared_again_stays_as_history(
    bank, connect_login, end, finish, days, owner
):
    login = bank.login("anna")
    first, second = login.account(mask="1111"), login.account(mask="2222")
    for account in (first, second):
        login.row(account, days(3))
    old = connect_login("anna")
    end(old)
    login.drop(second)
    new = connect_login("anna")
    finish()
    assert (state_of(old), state_of(new)) == (DISCONNECTED, GOOD)
    assert [account.mask for account in accounts(Account.item_id == old.id)] == ["2222"]
    assert [account.mask for account in accounts(Account.closed_at.is_(None))] == ["1111"]
    assert len(rows()) == 2
    db.session.remove()
    assert former_accounts.shared(owner) == {}


def test_a_renamed_account_is_found_by_its_rows(bank, connect_login, end, finish, days, owner):
    old_login, new_login = bank.login("old"), bank.login("new")
    for login, name in ((old_login, "Checking"), (new_login, "Everyday Checking")):
        login.row(login.account(name=name), days(3))
    old = connect_login("old")
    before, (account,) = rows(), accounts()
    end(old)
    connect_login("new")
    finish()
    assert [(each.id, each.name, each.closed_at) for each in accounts()] == [
        (account.id, "Everyday Checking", None)
    ]
    assert rows() == before
    assert state_of(old) == REPLACED


def test_the_person_is_asked_about_a_kept_account_that_may_be_the_same(
    bank, connect_login, end, finish, owner
):
    for name in ("Checking", "Everyday Checking"):
        bank.login(name).account(name=name)
    end(connect_login("Checking"))
    connect_login("Everyday Checking")
    finish()
    assert len(account_questions.of_user(owner)) == 1
    assert account_questions.any_open(owner)


def test_what_was_deleted_is_not_picked_up(bank, connect_login, end, finish, days):
    login = bank.login("anna")
    login.row(login.account(), days(3))
    old = connect_login("anna")
    edit()
    (before,) = rows()
    end(old, deletes_history=True)
    assert rows() == accounts() == []
    new = connect_login("anna")
    finish()
    ((_, _, public_id, _, note),) = rows()
    assert note is None
    assert public_id != before[2]
    assert differences(new) == []


def test_a_bank_that_is_connected_again_while_plaid_is_away_is_removed_there(
    bank, connect_login, end, finish, days, bank_server
):
    login = bank.login("anna")
    login.row(login.account(), days(3))
    old = connect_login("anna")
    disconnect(items.lock(old.id), deletes_history=False)
    db.session.commit()
    connect_login("anna")
    finish()
    assert state_of(old) == REPLACED
    assert bank.removed == ["token-1"]


@pytest.mark.parametrize("deletes_history", [False, True])
def test_a_former_connection_is_removed_and_deleted_too(
    bank, connect_login, end, finish, days, deletes_history
):
    """The bank was connected again before the old Item was removed at Plaid."""
    login = bank.login("anna")
    kept, closed = login.account(mask="1111"), login.account(mask="2222")
    for account in (kept, closed):
        login.row(account, days(3))
    old = connect_login("anna")
    login.drop(closed)
    new = connect_login("anna")
    db.session.execute(update(Account).where(Account.mask == "2222").values(closed_at=now()))
    db.session.execute(update(Item).where(Item.id == old.id).values(state=REPLACED))
    db.session.commit()
    end(new, deletes_history=deletes_history)
    assert sorted(bank.removed) == ["token-1", "token-2"]
    assert len(rows()) == (0 if deletes_history else 2)
    assert state_of(old) == (item_states.DELETED if deletes_history else REPLACED)


@pytest.fixture
def joint(bank, connect_login, days, finish):
    """Two log-ins share an account, and each has one of its own. The second one reports it."""
    for name, own in (("his", "1111"), ("hers", "2222")):
        login = bank.login(name)
        shared = login.account(name="Joint", mask="9999", key="joint")
        mine = login.account(name=name, mask=own, key="own")
        for age in (40, 5, 3):
            login.row(shared, days(age), str(age), "shared")
        login.row(mine, days(4), own, name)
    his, hers = connect_login("his"), connect_login("hers")
    finish()
    edit()
    return his, hers


def names_of_open():
    return sorted(account.name for account in accounts(Account.closed_at.is_(None)))


@pytest.mark.parametrize("deletes_history", [False, True])
def test_the_other_log_in_takes_over(joint, bank, end, finish, days, deletes_history):
    his, hers = joint
    shared = [row for row in rows() if row[3] == "shared"]
    end(hers, deletes_history=deletes_history)
    assert [row for row in rows() if row[3] == "shared"] == shared
    assert names_of_open() == ["Joint", "his"]
    (account,) = accounts(Account.name == "Joint")
    assert account.item_id == his.id
    assert len(rows()) == (4 if deletes_history else 5)
    assert differences(his) == []


@pytest.mark.parametrize("deletes_history", [False, True])
def test_a_log_in_that_stands_by_can_be_ended(joint, bank, end, owner, deletes_history):
    his, hers = joint
    end(his, deletes_history=deletes_history)
    assert bank.removed == ["token-1"]
    assert names_of_open() == ["Joint", "hers"]
    (account,) = accounts(Account.name == "Joint")
    assert account.item_id == hers.id
    assert former_accounts.shared(owner) == {}
    assert len(rows()) == (4 if deletes_history else 5)
    db.session.remove()
    assert differences(hers) == []
