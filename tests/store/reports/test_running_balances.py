"""The balance after each row of an account's list, page by page."""

import os
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Account, Transaction
from plaidapp.store.connections import balances
from plaidapp.store.reports.running_balances import Running, counts, running
from plaidapp.store.transactions import reader
from plaidapp.store.transactions.filters import Filter

TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)
HISTORIES = 300 if os.environ.get("CHAOS") == "long" else 5


@pytest.fixture
def statement(owner):
    """Read an account's rows, newest first, with the balance after each, in pages of any size."""

    def read(account_id, size=50):
        account = db.session.get_one(Account, account_id)
        wanted = Filter(owner, account_ids=(account_id,), hidden="any")
        rows, after, steps, opening, place = [], {}, {}, None, None
        while page := reader.page(wanted, size + 1, place):
            shown, below = page[:size], page[size] if len(page) > size else None
            part = running(account, shown, below, is_first=place is None)
            rows += shown
            after |= part.after
            steps |= part.steps
            opening = part.opening
            place = reader.place_of(shown[-1], "date")
        return rows, Running(after, steps, opening)

    return read


def of_rows(rows, part):
    """The rows' ids with the balance after each; None where it is not known."""
    return [(row.plaid_transaction_id, part.after.get(row.id)) for row in rows]


def test_each_row_has_the_balance_after_it(bank_update, statement, transaction):
    ids = bank_update(
        [
            transaction("coffee", TODAY, "3"),
            transaction("wages", TODAY - DAY, "-50"),
            transaction("rent", TODAY - DAY, "70"),
            transaction("old", TODAY - 9 * DAY, "10"),
        ],
        a="100",
    )
    rows, part = statement(ids["a"])
    assert of_rows(rows, part) == [
        ("coffee", Decimal(100)),
        ("rent", Decimal(103)),
        ("wages", Decimal(173)),
        ("old", Decimal(123)),
    ]
    assert (part.steps, part.opening) == ({}, Decimal(133))


def test_what_is_owed_is_negative(bank_update, statement, transaction):
    ids = bank_update(
        [
            transaction("lunch", TODAY, "30", account_id="b"),
            transaction("payment", TODAY - DAY, "-200", account_id="b"),
        ],
        b="410",
    )
    rows, part = statement(ids["b"])
    assert of_rows(rows, part) == [("lunch", Decimal(-410)), ("payment", Decimal(-380))]
    assert part.opening == Decimal(-580)


def test_rows_that_the_balance_leaves_out_have_none(bank_update, statement, transaction):
    ids = bank_update(
        [
            transaction("pending", TODAY, "4", pending=True),
            transaction("posted", TODAY, "2"),
            transaction("euros", TODAY - DAY, "16", iso_currency_code="EUR"),
            transaction("older", TODAY - DAY, "1", iso_currency_code="USD"),
            transaction("ahead", TODAY + DAY, "32"),
        ],
        a="100",
    )
    rows, part = statement(ids["a"])
    known = {"posted": Decimal(100), "older": Decimal(102)}
    named = [row.plaid_transaction_id for row in rows]
    assert of_rows(rows, part) == [(name, known.get(name)) for name in named]
    assert part.steps == {}


def test_a_change_that_no_row_explains_is_a_step(bank_update, statement, transaction, clock):
    bank_update([transaction("old", TODAY, "7")], a="100")
    clock.day += 5 * DAY
    ids = bank_update([transaction("new", TODAY + 3 * DAY, "10")], a="85")
    clock.day += DAY
    bank_update(a="73")
    for size in (1, 2, 50):
        rows, part = statement(ids["a"], size)
        new, old = rows
        assert of_rows(rows, part) == [("new", Decimal(85)), ("old", Decimal(100))]
        # 12 went after the newest row, 5 between the two.
        assert part.steps == {new.id: Decimal(-12), old.id: Decimal(-5)}


def test_what_loans_hold_is_not_the_sum_of_their_rows(bank_update, statement, transaction):
    ids = bank_update([transaction("t", TODAY, "7", account_id="c")], c="100")
    assert statement(ids["c"])[1] == Running()


def test_an_account_that_never_had_a_balance_has_none(bank_update, statement, transaction):
    ids = bank_update([transaction("t", TODAY, "7")], a="100")
    db.session.execute(balances.TABLE.delete())
    assert statement(ids["a"])[1] == Running()


ages = st.integers(0, 6)
cents = st.integers(-500, 500)
history = st.lists(
    st.tuples(ages, cents, st.sampled_from(["posted", "posted", "posted", "pending", "EUR"])),
    min_size=1,
    max_size=12,
)


@settings(
    max_examples=HISTORIES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sent=history, reports=st.dictionaries(ages, cents), key=st.sampled_from("ab"))
def test_the_balance_before_a_row_and_the_row_make_the_balance_after_it(
    bank_update, statement, transaction, clock, sent, reports, key
):
    db.session.execute(db.delete(Transaction))
    db.session.execute(balances.TABLE.delete())
    clock.day = TODAY - 7 * DAY
    ids = bank_update(**{key: "0"})
    for age in sorted(reports, reverse=True):
        clock.day = TODAY - age * DAY
        bank_update(**{key: str(Decimal(reports[age]) / 100)})
    clock.day = TODAY
    rows = [
        transaction(
            f"t{number}",
            TODAY - age * DAY,
            str(Decimal(amount) / 100),
            account_id=key,
            pending=kind == "pending",
            iso_currency_code="EUR" if kind == "EUR" else "USD",
        )
        for number, (age, amount, kind) in enumerate(sent)
    ]
    bank_update(rows, **{key: "12.34"})
    account = db.session.get_one(Account, ids[key])
    whole = statement(account.id)
    for size in (1, 3):
        rows, part = statement(account.id, size)
        assert (rows, part) == whole, "pages make no difference"
    rows, part = whole
    balance = Decimal("-12.34") if account.is_debt else Decimal("12.34")
    for row in rows:
        balance -= part.steps.get(row.id, 0)
        if counts(account, row):
            assert part.after[row.id] == balance
            balance += row.amount
    assert part.opening == balance
    stored = db.session.execute(select(balances.Balance.date, balances.Balance.current)).all()
    closing = dict(tuple(each) for each in stored)
    for row in reversed(rows):
        if row.date in closing and row.id in part.after:
            closing[row.date] = -part.after[row.id] if account.is_debt else part.after[row.id]
    assert closing == dict(tuple(each) for each in stored), "each day ends with its balance"
