"""Daily balances and monthly totals fit the rows, whatever happens to them and in which order.

A model in plain Python does the same sums day by day; random lives are led in both.
"""

import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.store import Balance, MonthlyTotal, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, balances
from plaidapp.store.reports import balance_history, derived
from plaidapp.store.transactions import monthly_refresh, monthly_totals, transactions
from tests import stored

TODAY = date(2026, 3, 10)
DAY = timedelta(days=1)
KINDS = {"a": "depository", "b": "credit", "c": "loan"}


class Clock:
    """What accounts.save takes for the present moment."""

    def __init__(self, monkeypatch):
        self.day = TODAY
        monkeypatch.setattr(accounts, "now", lambda: now().replace(**self._parts()))

    def _parts(self):
        return {"year": self.day.year, "month": self.day.month, "day": self.day.day}


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


@pytest.fixture
def household(owner, item, account, clock):
    """Saves what a bank says in one update, as a sync does."""

    def update_from_bank(sent=(), removed=(), **currents):
        listed = [
            account(key, type=KINDS[key], balances={"current": Decimal(current)})
            for key, current in currents.items()
        ]
        said = accounts.save(owner, item.id, listed)
        ids = accounts.ids_of_item(item.id)
        named = [row.transaction_id for row in sent] + list(removed)
        moved = transactions.days_of(item.id, named)
        stored.save(owner, item.id, ids, sent)
        transactions.mark_removed(item.id, list(removed))
        moved.update((ids[row.account_id], row.date) for row in sent)
        derived.refresh(moved, said)
        db.session.commit()
        return ids

    db.session.execute(balances.TABLE.delete())  # what the fixture's own account began with
    db.session.commit()
    return update_from_bank


def rows_of(account_id, source=None):
    query = select(Balance.date, Balance.current).where(Balance.account_id == account_id)
    if source:
        query = query.where(Balance.source == source)
    return [(day, current) for day, current in db.session.execute(query.order_by(Balance.date))]


def test_todays_snapshot_is_the_banks(household, clock):
    ids = household(a="110", c="5000")
    assert rows_of(ids["a"], balances.BANK) == [(TODAY, Decimal(110))]
    household(a="120")
    clock.day += DAY
    household(a="90")
    assert rows_of(ids["a"]) == [(TODAY, Decimal(120)), (TODAY + DAY, Decimal(90))]
    assert rows_of(ids["c"]) == [(TODAY, Decimal(5000))]


def test_a_snapshot_that_was_heard_already_is_no_news(owner, item, account, clock):
    said = [account("a", balances={"current": Decimal("1.5")}), account("b")]
    ids = accounts.ids_of_item(item.id)
    first = accounts.save(owner, item.id, said)
    ids = accounts.ids_of_item(item.id)
    assert first == {(ids["a"], TODAY), (ids["b"], TODAY)}
    assert accounts.save(owner, item.id, said) == set()
    said[0] = account("a", balances={"current": Decimal("1.50000001")})
    assert accounts.save(owner, item.id, said) == {(ids["a"], TODAY)}


def test_an_account_without_a_balance_has_no_snapshot(household, owner, item, account):
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
def test_days_before_the_snapshot_are_worked_out(household, transaction, key, expected):
    ids = household(
        [
            transaction("out", TODAY - DAY, "30", account_id=key),
            transaction("in", TODAY - 2 * DAY, "-5", account_id=key),
        ],
        **{key: "100"},
    )
    steps = {TODAY - age * DAY: Decimal(value) for age, value in expected.items() if age != 0}
    steps[TODAY] = Decimal(expected[0])
    assert dict(rows_of(ids[key])) == steps


