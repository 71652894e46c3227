"""The same account is the same account: recognized, asked about, merged and separated."""

from collections import Counter

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.jobs.connections import same_accounts
from plaidapp.store import Account, Item, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import account_questions, item_states
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds
from plaidapp.store.transactions import monthly_refresh

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def sync(begin, run):
    def sync_item(item):
        db.session.remove()
        run(begin(kinds.ACCOUNTS, items=[db.session.get_one(Item, item.id)]))
        run(begin(kinds.TRANSACTIONS, items=[db.session.get_one(Item, item.id)]))

    return sync_item


def open_accounts():
    db.session.remove()
    query = select(Account).where(Account.closed_at.is_(None)).order_by(Account.id)
    found = db.session.scalars(query).all()
    db.session.remove()
    return found


def rows(account=None):
    """Return the rows that are shown, of one account or all."""
    db.session.remove()
    query = select(Transaction).where(Transaction.removed_at.is_(None))
    if account is not None:
        query = query.where(Transaction.account_id == account.id)
    found = db.session.scalars(query.order_by(Transaction.id)).all()
    db.session.remove()
    return found


def told(found):
    return Counter((row.date, row.amount, row.name) for row in found)


def questions(owner):
    db.session.remove()
    found = account_questions.of_user(owner)
    db.session.remove()
    return found


def state_of(item):
    db.session.remove()
    return db.session.get_one(Item, item.id).state


def test_a_renamed_account_is_the_same_one(bank, connect_login, owner, days, finish):
    old = bank.login("old")
    old.row(old.account(name="Checking"), days(3))
    new = bank.login("new")
    new.row(new.account(name="Everyday Checking"), days(3))
    first = connect_login("old")
    (before,) = open_accounts()
    (row,) = rows()
    second = connect_login("new")
    finish()
    (account,) = open_accounts()
    assert (account.id, account.name, account.item_id) == (
        before.id,
        "Everyday Checking",
        second.id,
    )
    assert account.public_id == before.public_id
    assert [each.public_id for each in rows()] == [row.public_id]
    assert state_of(first) == item_states.REPLACED
    assert bank.removed == ["token-1"]
    assert questions(owner) == []


def test_a_persistent_id_decides_across_banks(bank, connect_login, owner, days, finish):
    for name in ("old", "new"):
        login = bank.login(name)
        login.row(login.account(persistent_account_id="pers1"), days(3))
    first = connect_login("old", "ins_109508")
    before = rows()
    second = connect_login("new", "ins_109509")
    finish()
    assert [account.item_id for account in open_accounts()] == [second.id]
    assert [row.id for row in rows()] == [row.id for row in before]
    assert state_of(first) == item_states.REPLACED
    assert questions(owner) == []


def test_another_bank_without_a_persistent_id_is_asked_about(
    bank, connect_login, owner, days, finish
):
    for name in ("old", "new"):
        login = bank.login(name)
        login.row(login.account(name="Business Checking"), days(3))
    connect_login("old", "ins_109508")
    connect_login("new", "ins_109509")
    finish()
    assert len(open_accounts()) == 2
    (question,) = questions(owner)
    assert question.common == 1


def test_other_accounts_at_other_banks_are_not_asked_about(
    bank, connect_login, owner, days, finish
):
    """They have the same mask by chance."""
    one, other = bank.login("one"), bank.login("other")
    one.row(one.account(), days(3), "10")
    other.row(other.account(), days(3), "20")
    connect_login("one", "ins_109508")
    connect_login("other", "ins_109509")
    finish()
    assert len(open_accounts()) == 2
    assert questions(owner) == []


