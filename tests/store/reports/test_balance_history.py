"""Balances by day: reported, computed, and updated when rows change."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.store import MonthlyTotal, Transaction
from plaidapp.store.connections import accounts, balances
from plaidapp.store.reports import balance_history, balance_lines, derived
from plaidapp.store.transactions import filter_totals, monthly_refresh, monthly_totals
from plaidapp.store.transactions.filters import Filter

TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)
ALL_TYPES = ("depository", "credit", "loan")


def test_a_days_balance_is_the_last_that_the_bank_reported(bank_update, rows_of, clock):
    ids = bank_update(a="110", c="5000")
    assert rows_of(ids["a"], balances.BANK) == [(TODAY, Decimal(110))]
    bank_update(a="120")
    clock.day += DAY
    bank_update(a="90")
    assert rows_of(ids["a"]) == [(TODAY, Decimal(120)), (TODAY + DAY, Decimal(90))]
    assert rows_of(ids["c"]) == [(TODAY, Decimal(5000))]


def test_save_returns_only_balances_that_changed(owner, item, account, clock):
    listed = [account("a", balances={"current": Decimal("1.5")}), account("b")]
    ids, first = accounts.save(owner, item.id, listed)
    assert ids == accounts.ids_of_item(item.id)
    assert first == {(ids["a"], TODAY), (ids["b"], TODAY)}
    assert accounts.save(owner, item.id, listed).reported_days == set()
    listed[0] = account("a", balances={"current": Decimal("1.50000001")})
    assert accounts.save(owner, item.id, listed).reported_days == {(ids["a"], TODAY)}


def test_no_balance_is_stored_if_the_bank_reports_none(bank_update, rows_of, owner, item, account):
    accounts.save(owner, item.id, [account("a", balances={"current": None})])
    assert rows_of(accounts.ids_of_item(item.id)["a"]) == []


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        # 100 today. 30 went out yesterday, 5 came in the day before.
        ("a", {0: "100", 1: "100", 2: "130", 3: "125"}),
        # Owed: 100 today, 30 less before the purchase, 5 more before the payment.
        ("b", {0: "100", 1: "100", 2: "70", 3: "75"}),
        ("c", {0: "100"}),
    ],
)
def test_days_before_the_reported_balance_are_computed(
    bank_update, rows_of, transaction, key, expected
):
    ids = bank_update(
        [
            transaction("out", TODAY - DAY, "30", account_id=key),
            transaction("in", TODAY - 2 * DAY, "-5", account_id=key),
        ],
        **{key: "100"},
    )
    steps = {TODAY - age * DAY: Decimal(value) for age, value in expected.items() if age != 0}
    steps[TODAY] = Decimal(expected[0])
    assert dict(rows_of(ids[key])) == steps


def test_rows_that_moved_no_money_of_the_account_do_not_count(bank_update, rows_of, transaction):
    ids = bank_update(
        [
            transaction("pending", TODAY - DAY, "4", pending=True),
            transaction("gone", TODAY - DAY, "8"),
            transaction("euros", TODAY - DAY, "16", iso_currency_code="EUR"),
            transaction("future", TODAY + DAY, "32"),
        ],
        ["gone"],
        a="100",
    )
    assert rows_of(ids["a"]) == [(TODAY, Decimal(100))]


def test_a_hidden_row_still_counts_for_the_balance(bank_update, rows_of, transaction):
    ids = bank_update([transaction("t", TODAY - DAY, "4", iso_currency_code="USD")], a="100")
    before = rows_of(ids["a"])
    db.session.execute(update(Transaction).values(hidden=True))
    derived.rebuild(list(ids.values()))
    assert rows_of(ids["a"]) == before != []


def test_days_between_two_reports_follow_from_the_later_one(
    bank_update, rows_of, transaction, clock
):
    ids = bank_update([transaction("old", TODAY - 3 * DAY, "7")], a="100")
    clock.day += 5 * DAY
    bank_update([transaction("new", TODAY + 3 * DAY, "10")], a="85")
    assert rows_of(ids["a"]) == [
        (TODAY - 4 * DAY, Decimal(107)),
        (TODAY - 3 * DAY, Decimal(100)),
        (TODAY, Decimal(100)),
        # 5 are missing, and nobody knows since when: the step shows after the older report.
        (TODAY + DAY, Decimal(95)),
        (TODAY + 3 * DAY, Decimal(85)),
        (TODAY + 5 * DAY, Decimal(85)),
    ]


def test_sums_beyond_64_bits_are_exact(owner, bank_update, rows_of, transaction):
    most = Decimal(92_000_000_000)
    ids = bank_update(
        [
            transaction("t1", TODAY, str(most)),
            transaction("t2", TODAY, str(most)),
            transaction("t3", TODAY - DAY, str(most)),
            transaction("t4", TODAY - DAY, "-0.00000001"),
        ],
        a=str(-most),
        b=str(most),
    )
    smallest = Decimal("0.00000001")
    assert rows_of(ids["a"], balances.COMPUTED) == [
        (TODAY - 2 * DAY, 2 * most - smallest),
        (TODAY - DAY, most),
    ]
    (total,) = monthly_totals.monthly(owner, date(2026, 3, 1), ALL_TYPES)
    assert (total.money_out, total.money_in) == (3 * most, smallest)
    assert balance_history.wrong(ids.values()) == monthly_refresh.wrong(ids.values()) == set()
    (of_rows,) = filter_totals.tally(Filter(owner, smallest=smallest), 100).sums
    (of_months,) = filter_totals.tally(Filter(owner), 100).sums
    assert of_rows == of_months == (None, smallest, 3 * most)
    line = balance_lines.lines(owner, TODAY - 2 * DAY, TODAY)[ids["a"]]
    days = [TODAY - age * DAY for age in (3, 2, 1, 0)]
    assert line.at(days) == [2 * most - smallest, 2 * most - smallest, most, -most]


def test_a_sum_that_fits_again_loses_its_second_column(bank_update, rows_of, transaction):
    most, half = Decimal(92_000_000_000), Decimal(46_000_000_000)
    for amount in (most, half):
        ids = bank_update([transaction("t", TODAY, str(amount))], a="46000000000")
        assert rows_of(ids["a"], balances.COMPUTED) == [(TODAY - DAY, half + amount)]
        (total,) = monthly_totals.monthly(1, date(2026, 3, 1), ALL_TYPES)
        assert total.money_out == amount


@pytest.mark.parametrize("later", [date(2026, 1, 20), date(2026, 3, 2)])
def test_a_row_that_moves_to_another_month_updates_both(bank_update, rows_of, transaction, later):
    first = date(2026, 2, 10)
    ids = bank_update([transaction("t", first, "10")], a="100")
    bank_update([transaction("t", later, "10")], a="100")
    assert balance_history.wrong(ids.values()) == monthly_refresh.wrong(ids.values()) == set()
    assert rows_of(ids["a"], balances.COMPUTED) == [
        (later - DAY, Decimal(110)),
        (later, Decimal(100)),
    ]
    assert months_of(ids["a"]) == [later.replace(day=1)]


def test_a_row_that_moves_to_another_account_updates_both(bank_update, rows_of, transaction):
    day = TODAY - 5 * DAY
    ids = bank_update([transaction("t", day, "10", account_id="a")], a="100", b="50")
    bank_update([transaction("t", day, "10", account_id="b")], a="100", b="50")
    assert balance_history.wrong(ids.values()) == monthly_refresh.wrong(ids.values()) == set()
    assert rows_of(ids["a"], balances.COMPUTED) == []
    assert rows_of(ids["b"], balances.COMPUTED) == [(day - DAY, Decimal(40)), (day, Decimal(50))]
    assert (months_of(ids["a"]), months_of(ids["b"])) == ([], [day.replace(day=1)])


def test_another_reported_balance_updates_the_days_before(bank_update, rows_of, transaction):
    day = TODAY - 5 * DAY
    ids = bank_update([transaction("t", day, "10")], a="100")
    bank_update(a="200")
    assert rows_of(ids["a"], balances.COMPUTED) == [(day - DAY, Decimal(210)), (day, Decimal(200))]


def test_rows_before_and_after_a_report_change_in_one_update(bank_update, transaction, clock):
    bank_update(a="100")
    clock.day += 5 * DAY
    early, late = TODAY - 3 * DAY, TODAY + 2 * DAY
    ids = bank_update([transaction("t1", early), transaction("t2", late)], a="100")
    assert balance_history.wrong(ids.values()) == set()


def test_only_the_months_of_changed_rows_are_added_up_again(bank_update, transaction):
    january, march = date(2026, 1, 20), date(2026, 3, 2)
    ids = bank_update([transaction("old", january), transaction("new", march)], a="100")
    db.session.execute(update(MonthlyTotal).values(count=7))
    db.session.commit()
    bank_update([transaction("new", march, "2")], a="100")
    assert monthly_refresh.wrong(ids.values()) == {(ids["a"], january.replace(day=1))}


def months_of(account_id):
    query = select(MonthlyTotal.month).where(MonthlyTotal.account_id == account_id)
    return list(db.session.scalars(query.order_by(MonthlyTotal.month)))
