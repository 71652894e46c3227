"""Save, remove and read transactions."""

from datetime import date, timedelta

import pytest

from plaidapp.extensions import db
from plaidapp.store.base.writes import BATCH
from plaidapp.store.connections import accounts
from plaidapp.store.people.users import add
from plaidapp.store.transactions import item_rows, reader, transactions
from plaidapp.store.transactions.filters import Filter
from tests import stored

DAY = date(2026, 1, 31)


def shown(wanted, limit=100, after=None):
    return [row.plaid_transaction_id for row in reader.page(wanted, limit, after)]


@pytest.fixture
def week(item, save, transaction):
    """A row for each day. d0 is the newest."""
    save(item, *(transaction(f"d{age}", DAY - timedelta(days=age)) for age in range(7)))


def test_the_newest_rows_come_first(owner, week):
    assert shown(Filter(owner), 3) == ["d0", "d1", "d2"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
def test_pages_with_equal_dates_show_each_row_once(owner, item, save, transaction, size):
    save(item, *(transaction(f"t{n}", DAY - timedelta(days=n // 3)) for n in range(7)))
    seen, after = [], None
    while page := reader.page(Filter(owner), size, after):
        assert len(page) <= size
        seen += [(row.date, row.id) for row in page]
        after = seen[-1]
    assert len(seen) == 7
    assert seen == sorted(seen, reverse=True)


def test_new_rows_between_two_pages_do_not_shift_the_second(owner, week, item, save, transaction):
    first = reader.page(Filter(owner), 3)
    save(item, transaction("new", DAY + timedelta(days=1)))
    assert shown(Filter(owner), 2, (first[-1].date, first[-1].id)) == ["d3", "d4"]


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (2, None, ["d0", "d1", "d2"]),
        (None, 5, ["d5", "d6"]),
        (3, 2, ["d2", "d3"]),
        (4, 4, ["d4"]),
        (-1, None, []),
    ],
)
def test_both_dates_are_included(owner, week, start, end, expected):
    first, last = (age if age is None else DAY - timedelta(days=age) for age in (start, end))
    assert shown(Filter(owner, first, last)) == expected
    assert reader.count(Filter(owner, first, last)) == len(expected)


def test_the_rows_of_one_item(owner, week, another_item, save, transaction):
    save(another_item, transaction("elsewhere"))
    assert shown(Filter(owner, item_id=another_item.id)) == ["elsewhere"]
    assert reader.count(Filter(owner)) == 8


def test_a_stranger_sees_nothing(week):
    stranger = add("charlie", "charlie@example.com", "no hash")
    db.session.commit()
    assert shown(Filter(stranger.id)) == []
    assert reader.count(Filter(stranger.id)) == 0
    assert reader.first_date(stranger.id) is None


def test_a_row_comes_with_its_account(owner, week):
    assert reader.page(Filter(owner), 1)[0].account.name == "Checking"


def test_removed_rows_are_stored_but_not_shown(owner, week, item):
    item_rows.mark_removed(item.id, ["d0", "d6", "unknown"])
    db.session.commit()
    assert shown(Filter(owner)) == ["d1", "d2", "d3", "d4", "d5"]
    assert reader.count(Filter(owner)) == 5
    assert reader.first_date(owner) == DAY - timedelta(days=5)
    assert db.session.query(transactions.Transaction).count() == 7
    assert item_rows.count_removed(item.id) == 2


def test_more_rows_than_fit_into_one_statement_are_removed(owner, item, save, transaction):
    ids = [f"t{number}" for number in range(BATCH + 3)]
    save(item, *map(transaction, ids))
    item_rows.mark_removed(item.id, ids[1:])
    assert shown(Filter(owner)) == ["t0"]


def test_an_item_removes_only_its_own_rows(owner, week, another_item):
    item_rows.mark_removed(another_item.id, ["d0"])
    assert reader.count(Filter(owner)) == 7


def test_a_removed_row_that_is_sent_again_is_shown_again(owner, week, item, save, transaction):
    item_rows.mark_removed(item.id, ["d0"])
    save(item, transaction("d0", DAY))
    assert reader.count(Filter(owner)) == 7


def test_a_pending_row_is_replaced_only_in_its_own_account(
    owner, item, another_item, save, transaction
):
    save(item, transaction("pending", DAY, pending=True))
    posted = transaction("posted", DAY, pending_transaction_id="pending")
    (pending,) = reader.page(Filter(owner), 1)
    save(another_item, posted)
    assert transactions.replacing(pending) is None
    save(item, posted)
    assert transactions.replacing(pending).item_id == item.id


def test_a_row_of_an_unknown_account_is_an_error(owner, item, transaction):
    with pytest.raises(KeyError):
        stored.save(owner, item.id, {}, [transaction("t")])


def test_accounts_that_are_missing_from_a_list_are_closed(owner, item, account):
    accounts.save(owner, item.id, [account("a"), account("b")])
    accounts.close_missing(item.id, ["b"])
    db.session.commit()
    closed = {row.plaid_account_id: row.closed_at is not None for row in accounts.of_item(item.id)}
    assert closed == {"a": True, "b": False}


def test_an_account_that_is_listed_again_is_open(owner, item, account):
    accounts.close_missing(item.id, ["b"])
    accounts.save(owner, item.id, [account("a")])
    db.session.commit()
    assert [row.closed_at for row in accounts.of_user(owner)] == [None]
