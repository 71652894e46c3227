"""Exact money and moments in UTC, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from plaidapp.bank.amounts import LARGEST
from plaidapp.extensions import db
from plaidapp.store import Account, Item, Transaction
from plaidapp.store.base.types import exact, now


def amounts(*conditions):
    query = select(Transaction.amount).where(*conditions).order_by(Transaction.id)
    return db.session.scalars(query).all()


@pytest.mark.parametrize(
    "digits",
    [
        "0",
        "23631.9805",
        "-23631.9805",
        "1234.1234567",
        "0.00000001",
        "-0.00000001",
        "12345678901.12345678",
        str(LARGEST),
        str(-LARGEST),
        "1E+3",
    ],
)
def test_an_amount_is_read_as_it_was_stored(item, save, transaction, digits):
    save(item, transaction("t", amount=digits))
    assert amounts() == [Decimal(digits)]


@pytest.mark.parametrize(
    ("digits", "total"),
    [
        (["0.1", "0.2"], "0.3"),
        (["0.1"] * 10, "1"),
        (["90000000000.00000001", "-90000000000", "0.00000001"], "0.00000002"),
        (["-7500", "7500"], "0"),
    ],
)
def test_sums_in_sql_are_exact(item, save, transaction, digits, total):
    save(item, *(transaction(f"t{n}", amount=one) for n, one in enumerate(digits)))
    assert db.session.scalar(select(func.sum(Transaction.amount))) == Decimal(total)


def test_comparisons_in_sql_are_exact(item, save, transaction):
    save(item, transaction("a", amount="0.3"), transaction("b", amount="0.30000001"))
    assert amounts(Transaction.amount > Decimal("0.3")) == [Decimal("0.30000001")]
    assert amounts(Transaction.amount == Decimal("0.3")) == [Decimal("0.3")]


def test_amounts_are_ordered_as_numbers(item, save, transaction):
    digits = ["9", "-10", "10", "-9", "100"]
    save(item, *(transaction(f"t{n}", amount=one) for n, one in enumerate(digits)))
    ordered = db.session.scalars(select(Transaction.amount).order_by(Transaction.amount)).all()
    assert ordered == [-10, -9, 9, 10, 100]


def test_a_missing_balance_is_not_zero(item):
    available, current = db.session.execute(select(Account.available, Account.current)).one()
    assert (available, current) == (None, 1)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("42", "42"),
        ("7.50", "7.5"),
        ("-7500", "-7500"),
        ("0", "0"),
        ("0.00000000", "0"),
        ("1E+3", "1000"),
        ("0.00000001", "0.00000001"),
        ("1E-8", "0.00000001"),
        ("100", "100"),
        ("100.00000000", "100"),
        ("-0.5", "-0.5"),
        ("23631.98050000", "23631.9805"),
        ("92000000000.12345678", "92000000000.12345678"),
    ],
)
def test_exact_returns_only_the_digits(amount, shown):
    assert exact(Decimal(amount)) == shown


def test_exact_of_none_is_none():
    assert exact(None) is None


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=timezone(timedelta(hours=-7))),
    ],
    ids=["utc", "elsewhere"],
)
def test_a_moment_is_read_with_its_zone_in_utc(item, moment):
    item.synced_at = moment
    db.session.commit()
    stored = db.session.scalar(select(Item.synced_at))
    assert stored == moment
    assert stored.utcoffset() == timedelta(0)


def test_sql_compares_moments_of_different_zones(item):
    item.synced_at = datetime(2026, 1, 1, 12, tzinfo=UTC)
    db.session.commit()
    later = datetime(2026, 1, 1, 8, tzinfo=timezone(timedelta(hours=-5)))
    assert db.session.scalar(select(Item.synced_at < later))


def test_now_is_in_utc():
    assert now().utcoffset() == timedelta(0)
