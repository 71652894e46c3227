"""Recurring payments: saved, marked when missing, and when their amount has changed."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, update

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.store import Account, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, stream_times
from plaidapp.store.people.users import add
from plaidapp.store.recurring import recurring_streams, save_streams
from plaidapp.store.recurring.paid import since
from plaidapp.store.recurring.price_change import price_change
from plaidapp.store.recurring.recurring_streams import Payment, Stream
from plaidapp.store.transactions import item_rows

DAY = date(2026, 3, 5)


def stream(stream_id="s", *transaction_ids, amount="17.99", **changes):
    money = payloads.StreamAmount(Decimal(amount), "USD")
    fields = {
        "stream_id": stream_id,
        "account_id": "a",
        "description": "NETFLIX.COM",
        "frequency": "MONTHLY",
        "first_date": date(2026, 1, 5),
        "last_date": DAY,
        "transaction_ids": list(transaction_ids),
        "average_amount": payloads.StreamAverage(Decimal(amount)),
        "last_amount": money,
        "is_active": True,
        "status": "MATURE",
        "predicted_next_date": date(2026, 4, 5),
    }
    return payloads.PlaidStream(**fields | changes)


@pytest.fixture
def save_answer(owner):
    def store(item, *out, income=()):
        answer = payloads.Recurring(list(income), list(out), "request")
        count = save_streams.save(owner, item.id, accounts.ids_of_item(item.id), answer)
        db.session.commit()
        db.session.expire_all()
        return count

    return store


def streams_of(user_id):
    db.session.rollback()
    db.session.expire_all()
    return {row.plaid_stream_id: row for row in recurring_streams.of_user(user_id)}


def test_payments_that_are_matched_make_a_stream_a_transfer(
    item, owner, save, transaction, save_answer
):
    """Whatever Plaid's category is. At least half of them have to be sides of transfers."""
    save(item, *(transaction(f"t{number}") for number in range(4)))
    save_answer(item, stream("s", "t0", "t1", "t2", "not stored"))
    assert not streams_of(owner)["s"].is_transfer
    for matched, is_transfer in ((["t0", "t3"], False), (["t1"], True)):
        ids = Transaction.plaid_transaction_id.in_(matched)
        db.session.execute(update(Transaction).where(ids).values(other_side_id=1))
        db.session.commit()
        assert streams_of(owner)["s"].is_transfer == is_transfer
        assert streams_of(owner)["s"].paid == 4


def test_a_stream_is_stored_as_it_was_sent(owner, item, save_answer):
    category = payloads.Category("ENTERTAINMENT", "ENTERTAINMENT_TV_AND_MOVIES")
    amount = payloads.StreamAmount(Decimal("0.12345678"), None, "BTC")
    sent = stream(
        "s", "t1", "t2", merchant_name="Netflix", category=category, last_amount=amount,
        average_amount=payloads.StreamAverage(Decimal("-0.00000001")),
    )  # fmt: skip
    assert save_answer(item, sent) == 1
    row = streams_of(owner)["s"]
    assert (row.direction, row.title, row.currency, row.paid) == ("out", "Netflix", "BTC", 2)
    assert (row.last_amount, row.average_amount) == (Decimal("0.12345678"), Decimal("-1E-8"))
    assert (row.first_date, row.last_date, row.predicted_next_date) == (
        sent.first_date, sent.last_date, sent.predicted_next_date
    )  # fmt: skip
    assert (row.category, row.frequency, row.account.name) == (
        "ENTERTAINMENT", "MONTHLY", "Checking"
    )  # fmt: skip
    assert not row.is_over


def test_a_refund_does_not_count_as_the_last_payment(owner, item, save_answer, save, transaction):
    save(
        item,
        transaction("t1", date(2026, 2, 5), "17.99"),
        transaction("t2", date(2026, 3, 5), "17.99"),
        transaction("t3", date(2026, 3, 9), "-17.99"),
    )
    back = payloads.StreamAmount(Decimal("-17.99"), "USD")
    sent = stream("s", "t1", "t2", "t3", last_amount=back, last_date=date(2026, 3, 9))
    save_answer(item, sent)
    row = streams_of(owner)["s"]
    assert (row.last_amount, row.changed_on, row.paid) == (Decimal("17.99"), None, 3)


