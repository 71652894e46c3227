"""Daily balances and monthly totals agree with a model in Python after random changes."""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, select, update

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.store import Balance, DetailedTotal, MonthlyTotal, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import balances
from plaidapp.store.reports import balance_history, derived
from plaidapp.store.transactions import (
    category_tree,
    detailed_backfill,
    detailed_totals,
    monthly_refresh,
    monthly_totals,
)

DAY = timedelta(days=1)
TYPES = {"a": "depository", "b": "credit", "c": "loan"}


def expected_balances(account_type, reported, rows):
    """Return the expected balance at the end of every day, from the day before the first row."""
    if account_type == "loan" or not reported:
        return dict(reported)
    sign = -1 if account_type == "credit" else 1
    posted = [(row["date"], row["amount"]) for row in rows if not row["pending"]]
    newest = max(reported)
    first = min([*reported, *(day - DAY for day, _ in posted)])
    ends = {}
    for number in range((newest - first).days + 1):
        day = first + number * DAY
        next_report = min(date for date in reported if date >= day)
        since = sum((amount for date, amount in posted if day < date <= next_report), Decimal(0))
        ends[day] = reported[next_report] + sign * since
    return ends


def by_day(steps):
    """Return the stored balances day by day."""
    ends, changes = {}, dict(steps)
    for number in range((steps[-1][0] - steps[0][0]).days + 1):
        day = steps[0][0] + number * DAY
        ends[day] = changes.get(day, ends.get(day - DAY))
    return ends


def expected_totals(rows):
    sums = defaultdict(lambda: [Decimal(0), Decimal(0), 0, 0])
    for row in rows:
        total = sums[row["date"].replace(day=1), row["category"], "USD"]
        if row["hidden"]:
            total[3] += 1
            continue
        total[row["amount"] > 0] += abs(row["amount"])
        total[2] += 1
    return {key: tuple(total) for key, total in sums.items()}


def expected_parts(rows):
    return expected_totals([row | {"category": row["detailed"]} for row in rows])


def stored_parts(account_id):
    return stored_totals(account_id, DetailedTotal, "detailed")


def stored_totals(account_id, model=MonthlyTotal, level="category"):
    query = select(model).where(model.account_id == account_id)
    return {
        (row.month, getattr(row, level), row.currency): (
            row.money_in,
            row.money_out,
            row.count,
            row.hidden,
        )
        for row in db.session.scalars(query.execution_options(populate_existing=True))
    }


CATEGORIES = ("FOOD_AND_DRINK", "TRAVEL", None)


class Life:
    """Random updates by a bank and edits by a person, and what should be stored after them."""

    def __init__(self, seed, transaction):
        self.dice = random.Random(seed)
        self.transaction = transaction
        self.rows = {}
        self.reported = {key: {} for key in TYPES}
        self.last = 0

    def send(self, plaid_id, today):
        dice = self.dice
        key = dice.choice("aabc")
        amount = Decimal(dice.randint(-(10**12), 10**12)).scaleb(-dice.choice((2, 8)))
        day = today - dice.randint(-1, 70) * DAY
        pending, category = dice.random() < 0.2, dice.choice(CATEGORIES)
        detailed = f"{category}_{'XY'[int(plaid_id[1:]) % 2]}" if category else "OTHER_OTHER"
        known = self.rows.get(plaid_id, {"hidden": False, "own": None})
        self.rows[plaid_id] = known | {
            "account": key,
            "date": day,
            "amount": amount,
            "pending": pending,
            "category": "MEDICAL" if known["own"] else category or "OTHER",
            "detailed": known["own"] or detailed,
            "removed": False,
        }
        named = category and {"primary": category, "detailed": detailed}
        return self.transaction(
            plaid_id,
            day,
            str(amount),
            account_id=key,
            pending=pending,
            iso_currency_code="USD",
            category=named and payloads.Category(**named),
        )

    def update(self, bank_update, clock):
        dice = self.dice
        if dice.random() < 0.6:
            clock.day += dice.randint(0, 3) * DAY
        new = [f"t{self.last + number}" for number in range(dice.randint(0, 8))]
        self.last += len(new)
        known = sorted(self.rows)
        again = dice.sample(known, min(len(known), dice.randint(0, 3)))
        gone = dice.sample(known, min(len(known), dice.randint(0, 2)))
        sent = [self.send(plaid_id, clock.day) for plaid_id in dict.fromkeys(new + again)]
        for plaid_id in gone:
            self.rows[plaid_id]["removed"] = True
        currents = {key: str(Decimal(dice.randint(-(10**7), 10**7)).scaleb(-2)) for key in TYPES}
        for key, current in currents.items():
            self.reported[key][clock.day] = Decimal(current)
        return bank_update(sent, gone, **currents)

    def edit(self):
        """Hide rows or change their category, as a person does."""
        known = sorted(plaid_id for plaid_id, row in self.rows.items() if not row["removed"])
        chosen = self.dice.sample(known, min(len(known), 3))
        query = select(Transaction.id).where(Transaction.plaid_transaction_id.in_(chosen))
        ids = db.session.scalars(query).all()
        hidden = self.dice.random() < 0.5
        own = "MEDICAL" if hidden else "MEDICAL_EYE_CARE"
        db.session.execute(
            update(Transaction)
            .where(Transaction.id.in_(ids))
            .values(hidden=hidden, edited_at=now(), **category_tree.chosen(own))
        )
        monthly_refresh.refresh_for(ids)
        db.session.commit()
        for plaid_id in chosen:
            detailed = category_tree.REST.get(own, own)
            edited = {"hidden": hidden, "own": detailed, "detailed": detailed}
            self.rows[plaid_id] |= edited | {"category": "MEDICAL"}

    def of(self, key):
        shown = [row for row in self.rows.values() if not row["removed"]]
        return [row for row in shown if row["account"] == key]


