"""Rows are inserted, updated, or not written because they are equal."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from plaidapp.extensions import db
from plaidapp.store import Account, Transaction
from plaidapp.store.base import upsert as upserts
from plaidapp.store.base.upsert import upsert
from plaidapp.store.connections import accounts
from plaidapp.store.connections.balances import TABLE, Balance
from plaidapp.store.transactions import ingest
from tests import stored


@pytest.fixture
def few(request, monkeypatch):
    """On PostgreSQL, a few rows take another way than many."""
    monkeypatch.setattr(upserts, "FEW", request.param)


both_ways = pytest.mark.parametrize("few", [0, 50], indirect=True)


def names():
    rows = db.session.execute(select(Transaction.plaid_transaction_id, Transaction.name))
    return dict(rows.all())


@pytest.fixture
def written(item):
    """Count the rows that a call writes, according to the database."""

    def count(call):
        if db.engine.dialect.name == "sqlite":
            db.session.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS written (id)"))
            for change in ("INSERT", "UPDATE"):
                seen = f'AFTER {change} ON "transaction" BEGIN INSERT INTO written VALUES (1); END'  # noqa: S608
                db.session.execute(text(f"CREATE TEMPORARY TRIGGER on_{change} {seen}"))
            call()
            return db.session.scalar(text("SELECT count(*) FROM written"))
        versions = text('SELECT id, xmin FROM "transaction"')
        before = set(db.session.execute(versions).all())
        db.session.commit()
        call()
        return len(set(db.session.execute(versions).all()) - before)

    return count


def test_new_rows_are_inserted(item, save, transaction):
    save(item, transaction("t1"), transaction("t2", name="Tea"))
    assert names() == {"t1": "Coffee", "t2": "Tea"}


def test_known_rows_are_updated_in_place(item, save, transaction):
    save(item, transaction("t1"), transaction("t2"))
    first = db.session.scalars(select(Transaction.id).order_by(Transaction.id)).all()
    save(item, transaction("t2", name="Tea", amount="3.5"), transaction("t3"))
    assert names() == {"t1": "Coffee", "t2": "Tea", "t3": "Coffee"}
    assert (
        db.session.scalars(
            select(Transaction.id).where(Transaction.plaid_transaction_id != "t3")
        ).all()
        == first
    )


@both_ways
def test_an_amount_that_changes_is_updated(item, save, transaction, few):
    save(item, transaction("t", amount="1.00000001"))
    save(item, transaction("t", amount="1.00000002"))
    assert db.session.scalar(select(Transaction.amount)) == Decimal("1.00000002")


@both_ways
def test_unchanged_rows_are_not_written(owner, item, save, transaction, written, few):
    rows = [transaction(f"t{number}") for number in range(20)]
    save(item, *rows)
    known = accounts.ids_of_item(item.id)
    rows[7] = transaction("t7", name="Tea")
    assert written(lambda: stored.save(owner, item.id, known, rows)) == 1


@both_ways
@pytest.mark.parametrize(("from_start", "page_id"), [(False, 2), (True, 1)])
def test_a_repeated_row_names_its_last_page_except_from_the_start(
    owner, item, transaction, from_start, page_id, few
):
    """What changed may be what only the page has. A reading from the beginning changes nothing."""
    rows, known = stored.rows_of([transaction("t")]), accounts.ids_of_item(item.id)
    ingest.save(owner, item.id, known, [1], rows, from_start=False, new=False)
    ingest.save(owner, item.id, known, [2], rows, from_start=from_start, new=False)
    assert db.session.scalar(select(Transaction.page_id)) == page_id


@both_ways
def test_a_value_that_becomes_null_is_a_change(item, save, transaction, few):
    save(item, transaction("t", merchant_name="Bean"))
    save(item, transaction("t", merchant_name=None))
    assert db.session.scalar(select(Transaction.merchant_name)) is None


def test_the_same_id_at_two_items_is_two_rows(item, another_item, save, transaction):
    save(item, transaction("t"))
    save(another_item, transaction("t", name="Tea"))
    found = db.session.execute(select(Transaction.item_id, Transaction.name)).all()
    assert set(found) == {(item.id, "Coffee"), (another_item.id, "Tea")}


def test_the_later_of_two_equal_ids_in_one_call_counts(item, save, transaction):
    save(item, transaction("t"), transaction("t", name="Tea"))
    assert names() == {"t": "Tea"}


def test_saving_no_rows_does_nothing(item, save):
    save(item)
    assert names() == {}


def test_many_rows_are_saved_at_once(item, save, transaction):
    save(item, *(transaction(f"t{number}", amount=str(number)) for number in range(1500)))
    total = db.session.scalar(select(db.func.sum(Transaction.amount)))
    assert total == sum(range(1500))


def test_a_column_may_be_named_like_a_keyword(owner, item, account):
    accounts.save(owner, item.id, [account(balances={"limit": Decimal(2000)})])
    assert db.session.scalar(select(Account.limit)) == 2000


def test_rows_that_are_not_new_after_all_are_updated(owner, item, save, transaction):
    save(item, transaction("t2"))
    rows = stored.rows_of([transaction("t1"), transaction("t2", name="Tea")])
    known = accounts.ids_of_item(item.id)
    ingest.save(owner, item.id, known, [None], rows, from_start=True, new=True)
    assert names() == {"t1": "Coffee", "t2": "Tea"}
    rows = stored.rows_of([transaction("t3"), transaction("t4")])
    ingest.save(owner, item.id, known, [None], rows, from_start=True, new=True)
    assert names().keys() == {"t1", "t2", "t3", "t4"}


@pytest.mark.parametrize("new", [False, True])
def test_a_wrong_guess_that_rows_are_new_changes_nothing(owner, item, account, new):
    """Values pass through their columns' types, and a column that is not given has its default."""
    accounts.save(owner, item.id, [account()])
    (account_id,) = accounts.ids_of_item(item.id).values()

    def save(amounts):
        rows = [
            {"account_id": account_id, "date": date(2020, 1, day), "current": amount, "source": ""}
            for day, amount in amounts.items()
        ]
        upsert(TABLE, ("account_id", "date"), rows, new=new)

    save({1: Decimal("0.00000001"), 2: Decimal(-2)})
    save({2: Decimal("2.5"), 3: Decimal(3)})
    columns = select(Balance.date, Balance.current, Balance.current_high)
    found = db.session.execute(columns.where(Balance.source == "").order_by(Balance.date))
    amounts = (Decimal("0.00000001"), Decimal("2.5"), Decimal(3))
    assert found.all() == [(date(2020, 1, day), amounts[day - 1], 0) for day in (1, 2, 3)]


@pytest.mark.parametrize("new", [False, True])
def test_a_row_of_an_unknown_account_is_not_stored(owner, item, transaction, new):
    rows = stored.rows_of([transaction("t")])
    nowhere = {row.plaid_account_id: 404 for row in rows}
    with pytest.raises(IntegrityError):
        ingest.save(owner, item.id, nowhere, [None], rows, from_start=False, new=new)
    db.session.rollback()
    assert names() == {}


@pytest.mark.parametrize("new", [False, True])
def test_an_error_while_rows_are_made_stores_none_of_them(owner, item, transaction, new):
    """PostgreSQL has begun to store the first rows when a later one can't be made."""
    rows = stored.rows_of([transaction(f"t{number}") for number in range(1500)])
    known = accounts.ids_of_item(item.id)
    rows[-1] = msgspec.structs.replace(rows[-1], plaid_account_id="unknown")
    with pytest.raises(KeyError, match="unknown"):
        ingest.save(owner, item.id, known, [None], rows, from_start=False, new=new)
    db.session.rollback()
    assert names() == {}
    ingest.save(owner, item.id, known, [None], rows[:-1], from_start=False, new=new)
    assert len(names()) == 1499