def test_the_streams_of_a_closed_account_are_over(owner, item, save_answer):
    save_answer(item, stream())
    assert not streams_of(owner)["s"].is_over
    accounts.close_missing(item.id, [])
    db.session.commit()
    assert streams_of(owner)["s"].is_over


def test_a_second_answer_updates_the_same_rows(owner, item, save_answer):
    save_answer(item, stream("s", "t1", "t2"))
    first = streams_of(owner)["s"].id
    save_answer(item, stream("s", "t2", "t3", amount="19.99", status="UNKNOWN"))
    row = streams_of(owner)["s"]
    assert (row.id, row.last_amount, row.status) == (first, Decimal("19.99"), "UNKNOWN")
    linked = db.session.scalars(db.select(Payment.plaid_transaction_id)).all()
    assert sorted(linked) == ["t2", "t3"]


def test_a_missing_stream_is_marked_and_can_come_back(owner, item, save_answer):
    save_answer(item, stream("s", "t1"), stream("other"))
    save_answer(item, stream("other"))
    rows = streams_of(owner)
    assert (rows["s"].vanished_at is not None, rows["s"].is_over) == (True, True)
    assert (rows["other"].vanished_at, rows["other"].is_over) == (None, False)
    assert rows["s"].paid == 1
    save_answer(item, stream("s", "t1"))
    assert streams_of(owner)["s"].vanished_at is None


def test_another_items_streams_do_not_change(owner, item, another_item, save_answer):
    save_answer(item, stream("s"))
    save_answer(another_item, stream("s"))
    save_answer(another_item)
    assert sorted(row.is_over for row in recurring_streams.of_user(owner)) == [False, True]


def test_streams_of_accounts_that_are_not_shared_are_left_out(owner, item, save_answer):
    assert save_answer(item, stream("s", account_id="unknown")) == 0
    assert streams_of(owner) == {}


def test_a_stranger_sees_nothing(item, save_answer):
    save_answer(item, stream("s"))
    stranger = add("charlie", "charlie@example.com", "no hash")
    db.session.commit()
    assert recurring_streams.of_user(stranger.id) == []


def test_the_next_expected_payment_comes_first(owner, item, save_answer):
    save_answer(
        item,
        stream("never", predicted_next_date=None),
        stream("late", predicted_next_date=date(2026, 5, 1)),
        stream("soon", predicted_next_date=date(2026, 4, 1)),
    )
    assert list(streams_of(owner)) == ["soon", "late", "never"]


@pytest.mark.parametrize(
    ("fields", "over"),
    [
        ({}, False),
        ({"status": "EARLY_DETECTION"}, False),
        ({"is_active": False}, True),
        ({"status": "TOMBSTONED"}, True),
    ],
)
def test_a_stream_that_is_over(owner, item, save_answer, fields, over):
    save_answer(item, stream("s", **fields))
    assert streams_of(owner)["s"].is_over is over


@pytest.mark.parametrize(
    ("primary", "detailed", "transfer"),
    [
        ("TRANSFER_OUT", "TRANSFER_OUT_SAVINGS", True),
        ("LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", True),
        ("LOAN_PAYMENTS", "LOAN_PAYMENTS_STUDENT_LOAN_PAYMENT", False),
        ("INCOME", "INCOME_WAGES", False),
    ],
)
def test_a_stream_that_is_a_transfer(owner, item, save_answer, primary, detailed, transfer):
    save_answer(item, stream("s", category=payloads.Category(primary, detailed)))
    assert streams_of(owner)["s"].is_transfer is transfer


# --- Changes of the amount