def test_two_cards_that_look_alike_stay_separate(bank, connect_login, owner, days, finish, sync):
    """The bank lists both in the same way, but nothing was bought with both."""
    for name in ("one", "other"):
        login = bank.login(name)
        key = login.account(name="Card", type="credit", subtype="credit card", balance="50")
        for age in (9, 5, 3):
            login.row(key, days(age), str(age + len(name)), f"bought by {name}")
    first, second = connect_login("one"), connect_login("other")
    finish()
    assert [account.item_id for account in open_accounts()] == [first.id, second.id]
    assert [len(rows(account)) for account in open_accounts()] == [3, 3]
    assert {state_of(first), state_of(second)} == {item_states.GOOD}
    assert bank.removed == []
    assert questions(owner) == []
    bank.login("one").row("Card-7777-0", days(1), "1", "later")
    sync(first)
    sync(second)
    finish()
    assert [len(rows(account)) for account in open_accounts()] == [4, 3]


@pytest.mark.parametrize(("same_rows", "asked"), [(True, [3]), (False, [])])
def test_a_card_with_another_mask_is_asked_about_if_its_rows_are_the_same(
    bank, connect_login, owner, days, finish, same_rows, asked
):
    """It was replaced. Without equal rows, they are two cards of a bank that names all the same."""
    for name, mask in (("old", "3333"), ("new", "4444")):
        login = bank.login(name)
        card = {"type": "credit", "subtype": "credit card"}
        key = login.account(mask, f"Card {mask}", **card)
        for age in (9, 5, 3):
            login.row(key, days(age), str(age), "shop" if same_rows else f"{name} shop")
    connect_login("old")
    connect_login("new")
    finish()
    assert len(open_accounts()) == 2
    assert [question.common for question in questions(owner)] == asked


def test_twins_of_one_log_in_are_told_apart_by_their_rows(bank, connect_login, owner, days, finish):
    for name in ("old", "new"):
        login = bank.login(name)
        keys = [login.account(key=f"{name}{number}") for number in range(2)]
        for number in (0, 1) if name == "old" else (1, 0):
            login.row(keys[number], days(3), str(number + 1), f"of {number}")
    connect_login("old")
    before = {row.name: row.account_id for row in rows()}
    second = connect_login("new")
    finish()
    assert [account.item_id for account in open_accounts()] == [second.id] * 2
    assert {row.name: row.account_id for row in rows()} == before
    assert questions(owner) == []


def test_twins_without_rows_are_asked_about(bank, connect_login, owner, finish):
    for name in ("old", "new"):
        for number in range(2):
            bank.login(name).account(key=f"{name}{number}")
    connect_login("old")
    connect_login("new")
    finish()
    assert len(open_accounts()) == 4
    assert len(questions(owner)) == 4


def test_an_answer_is_remembered(bank, connect_login, owner, days, finish, sync):
    for name in ("old", "new"):
        login = bank.login(name)
        login.row(login.account(), days(3))
    connect_login("old", "ins_109508")
    second = connect_login("new", "ins_109509")
    (question,) = questions(owner)
    account_questions.note_different(owner, (question.one_id, question.other_id))
    db.session.commit()
    bank.login("new").row("Checking-7777-0", days(1))
    sync(second)
    finish()
    assert questions(owner) == []
    assert len(open_accounts()) == 2


@pytest.fixture
def joint(bank, connect_login, days):
    """Two log-ins share an account, and each has one of its own. Returns both Items."""
    for name, own in (("his", "1111"), ("hers", "2222")):
        login = bank.login(name)
        shared = login.account(name="Joint", mask="9999", key="joint")
        mine = login.account(name="Own", mask=own, key="own")
        for age in (40, 5, 3):
            login.row(shared, days(age), str(age), "shared")
        login.row(mine, days(4), own, "own")
    return connect_login("his"), connect_login("hers")


def shared_account():
    (account,) = (account for account in open_accounts() if account.name == "Joint")
    return account


def edit_rows(account):
    for row in rows(account):
        values = {"note": f"note {row.id}", "edited_at": now()}
        db.session.execute(update(Transaction).where(Transaction.id == row.id).values(values))
    db.session.commit()