def check(life, ids, rows_of):
    for key, account_type in TYPES.items():
        expected = expected_balances(account_type, life.reported[key], life.of(key))
        stored = by_day(rows_of(ids[key]))
        assert {day: stored[day] for day in expected} == expected, key
        assert min(stored) == min(expected), key
        assert stored_totals(ids[key]) == expected_totals(life.of(key)), key
        assert stored_parts(ids[key]) == expected_parts(life.of(key)), key
    assert monthly_refresh.wrong(list(ids.values())) == set()
    assert balance_history.wrong(ids.values()) == set()
    rows = [row for key in TYPES for row in life.of(key)]
    hidden = sum(row["hidden"] for row in rows)
    assert monthly_totals.count(1) == (len(rows) - hidden, hidden)


@pytest.mark.parametrize("seed", range(3))
def test_random_changes_agree_with_the_model(bank_update, rows_of, transaction, clock, seed):
    life = Life(seed, transaction)
    for _ in range(12):
        ids = life.update(bank_update, clock)
        life.edit()
        check(life, ids, rows_of)
    steps = [current for _, current in rows_of(ids["a"], balances.COMPUTED)]
    assert len(steps) > 10


def test_a_rebuild_changes_nothing(bank_update, transaction, clock, dump):
    life = Life(99, transaction)
    for _ in range(4):
        ids = life.update(bank_update, clock)
    before = dump()
    derived.rebuild(list(ids.values()))
    db.session.commit()
    assert dump() == before


def test_wrong_values_are_found_and_a_rebuild_corrects_them(bank_update, transaction, clock, dump):
    life = Life(7, transaction)
    for _ in range(4):
        ids = life.update(bank_update, clock)
    before = dump()
    db.session.execute(update(MonthlyTotal).values(count=MonthlyTotal.count + 1))
    computed = Balance.source == balances.COMPUTED
    db.session.execute(update(Balance).where(computed).values(date=Balance.date))
    db.session.execute(
        update(Balance)
        .where(computed, Balance.account_id == ids["a"])
        .values(current=balances.TABLE.c.current + Decimal(1))
    )
    db.session.commit()
    assert balance_history.wrong(ids.values()) == {ids["a"]}
    months = monthly_refresh.wrong(ids.values())
    assert {account for account, _ in months} == set(ids.values())
    derived.rebuild(list(ids.values()))
    db.session.commit()
    assert dump() == before


def test_values_that_no_row_explains_are_found_and_a_rebuild_deletes_them(
    bank_update, transaction, clock, dump
):
    ids = bank_update([transaction("t", clock.day)], a="1")
    before = dump()
    account_id, month = ids["a"], (clock.day - 400 * DAY).replace(day=1)
    total = {"category": "TRAVEL", "currency": "USD", "money_in": 0, "money_out": 1}
    db.session.add_all(
        (
            MonthlyTotal(account_id=account_id, month=month, count=1, hidden=0, **total),
            Balance(account_id=account_id, date=month, current=5, source=balances.COMPUTED),
        )
    )
    db.session.commit()
    assert monthly_refresh.wrong([account_id]) == {(account_id, month)}
    assert balance_history.wrong([account_id]) == {account_id}
    derived.rebuild([account_id])
    db.session.commit()
    assert dump() == before


def test_an_update_without_changes_writes_nothing(bank_update, transaction, clock):
    life = Life(3, transaction)
    ids = life.update(bank_update, clock)

    def writes():
        if db.engine.dialect.name == "sqlite":
            return db.session.scalar(db.text("SELECT total_changes()"))
        tables = db.session.execute(db.text("SELECT xmin, * FROM balance")).all()
        return tables + db.session.execute(db.text("SELECT xmin, * FROM monthly_total")).all()

    derived.rebuild(list(ids.values()))
    db.session.commit()
    before = writes()
    derived.rebuild(list(ids.values()))
    assert writes() == before


def test_totals_of_older_code_are_split_a_few_at_a_time(bank_update, transaction, clock, dump):
    """Until then, all of a category counts as the rest of it."""
    life = Life(7, transaction)
    for _ in range(4):
        life.update(bank_update, clock)
    before = dump()
    parts = detailed_totals.flow(1, date.min)
    db.session.execute(delete(DetailedTotal))
    db.session.execute(update(MonthlyTotal).values(detailed_rows=None))
    db.session.commit()
    whole = detailed_totals.flow(1, date.min)
    assert {each.detailed for each in whole} == {*map(category_tree.rest_of, by_category(whole))}
    assert by_category(whole) == by_category(parts)
    while detailed_backfill.fill(3):
        db.session.commit()
    db.session.commit()
    assert dump() == before
    assert detailed_totals.flow(1, date.min) == parts


def by_category(sums):
    found = defaultdict(Decimal)
    for each in sums:
        found[each.category] += each.money_out - each.money_in
    return found