def paid(*amounts):
    return [
        (DAY + timedelta(days=30 * number), Decimal(amount))
        for number, amount in enumerate(amounts)
    ]


@pytest.mark.parametrize(
    ("amounts", "frequency", "expected"),
    [
        (["5", "5", "6"], "MONTHLY", ("5", 2)),
        (["5", "5", "6", "6"], "MONTHLY", ("5", 2)),
        (["4", "4", "5", "5", "6"], "MONTHLY", ("5", 4)),
        (["-100", "-100", "-110"], "SEMI_MONTHLY", ("-100", 2)),
        (["5", "5", "5"], "MONTHLY", None),
        (["5", "6"], "MONTHLY", None),  # no amount was steady before
        (["62", "140", "99", "164"], "MONTHLY", None),
        (["62", "140", "99", "99", "164"], "MONTHLY", None),  # equal by chance
        (["119", "139"], "ANNUALLY", ("119", 1)),
        (["5"], "MONTHLY", None),
        ([], "MONTHLY", None),
    ],
)
def test_a_price_change_needs_a_steady_amount_before(amounts, frequency, expected):
    rows = paid(*amounts)
    wanted = expected and (Decimal(expected[0]), rows[expected[1]][0])
    assert price_change(rows, is_annual=frequency == "ANNUALLY") == wanted


def test_the_change_is_computed_from_stored_transactions(
    owner, item, save_answer, save, transaction
):
    days = [date(2026, 1, 5), date(2026, 2, 5), DAY]
    amounts = ["15.49", "15.49", "17.99"]
    rows = zip(("t1", "t2", "t3"), days, amounts, strict=True)
    save(item, *(transaction(*row) for row in rows))
    save_answer(item, stream("s", "t1", "t2", "t3"))
    row = streams_of(owner)["s"]
    assert (row.previous_amount, row.changed_on) == (Decimal("15.49"), DAY)


def test_the_last_amount_counts_for_a_payment_that_is_not_synced(
    owner, item, save_answer, save, transaction
):
    save(item, transaction("t1", date(2026, 1, 5), "15.49"))
    save(item, transaction("t2", date(2026, 2, 5), "15.49"))
    save_answer(item, stream("s", "t1", "t2", "t3"))
    row = streams_of(owner)["s"]
    assert (row.previous_amount, row.changed_on, row.paid) == (Decimal("15.49"), DAY, 3)


def test_a_stored_payment_counts_more_than_the_last_amount(
    owner, item, save_answer, save, transaction
):
    days = {"t1": date(2026, 1, 5), "t2": date(2026, 2, 5), "t3": DAY}
    save(item, *(transaction(name, day, "15.49") for name, day in days.items()))
    save_answer(item, stream("s", *days, amount="17.99"))
    row = streams_of(owner)["s"]
    assert (row.previous_amount, row.changed_on) == (None, None)


def test_a_change_that_turns_out_to_be_none_is_deleted(owner, item, save_answer, save, transaction):
    save(item, transaction("t1", date(2026, 1, 5), "15.49"))
    save(item, transaction("t2", date(2026, 2, 5), "15.49"))
    save_answer(item, stream("s", "t1", "t2", "t3"))
    save(item, transaction("t3", DAY, "15.49"))
    save_answer(item, stream("s", "t1", "t2", "t3", amount="15.49"))
    row = streams_of(owner)["s"]
    assert (row.previous_amount, row.changed_on) == (None, None)


def hide(*transaction_ids, hidden=True):
    named = Transaction.plaid_transaction_id.in_(transaction_ids)
    db.session.execute(update(Transaction).where(named).values(hidden=hidden))
    db.session.commit()


def test_a_stream_is_not_listed_while_all_its_payments_are_hidden(
    owner, item, another_item, save_answer, save, transaction
):
    save(item, transaction("t1"), transaction("t2"), transaction("t3"))
    save_answer(item, stream("s", "t1", "t2", "not synced yet"), stream("other", "t3"))
    save(another_item, transaction("t1"))  # another bank may use the same id
    hide("t1")
    assert streams_of(owner).keys() == {"s", "other"}
    hide("t2")
    assert streams_of(owner).keys() == {"other"}
    hide("t1", hidden=False)
    assert streams_of(owner).keys() == {"s", "other"}