def check_shared(before, names=("shared",) * 3):
    """The account is there once, with its old rows and edits."""
    found = rows(shared_account())
    assert sorted(row.name for row in found) == sorted(names)
    assert {row.id for row in before} <= {row.id for row in found}
    assert {row.note for row in found if row.note} == {f"note {row.id}" for row in before}
    assert [row.public_id for row in found if row.note] == [row.public_id for row in before]


def test_a_joint_account_is_counted_once(joint, finish, owner):
    finish()
    assert [account.name for account in open_accounts()] == ["Joint", "Own", "Own"]
    assert len(rows()) == 5
    assert questions(owner) == []


LOSSES = {
    "revoked": lambda tell, hers, bank: tell(hers, "ITEM", "USER_PERMISSION_REVOKED"),
    "account revoked": lambda tell, hers, bank: tell(
        hers, "ITEM", "USER_ACCOUNT_REVOKED", account_id="2-joint"
    ),
    "not listed": lambda tell, hers, bank: bank.login("hers").drop("joint"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_if_one_log_in_is_lost_the_other_carries_on(
    joint, bank, finish, sync, days, tell, context, loss
):
    his, hers = joint
    finish()
    edit_rows(shared_account())
    before = rows(shared_account())
    assert shared_account().item_id == hers.id
    LOSSES[loss](tell, hers, bank)
    if loss == "not listed":
        sync(hers)
    finish()
    assert shared_account().item_id == his.id
    check_shared(before)
    bank.login("his").row("joint", days(1), "99", "later")
    sync(his)
    if loss != "revoked":
        sync(hers)
    finish()
    check_shared(before, ["shared"] * 3 + ["later"])


def test_a_log_in_that_expires_hands_over_too(joint, bank, finish, sync, days, rewrite):
    his, hers = joint
    finish()
    edit_rows(shared_account())
    before = rows(shared_account())
    bank.refusing.add("token-2")
    sync(hers)
    finish()
    assert shared_account().item_id == his.id
    bank.refusing.clear()
    for name in ("his", "hers"):
        bank.login(name).row("joint", days(1), "99", "later")
    sync(hers)
    sync(his)
    finish()
    check_shared(before, ["shared"] * 3 + ["later"])


@pytest.mark.parametrize("lost", ["his", "hers"])
def test_a_log_in_with_nothing_but_a_joint_account_stands_by(
    bank, connect_login, finish, days, tell, lost
):
    for name in ("his", "hers"):
        login = bank.login(name)
        joint = login.account(name="Joint", mask="9999", key="joint")
        for age in (40, 5):
            login.row(joint, days(age), str(age))
    his = connect_login("his")
    bank.login("hers").account(name="Own", mask="2222")
    hers = connect_login("hers")
    finish()
    assert [account.item_id for account in open_accounts()] == [hers.id] * 2
    assert (state_of(his), bank.removed) == (item_states.GOOD, [])
    tell({"his": his, "hers": hers}[lost], "ITEM", "USER_PERMISSION_REVOKED")
    finish()
    assert shared_account().item_id == (his if lost == "hers" else hers).id
    assert state_of(his) == (item_states.GOOD if lost == "hers" else item_states.REPLACED)


def test_a_revoked_connection_is_replaced_when_the_bank_is_connected_again(
    bank, connect_login, finish, days, tell
):
    login = bank.login("mine")
    login.row(login.account(), days(3))
    old = connect_login("mine")
    tell(old, "ITEM", "USER_PERMISSION_REVOKED")
    new = connect_login("mine")
    finish()
    assert [account.item_id for account in open_accounts()] == [new.id]
    assert state_of(old) == item_states.REPLACED
    assert len(rows()) == 1


def merge(owner, one, other):
    users.lock_ledger(owner)
    one, other = db.session.get_one(Account, one.id), db.session.get_one(Account, other.id)
    kept = same_accounts.merge(one, other)
    db.session.commit()
    return kept.id


def separate(owner, account_id):
    users.lock_ledger(owner)
    left = same_accounts.separate(db.session.get_one(Account, account_id))
    db.session.commit()
    return left.id


def edits(found):
    return Counter((row.name, row.note, row.hidden) for row in found if row.edited_at)


@pytest.fixture
def two(bank, connect_login, owner, days):
    """Two accounts that share two rows, one of which was edited on both sides.

    Returns both Items and, by account, the rows.
    """
    for mask, names in (("1111", "abc"), ("2222", "bcd")):
        login = bank.login(mask)
        account = login.account(name=f"Account {mask}", mask=mask)
        for name in names:
            login.row(account, days("dcba".index(name) + 1), name=name)
    connected = connect_login("1111"), connect_login("2222")
    mine, theirs = open_accounts()
    edit(mine, "ab")
    edit(theirs, "bcd")
    return connected, {account.id: rows(account) for account in (mine, theirs)}


def edit(account, names):
    for name in names:
        values = {"note": f"{name} of {account.mask}", "hidden": name == "d", "edited_at": now()}
        is_meant = Transaction.account_id == account.id, Transaction.name == name
        db.session.execute(update(Transaction).where(*is_meant).values(values))
    monthly_refresh.rebuild([account.id])
    db.session.commit()


def public_ids(found):
    return sorted(row.public_id for row in found)


def test_merged_accounts_have_the_rows_and_edits_of_both(two, owner, finish, sync, check_derived):
    connected, before = two
    mine, theirs = open_accounts()
    assert merge(owner, theirs, mine) == mine.id

    def check():
        check_derived()
        assert [account.id for account in open_accounts()] == [mine.id]
        assert sorted(row.name for row in rows()) == ["a", "b", "c", "d"]
        assert edits(rows()) == {
            ("a", "a of 1111", False): 1,
            ("b", "b of 1111", False): 1,
            ("c", "c of 2222", False): 1,
            ("d", "d of 2222", True): 1,
        }
        assert set(public_ids(before[mine.id])) < set(public_ids(rows()))
        exported = {public_id for found in before.values() for public_id in public_ids(found)}
        assert set(public_ids(rows())) <= exported

    check()
    for item in connected:
        sync(item)
    finish()
    check()


def test_separated_accounts_have_exactly_what_their_banks_named(
    two, owner, finish, sync, check_derived
):
    connected, before = two
    mine, theirs = open_accounts()
    merge(owner, mine, theirs)
    for item in connected:
        sync(item)
    assert separate(owner, mine.id) == theirs.id

    def check():
        check_derived()
        found = open_accounts()
        assert [(each.id, each.name, each.item_id) for each in found] == [
            (each.id, each.name, each.item_id) for each in (mine, theirs)
        ]
        for account in found:
            assert told(rows(account)) == told(before[account.id])
            assert edits(rows(account)) == edits(before[account.id])
            assert public_ids(rows(account)) == public_ids(before[account.id])

    check()
    finish()
    for item in connected:
        sync(item)
    finish()
    check()
    assert questions(owner) == []


def test_a_reconnected_account_can_be_separated(bank, connect_login, owner, days, finish):
    """The old connection has ended; its account keeps what it had."""
    for name, ages in (("old", (90, 5, 3)), ("new", (5, 3, 1))):
        login = bank.login(name)
        key = login.account()
        for age in ages:
            login.row(key, days(age), str(age), f"row {age}")
    old, new = connect_login("old"), connect_login("new")
    finish()
    (account,) = open_accounts()
    before = rows()
    left = separate(owner, account.id)
    finish()
    assert [(each.id, each.item_id) for each in open_accounts()] == [
        (account.id, old.id),
        (left, new.id),
    ]
    mine, theirs = open_accounts()
    assert sorted(row.name for row in rows(mine)) == ["row 3", "row 5", "row 90"]
    assert sorted(row.name for row in rows(theirs)) == ["row 1", "row 3", "row 5"]
    assert {row.id for row in rows(mine)} <= {row.id for row in before}
    assert state_of(old) == item_states.REVOKED
