"""A person's own names for accounts, their order, and hiding: what of it reaches which figures."""

from datetime import date, timedelta

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account
from plaidapp.store.connections import accounts, arranged_accounts, merged_accounts
from plaidapp.store.people import users
from plaidapp.store.reports import derived
from plaidapp.store.transactions import filter_totals, monthly_totals, reader
from plaidapp.store.transactions.filters import Filter

MONTH = date(2026, 1, 1)


@pytest.fixture
def three(owner, item, save, transaction, account):
    """Three accounts of one bank: a row of 1 in the first, 2 in the second, 4 in the third."""
    accounts.save(owner, item.id, [account(key) for key in "abc"])
    save(
        item,
        *(
            transaction(f"t{key}", MONTH + timedelta(days=3), amount, account_id=key)
            for key, amount in zip("abc", "124", strict=True)
        ),
    )
    derived.rebuild([row.id for row in accounts.of_user(owner)])
    db.session.commit()
    return accounts.of_user(owner)


def order(owner):
    db.session.expire_all()
    return "".join(row.plaid_account_id for row in accounts.of_user(owner))


def test_a_sync_leaves_the_arrangement_alone(owner, item, three, account):
    first, second, _ = three
    arranged_accounts.rename(first, "House money")
    arranged_accounts.hide(second, hidden=True)
    arranged_accounts.move(first, second, after=True)
    db.session.commit()

    accounts.save(owner, item.id, [account(key, name="Renamed by the bank") for key in "cba"])
    db.session.commit()

    assert order(owner) == "bac"
    second, first, _ = accounts.of_user(owner)
    assert (first.title, first.name) == ("House money", "Renamed by the bank")
    assert second.is_hidden
    assert [row.id for row in accounts.of_item(item.id)] == [
        row.id for row in accounts.of_user(owner)
    ]

    arranged_accounts.rename(first, None)
    assert first.title == "Renamed by the bank"


def test_an_account_moves_before_or_after_another(owner, item, three, account, subtests):
    a, b, c = three
    moves = [(c, a, False, "cab"), (c, b, True, "abc"), (a, c, True, "bca"), (a, c, False, "bac")]
    for moved, neighbor, after, expected in moves:
        with subtests.test(expected):
            arranged_accounts.move(moved, neighbor, after=after)
            assert order(owner) == expected

    accounts.save(owner, item.id, [account("0")])
    assert order(owner) == "bac0", "a new account comes last"


def test_a_hidden_account_counts_nowhere_until_it_is_shown(owner, three):
    _, second, third = three
    shown = Filter(owner)
    arranged_accounts.hide(second, hidden=True)
    arranged_accounts.hide(third, hidden=True)
    arranged_accounts.hide(third, hidden=False)
    db.session.commit()

    assert users.hides_accounts(owner)
    assert [row.account_id for row in reader.page(shown, 9)] == [third.id, three[0].id]
    assert filter_totals.tally(shown, 0).sums[0].money_out == 5
    assert filter_totals.tally(Filter(owner, end=MONTH + timedelta(days=9)), 9).rows == 2
    assert monthly_totals.count(owner) == (2, 1)
    (sum_,) = monthly_totals.flow(owner, MONTH)
    assert sum_.money_out == 5
    for asks in (
        {"account_ids": (second.id,)},
        {"hidden": "any"},
        {"hidden_accounts": True},
    ):
        found = reader.page(Filter(owner, **asks), 9)
        assert second.id in {row.account_id for row in found}
        assert all(row.is_left_out == (row.account_id == second.id) for row in found)

    arranged_accounts.hide(second, hidden=False)
    db.session.commit()
    assert not users.hides_accounts(owner)
    assert filter_totals.tally(shown, 0).rows == reader.count(shown) == 3
    assert monthly_totals.count(owner) == (3, 0)


def test_merging_keeps_the_arrangement_of_the_account_that_stays(owner, three, another_item):
    kept, _, _ = three
    other = Account(
        user_id=owner,
        item_id=another_item.id,
        plaid_account_id="x",
        name="Other",
        type="depository",
        updated_at=kept.updated_at,
        nickname="Mine",
        position=9,
    )
    db.session.add(other)
    arranged_accounts.hide(kept, hidden=True)
    db.session.flush()

    merged_accounts.merge(kept, other, joining_leads=True)

    assert (kept.name, kept.title, kept.is_hidden, kept.position) == ("Other", "Mine", True, None)

    left = merged_accounts.separate(kept, merged_accounts.sides(kept))
    assert left.is_hidden
    assert kept.is_hidden