def test_removed_payments_do_not_keep_a_stream_listed(owner, item, save_answer, save, transaction):
    save(item, transaction("t1"), transaction("t2"))
    save_answer(item, stream("s", "t1", "t2"))
    item_rows.mark_removed(item.id, ["t1"])
    hide("t2")
    assert streams_of(owner) == {}


def test_streams_of_an_account_that_has_moved_to_another_item_are_not_listed(
    owner, item, another_item, account, save_answer
):
    accounts.save(owner, item.id, [account("b")])
    save_answer(item, stream("moved"), stream("stays", account_id="b"))
    moved = update(Account).where(Account.item_id == item.id, Account.plaid_account_id == "a")
    db.session.execute(moved.values(item_id=another_item.id, plaid_account_id="new"))
    db.session.commit()
    assert streams_of(owner).keys() == {"stays"}


def test_streams_are_deleted_with_their_item(item, save_answer):
    save_answer(item, stream("s", "t1"))
    db.session.execute(db.delete(type(item)).where(type(item).id == item.id))
    db.session.commit()
    assert db.session.query(Stream).count() == db.session.query(Payment).count() == 0


# --- When to ask


def state(item, **values):
    db.session.execute(db.update(type(item)).where(type(item).id == item.id).values(**values))
    db.session.commit()


HOUR, TWO_DAYS = timedelta(hours=1), timedelta(days=2)


@pytest.mark.parametrize(
    ("status", "read", "changed", "due"),
    [
        ("HISTORICAL_UPDATE_COMPLETE", None, None, True),
        ("INITIAL_UPDATE_COMPLETE", None, None, False),
        ("HISTORICAL_UPDATE_COMPLETE", HOUR, timedelta(0), False),  # once a day is enough
        ("HISTORICAL_UPDATE_COMPLETE", TWO_DAYS, HOUR, True),
        ("HISTORICAL_UPDATE_COMPLETE", TWO_DAYS, timedelta(days=3), False),
        ("HISTORICAL_UPDATE_COMPLETE", TWO_DAYS, None, False),
    ],
)
def test_when_recurring_payments_are_due(item, status, read, changed, due):
    moment = now()
    state(
        item,
        update_status=status,
        streams_at=read and moment - read,
        changed_at=None if changed is None else moment - changed,
    )
    assert stream_times.are_due(item) is due


def test_an_older_answer_is_refused(item):
    moment = now()
    assert stream_times.read(item.id, moment, None)
    assert not stream_times.read(item.id, moment - HOUR, None)
    assert stream_times.read(item.id, moment + HOUR, "PRODUCTS_NOT_SUPPORTED")
    db.session.commit()
    assert [one.id for one in recurring_streams.refusing_items(item.user_id)] == [item.id]


@pytest.fixture
def plans(owner):
    """What SQLite does for each query of payments."""
    found = []

    def explain(_connection, cursor, statement, parameters, *_):
        if "recurring_payment" in statement and not statement.startswith(("INSERT", "DELETE")):
            rows = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.append([step for *_, step in rows])

    event.listen(db.engine, "before_cursor_execute", explain)
    yield found
    event.remove(db.engine, "before_cursor_execute", explain)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_rows_of_payments_are_found_by_their_ids(owner, item, save_answer, plans):
    """Not among all rows of the Item, of which there may be a million."""
    save_answer(item, stream("s", "t1"))
    (row,) = streams_of(owner).values()
    recurring_streams.payments(row, 5)
    since(owner, DAY)
    steps = [step for plan in plans for step in plan if step.startswith(("SEARCH t", "SCAN t"))]
    assert len(steps) >= 5
    assert all("plaid_transaction_id=?" in step for step in steps), steps
