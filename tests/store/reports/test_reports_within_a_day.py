"""A bank reports at any hour: rows of that day, and late ones of days before, may post after it."""

import random
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import count

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Account, Balance, Transaction
from plaidapp.store.base import types
from plaidapp.store.connections import balances
from plaidapp.store.reports import balance_history, balance_lines, derived, running_balances
from tests.store.reports.conftest import DAY, TODAY

FARE = "2.90"


def ends_of(account_id, days):
    """The balance at the end of each day, as pages read it."""
    line = balance_lines.line(account_id, days[0], days[-1])
    return line.at(days)


def reported(account_id):
    query = select(Balance).where(Balance.account_id == account_id, Balance.source == balances.BANK)
    stored = db.session.scalars(query.execution_options(populate_existing=True))
    return {row.date: row.said for row in stored}


@pytest.mark.parametrize(("key", "sign"), [("a", 1), ("b", -1)])
def test_a_row_that_posts_after_the_report_of_its_day_is_no_step(
    bank_update, transaction, clock, key, sign
):
    bank_update(**{key: "100"})
    clock.day += DAY
    after = 100 - sign * Decimal(30)
    ids = bank_update([transaction("t", TODAY, "30", account_id=key)], **{key: str(after)})

    assert ends_of(ids[key], [TODAY - DAY, TODAY, TODAY + DAY]) == [100, after, after]
    assert reported(ids[key]) == {TODAY: 100, TODAY + DAY: after}
    (row,) = running_rows(ids[key])
    assert row == (sign * after, {})
    assert balance_history.wrong(ids.values()) == set()


def running_rows(account_id):
    """The balance after each row of an account, with the steps that no row explains."""
    account = db.session.get_one(Account, account_id)
    shown = Transaction.account_id == account_id, Transaction.removed_at.is_(None)
    query = select(Transaction).where(*shown)
    rows = db.session.scalars(query.order_by(Transaction.date.desc(), Transaction.id.desc())).all()
    found = running_balances.running(account, rows, None, is_first=True)
    return [(found.after[row.id], found.steps) for row in rows]


def test_the_same_fare_every_afternoon_after_a_report_every_morning(
    bank_update, transaction, clock
):
    fare, left = Decimal(FARE), Decimal(100)
    ids = bank_update(a=str(left))
    for number in range(9):
        sent = [transaction(f"t{number}", clock.day, FARE)]
        clock.day += DAY
        left -= fare
        bank_update(sent, a=str(left))

    days = [TODAY + number * DAY for number in range(10)]
    ends = [100 - fare * min(number + 1, 9) for number in range(10)]
    assert ends_of(ids["a"], days) == ends
    assert all(not steps for _, steps in running_rows(ids["a"]))


def test_the_bank_dates_a_row_a_day_ahead_and_counts_it_already(bank_update, transaction, clock):
    """It is tomorrow already where the bank is."""
    bank_update([transaction("t1", TODAY + DAY, "30")], a="70")
    clock.day += DAY
    ids = bank_update([transaction("t2", TODAY + DAY, "5")], a="65")

    assert ends_of(ids["a"], [TODAY, TODAY + DAY]) == [100, 65]
    assert reported(ids["a"]) == {TODAY: 70, TODAY + DAY: 65}


def test_what_no_row_explains_stays_a_step(bank_update, transaction, clock):
    bank_update([transaction("t1", TODAY, "4")], a="100")
    clock.day += DAY
    ids = bank_update([transaction("t2", TODAY, "30")], a="77")

    assert ends_of(ids["a"], [TODAY - DAY, TODAY, TODAY + DAY]) == [134, 100, 77]
    assert reported(ids["a"]) == {TODAY: 100, TODAY + DAY: 77}


def test_a_step_leaves_earlier_reports_explained(bank_update, transaction, clock):
    """The report before a step stands where the ones before it agree with it."""
    bank_update(a="100")
    for amount, current in (("10", "90"), ("20", "70"), ("40", "25")):  # 5 went nowhere
        sent = [transaction(amount, clock.day, amount)]
        clock.day += DAY
        ids = bank_update(sent, a=current)

    days = [TODAY + number * DAY for number in range(-1, 4)]
    assert ends_of(ids["a"], days) == [100, 90, 70, 30, 25]
    derived.rebuild([ids["a"]])
    assert ends_of(ids["a"], days) == [100, 90, 70, 30, 25]


