"""An account of an earlier Item becomes the new Item's only if it is certainly the same one."""

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Account, Item
from plaidapp.store.connections import (
    accounts,
    former_accounts,
    item_states,
    items,
    known_accounts,
    reconnected_accounts,
)
from plaidapp.store.people import users

BANK = "ins_1"


@pytest.fixture
def connect(owner, account):
    """Connect the bank with these accounts. Returns the Item's id and our ids by Plaid's."""

    def new_item(name, *listed, user_id=owner, institution_id=BANK):
        item = items.add(
            user_id=user_id,
            plaid_item_id=name,
            institution_id=institution_id,
            access_token=b"sealed",
        )
        reconnected_accounts.save_accounts(user_id, item.id, listed, {})
        db.session.commit()
        return item.id, accounts.ids_of_item(item.id)

    return new_item


@pytest.fixture
def account(account):
    """An account with a mask, which makes it recognizable."""

    def with_mask(account_id, **changes):
        return account(account_id, **{"mask": "0001", "subtype": "checking"} | changes)

    return with_mask


def states():
    db.session.expire_all()
    return dict(db.session.execute(select(Item.plaid_item_id, Item.state)).all())


def test_an_account_with_the_same_description_moves(connect, account):
    old, before = connect("old", account("a"))
    new, after = connect("new", account("b"))
    assert after == {"b": before["a"]}
    assert accounts.ids_of_item(old) == {}
    assert states() == {"old": item_states.REPLACED, "new": item_states.GOOD}
    assert former_accounts.departed_ids(old) == {"a"}
    assert former_accounts.former_items(new) == [old]
    assert former_accounts.successor(old) == new
    assert former_accounts.count_reconnected(new) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"mask": "0002"},
        {"type": "credit"},
        {"subtype": "savings"},
        {"name": "Another name"},
        {"mask": None},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_an_account_that_differs_in_one_feature_is_another_one(connect, account, changes):
    _, before = connect("old", account("a"))
    _, after = connect("new", account("b", **changes))
    assert set(after.values()).isdisjoint(before.values())
    assert states() == {"old": item_states.GOOD, "new": item_states.GOOD}


def test_accounts_without_a_mask_are_never_the_same(connect, account):
    _, before = connect("old", account("a", mask=None))
    _, after = connect("new", account("b", mask=None))
    assert set(after.values()).isdisjoint(before.values())


def test_an_empty_mask_is_no_mask(connect, account):
    _, before = connect("old", account("a", mask=""))
    _, after = connect("new", account("b", mask=""))
    assert set(after.values()).isdisjoint(before.values())


def test_different_persistent_ids_keep_equal_descriptions_apart(connect, account):
    _, before = connect("old", account("a", persistent_account_id="p1"))
    _, after = connect("new", account("b", persistent_account_id="p2"))
    assert set(after.values()).isdisjoint(before.values())
    assert states() == {"old": item_states.GOOD, "new": item_states.GOOD}


@pytest.mark.parametrize(("first", "second"), [("p1", None), (None, "p1")])
def test_a_persistent_id_on_one_side_does_not_keep_accounts_apart(connect, account, first, second):
    _, before = connect("old", account("a", persistent_account_id=first))
    _, after = connect("new", account("b", persistent_account_id=second))
    assert after == {"b": before["a"]}


def test_the_same_persistent_id_is_enough(connect, account):
    _, before = connect("old", account("a", persistent_account_id="p1"))
    changed = account(
        "b", persistent_account_id="p1", mask=None, name="New name", subtype="savings"
    )
    _, after = connect("new", changed)
    assert after == {"b": before["a"]}


def test_the_persistent_id_wins_over_the_description(connect, account):
    _, before = connect("old", account("a", persistent_account_id="p1"), account("b", mask="0002"))
    _, after = connect(
        "new",
        account("c", mask="0002", persistent_account_id="p1"),
        account("d", mask="0001"),
    )
    assert after["c"] == before["a"]
    assert after["d"] not in before.values()


@pytest.mark.parametrize("twins", ["old", "new"])
def test_two_accounts_with_one_description_are_not_guessed_at(connect, account, twins):
    pair, single = [account("a"), account("b")], [account("c")]
    _, before = connect("old", *(pair if twins == "old" else single))
    _, after = connect("new", *(single if twins == "old" else pair))
    assert set(after.values()).isdisjoint(before.values())


def test_accounts_of_another_bank_or_person_stay(connect, account):
    stranger = users.add("charlie", "charlie@example.com", "no hash")
    db.session.flush()
    _, elsewhere = connect("elsewhere", account("a"), institution_id="ins_2")
    _, others = connect("others", account("a"), user_id=stranger.id)
    _, after = connect("new", account("b"))
    assert set(after.values()).isdisjoint([*elsewhere.values(), *others.values()])
    assert set(states().values()) == {item_states.GOOD}


def test_an_item_with_an_open_account_left_is_not_replaced(connect, account):
    old, before = connect("old", account("a"), account("b", mask="0002"))
    _, after = connect("new", account("c"))
    assert after == {"c": before["a"]}
    assert accounts.ids_of_item(old) == {"b": before["b"]}
    assert states()["old"] == item_states.GOOD


def test_an_open_account_is_preferred_to_a_closed_one(connect, account):
    newest_is_closed = []
    for name in ("old", "older"):
        item, ids = connect(name, account(name, mask=f"{len(name):04}"))
        newest_is_closed.append((item, ids[name]))
    (open_item, open_id), (closed_item, _) = newest_is_closed
    db.session.execute(db.update(Account).values(mask="0001"))
    accounts.close(closed_item, "older")
    db.session.commit()
    _, after = connect("new", account("b"))
    assert after == {"b": open_id}
    assert states()["old"] == item_states.REPLACED
    assert open_item < closed_item


def test_a_closed_account_moves_and_is_open_again(connect, account):
    old, before = connect("old", account("a"))
    accounts.close(old, "a")
    db.session.commit()
    _, after = connect("new", account("b"))
    assert after == {"b": before["a"]}
    assert db.session.scalar(select(Account.closed_at)) is None


def test_what_the_old_item_still_lists_is_ignored(connect, account):
    old, _ = connect("old", account("a"), account("b", mask="0002"))
    connect("new", account("c"))
    listed = [account("a"), account("b", mask="0002")]
    departed = known_accounts.of_item(old).departed
    remaining = [sent for sent in listed if sent.account_id not in departed]
    assert [sent.account_id for sent in remaining] == ["b"]