def test_what_moved_no_money_of_the_account_changes_no_balance(household, transaction):
    ids = household(
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


def test_a_hidden_row_is_real_money(household, transaction):
    ids = household([transaction("t", TODAY - DAY, "4", iso_currency_code="USD")], a="100")
    before = rows_of(ids["a"])
    db.session.execute(update(Transaction).values(hidden=True))
    derived.rebuild(list(ids.values()))
    assert rows_of(ids["a"]) == before != []


def test_days_between_two_snapshots_hang_on_the_later(household, transaction, clock):
    ids = household([transaction("old", TODAY - 3 * DAY, "7")], a="100")
    clock.day += 5 * DAY
    household([transaction("new", TODAY + 3 * DAY, "10")], a="85")
    assert rows_of(ids["a"]) == [
        (TODAY - 4 * DAY, Decimal(107)),
        (TODAY - 3 * DAY, Decimal(100)),
        (TODAY, Decimal(100)),
        # 5 are missing, and nobody knows when they went: the step shows after the older word.
        (TODAY + DAY, Decimal(95)),
        (TODAY + 3 * DAY, Decimal(85)),
        (TODAY + 5 * DAY, Decimal(85)),
    ]


def test_an_amount_that_no_sum_can_hold_is_kept_as_the_largest(household, transaction):
    most = Decimal(92_000_000_000)
    ids = household(
        [
            transaction("t1", TODAY, str(most)),
            transaction("t2", TODAY, str(most)),
            transaction("t3", TODAY - DAY, str(most)),
            transaction("t4", TODAY - DAY, "-0.00000001"),
        ],
        a=str(most),
    )
    assert rows_of(ids["a"], balances.COMPUTED) == [(TODAY - 2 * DAY, most)]
    (total,) = monthly_totals.monthly(1, date(2026, 3, 1), KINDS.values())
    assert (total.money_out, total.money_in) == (most, Decimal("0.00000001"))


# --- the model -----------------------------------------------------------------------------------


def modelled_balances(kind, said, rows):
    """The end of every day from the day before the first row on: the balances as they should be."""
    if kind == "loan" or not said:
        return dict(said)
    sign = -1 if kind == "credit" else 1
    posted = [(row["date"], row["amount"]) for row in rows if not row["pending"]]
    newest = max(said)
    first = min([*said, *(day - DAY for day, _ in posted)])
    ends = {}
    for number in range((newest - first).days + 1):
        day = first + number * DAY
        word = min(date for date in said if date >= day)
        since = sum((amount for date, amount in posted if day < date <= word), Decimal(0))
        ends[day] = said[word] + sign * since
    return ends


def stored_balances(account_id):
    """The step function, day by day."""
    steps = rows_of(account_id)
    ends, held = {}, dict(steps)
    for number in range((steps[-1][0] - steps[0][0]).days + 1):
        day = steps[0][0] + number * DAY
        ends[day] = held.get(day, ends.get(day - DAY))
    return ends


def modelled_totals(rows):
    sums = defaultdict(lambda: [Decimal(0), Decimal(0), 0, 0])
    for row in rows:
        total = sums[row["date"].replace(day=1), row["category"], "USD"]
        if row["hidden"]:
            total[3] += 1
            continue
        total[row["amount"] > 0] += abs(row["amount"])
        total[2] += 1
    return {key: tuple(total) for key, total in sums.items()}


def stored_totals(account_id):
    query = select(MonthlyTotal).where(MonthlyTotal.account_id == account_id)
    return {
        (row.month, row.category, row.currency): (
            row.money_in,
            row.money_out,
            row.count,
            row.hidden,
        )
        for row in db.session.scalars(query.execution_options(populate_existing=True))
    }


CATEGORIES = ("FOOD_AND_DRINK", "TRAVEL", None)


class Life:
    """Random updates of a bank and edits of a person; what should be there is kept in a dict."""

    def __init__(self, seed, transaction):
        self.dice = random.Random(seed)
        self.transaction = transaction
        self.rows = {}
        self.said = {key: {} for key in KINDS}
        self.last = 0

    def sent(self, plaid_id, today):
        dice = self.dice
        key = dice.choice("aabc")
        amount = Decimal(dice.randint(-(10**12), 10**12)).scaleb(-dice.choice((2, 8)))
        day = today - dice.randint(-1, 70) * DAY
        pending, category = dice.random() < 0.2, dice.choice(CATEGORIES)
        known = self.rows.get(plaid_id, {"hidden": False, "own": None})
        self.rows[plaid_id] = known | {
            "account": key,
            "date": day,
            "amount": amount,
            "pending": pending,
            "category": known["own"] or category or "OTHER",
            "removed": False,
        }
        named = category and {"primary": category, "detailed": f"{category}_X"}
        return self.transaction(
            plaid_id,
            day,
            str(amount),
            account_id=key,
            pending=pending,
            iso_currency_code="USD",
            category=named and payloads.Category(**named),
        )

    def update(self, household, clock):
        dice = self.dice
        if dice.random() < 0.6:
            clock.day += dice.randint(0, 3) * DAY
        new = [f"t{self.last + number}" for number in range(dice.randint(0, 8))]
        self.last += len(new)
        known = sorted(self.rows)
        again = dice.sample(known, min(len(known), dice.randint(0, 3)))
        gone = dice.sample(known, min(len(known), dice.randint(0, 2)))
        sent = [self.sent(plaid_id, clock.day) for plaid_id in dict.fromkeys(new + again)]
        for plaid_id in gone:
            self.rows[plaid_id]["removed"] = True
        currents = {key: str(Decimal(dice.randint(-(10**7), 10**7)).scaleb(-2)) for key in KINDS}
        for key, current in currents.items():
            self.said[key][clock.day] = Decimal(current)
        return household(sent, gone, **currents)

    def edit(self):
        """As a person hides rows or files them elsewhere."""
        known = sorted(plaid_id for plaid_id, row in self.rows.items() if not row["removed"])
        chosen = self.dice.sample(known, min(len(known), 3))
        query = select(Transaction.id).where(Transaction.plaid_transaction_id.in_(chosen))
        ids = db.session.scalars(query).all()
        hidden = self.dice.random() < 0.5
        monthly_refresh.lock_for(ids)
        db.session.execute(
            update(Transaction)
            .where(Transaction.id.in_(ids))
            .values(hidden=hidden, own_category="MEDICAL", edited_at=now())
        )
        monthly_refresh.refresh_for(ids)
        db.session.commit()
        for plaid_id in chosen:
            self.rows[plaid_id] |= {"hidden": hidden, "own": "MEDICAL", "category": "MEDICAL"}

    def of(self, key):
        shown = [row for row in self.rows.values() if not row["removed"]]
        return [row for row in shown if row["account"] == key]


def agree(life, ids):
    for key, kind in KINDS.items():
        should = modelled_balances(kind, life.said[key], life.of(key))
        stored = stored_balances(ids[key])
        assert {day: stored[day] for day in should} == should, key
        assert min(stored) == min(should), key
        assert stored_totals(ids[key]) == modelled_totals(life.of(key)), key
    assert monthly_refresh.wrong(list(ids.values())) == set()
    assert balance_history.wrong(ids.values()) == set()
    rows = [row for key in KINDS for row in life.of(key)]
    hidden = sum(row["hidden"] for row in rows)
    assert monthly_totals.count(1) == (len(rows) - hidden, hidden)


@pytest.mark.parametrize("seed", range(4))
def test_a_random_life_and_the_model_agree(household, transaction, clock, seed):
    life = Life(seed, transaction)
    for _ in range(12):
        ids = life.update(household, clock)
        life.edit()
        agree(life, ids)
    steps = [current for _, current in rows_of(ids["a"], balances.COMPUTED)]
    assert len(steps) > 10


def test_working_it_all_out_again_changes_nothing(household, transaction, clock, dump):
    life = Life(99, transaction)
    for _ in range(4):
        ids = life.update(household, clock)
    before = dump()
    derived.rebuild(list(ids.values()))
    db.session.commit()
    assert dump() == before


def test_whatever_was_spoiled_is_found_and_mended(household, transaction, clock, dump):
    life = Life(7, transaction)
    for _ in range(4):
        ids = life.update(household, clock)
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


def test_an_update_that_says_nothing_new_writes_nothing(household, transaction, clock):
    life = Life(3, transaction)
    ids = life.update(household, clock)

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