def test_a_report_replaces_what_rows_made_of_the_one_before(bank_update, transaction, clock):
    bank_update(a="100")
    clock.day += DAY
    bank_update([transaction("t", TODAY, "30")], a="70")
    ids = bank_update(removed=["t"], a="100")

    assert ends_of(ids["a"], [TODAY - DAY, TODAY, TODAY + DAY]) == [100, 100, 100]
    assert reported(ids["a"]) == {TODAY: 100, TODAY + DAY: 100}


@pytest.mark.parametrize(("key", "sign"), [("a", 1), ("b", -1)])
def test_a_posted_row_that_the_bank_removes_later_is_no_step(
    bank_update, transaction, clock, key, sign
):
    """Reports counted it until then. It is no longer shown, and neither is what it did."""
    bank_update(**{key: "100"})
    with_row = str(100 - sign * Decimal(30))
    for _ in range(12):
        clock.day += DAY
        bank_update([transaction("t", TODAY + DAY, "30", account_id=key)], **{key: with_row})
    clock.day += DAY
    bank_update(**{key: "100"})  # before the sync, and on the day after it
    ids = bank_update(removed=["t"])
    clock.day += DAY
    bank_update(**{key: "100"})

    days = [TODAY + number * DAY for number in range(15)]
    assert set(ends_of(ids[key], days)) == {Decimal(100)}
    assert set(reported(ids[key]).values()) == {Decimal(100), Decimal(with_row)}
    assert balance_history.wrong(ids.values()) == set()
    derived.rebuild([ids[key]])
    assert set(ends_of(ids[key], days)) == {Decimal(100)}


class Bank:
    """Rows that post at random hours, some late or a day ahead, and syncs at random hours. The bank
    removes a few rows again.

    The amounts are few, so that sums of different rows are often equal.
    """

    def __init__(self, seed, transaction):
        self.dice = random.Random(seed)
        self.transaction = transaction
        self.left = {"a": Decimal(1000), "b": Decimal(200)}
        self.posted = []
        self.unread = []
        self.gone = []
        self.number = count()

    def remove(self):
        """The next sync finds out."""
        row = self.dice.choice([row for row in self.posted if row not in self.unread])
        self.posted.remove(row)
        self.left[row.account_id] += row.amount if row.account_id == "a" else -row.amount
        self.gone.append(row.transaction_id)

    def post(self, moment, key):
        dice = self.dice
        day = moment.date() - dice.choice((0, 0, 0, 0, 1, 2, 2, -1)) * DAY
        amount = dice.choice((FARE, FARE, "5.80", "-2.90", "40", "-1200", "0"))
        row = self.transaction(f"t{next(self.number)}", day, amount, account_id=key)
        self.left[key] -= row.amount if key == "a" else -row.amount
        self.posted.append(row)
        self.unread.append(row)

    def true_end(self, key, day):
        sign = 1 if key == "a" else -1
        later = (row.amount for row in self.posted if row.account_id == key and row.date > day)
        return self.left[key] + sign * sum(later, Decimal(0))


@pytest.mark.parametrize("seed", range(3))
def test_rows_explain_every_report_of_a_bank_whose_balances_fit_its_rows(
    bank_update, transaction, monkeypatch, seed
):
    bank = Bank(seed, transaction)
    dice, said, ids = bank.dice, {}, {}
    moment = datetime.combine(TODAY, time(0), UTC)
    monkeypatch.setattr(types, "read_clock", lambda: moment)
    for _ in range(60):
        moment += timedelta(hours=dice.randint(1, 14))
        for _ in range(dice.choice((0, 1, 1, 2, 3))):
            bank.post(moment, dice.choice("aab"))
        if len(bank.posted) > 20 and not bank.gone and dice.random() < 0.1:
            bank.remove()
        if dice.random() < 0.6:
            sent, bank.unread = bank.unread, []
            if dice.random() < 0.3:  # what the bank counts already is sent with the next sync
                sent, bank.unread = [], sent
            gone, bank.gone = bank.gone, []
            ids = bank_update(sent, gone, **{key: str(left) for key, left in bank.left.items()})
            said |= {(key, moment.date()): left for key, left in bank.left.items()}
    moment += 2 * DAY  # no row is dated ahead anymore
    left = {key: str(left) for key, left in bank.left.items()}
    ids = bank_update(bank.unread, bank.gone, **left)
    said |= {(key, moment.date()): left for key, left in bank.left.items()}

    days = [TODAY + number * DAY for number in range((moment.date() - TODAY).days + 1)]
    for key, account_id in ids.items():
        assert ends_of(account_id, days) == [bank.true_end(key, day) for day in days]
        assert reported(account_id) == {day: left for (of, day), left in said.items() if of == key}
        assert all(not steps for _, steps in running_rows(account_id))
    assert balance_history.wrong(ids.values()) == set()
