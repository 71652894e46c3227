"""Random worlds, synced in random order with random faults, against a slow reference.

The long form has 1,000 worlds on each database.
"""

import csv
import io
import json
import os
import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.finance.recurring.recurring_pages import payments_of
from plaidapp.finance.reports import account_balances, income_and_spending, net_worth
from plaidapp.store import Account, Transaction
from plaidapp.store.connections import item_states, items
from plaidapp.store.reports import balance_lines
from plaidapp.store.transactions import detailed_totals, monthly_totals, reader
from plaidapp.store.transactions.category_tree import rest_of
from plaidapp.store.transactions.filters import Filter
from plaidapp.store.transactions.search import words
from tests.logged_in import logged_in
from tests.stored import delete_everything

from . import reference, world
from .plaid import RealAccount
from .world import STEPS, Expected, World, number_of

WORLDS = 1_000 if os.environ.get("CHAOS") == "long" else 5
draw = st.integers(0, 999)
BEGINNING = [(World.spend, bank, number, number) for bank in range(3) for number in range(4)]
BEGINNING += [(World.connect, bank, 0, 0) for bank in range(3)]
steps = st.lists(st.tuples(st.sampled_from(STEPS), draw, draw, draw), min_size=25, max_size=50)
TYPED = ("cafe", "ツリー", "tri", "ard pay", "☕", "with zo", "nothing")


@pytest.fixture
def fresh(app, today):
    """`fresh()` returns a world without anybody in it."""

    def make() -> World:
        with app.app_context():
            delete_everything()
            db.session.commit()
        app.extensions["redis"].flushall()
        return world.new(app, today)

    return make


@pytest.mark.both_databases
@settings(
    max_examples=WORLDS,
    deadline=None,
    derandomize=WORLDS < 1_000,  # the short form is the same each time
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(taken=steps)
def test_every_figure_is_what_the_banks_rows_add_up_to(fresh, taken):
    here = fresh()
    for step, a, b, c in (*BEGINNING, *taken):
        step(here, a, b, c)
    here.settle()
    rows, accounts = here.expected(), here.accounts()
    with here.app.app_context():
        check_rows(here, rows)
        check_balances(here, accounts, rows)
        check_cash_flow_and_spending(here, rows)
        check_search(here, rows)
        check_recurring(here, rows)
        db.session.remove()
    check_exports(logged_in(here.app, here.user_id), rows)


def facts(each: Expected) -> tuple[object, ...]:
    row, own = each.row, each.own
    detailed = row.category and row.category[1]
    return (
        *(each.account.number, row.day, row.amount, row.name, detailed, row.pending),
        *(each.account.currency, own.hidden, own.own_category, own.note),
    )


def check_rows(here: World, rows: list[Expected]) -> None:
    """Each of the banks' rows is shown once, with the person's edits. Equal rows may swap them."""
    query = select(Transaction, Account).join(Account).where(Transaction.removed_at.is_(None))
    stored = db.session.execute(query).all()
    numbers = sorted(number_of(row.plaid_transaction_id) for row, _ in stored)
    assert numbers == sorted(each.row.number for each in rows)
    assert Counter(
        (
            *(number_of(account.plaid_account_id), row.date, row.amount, row.name),
            *(row.category_detailed, row.pending, row.currency),
            *(row.hidden, row.own_category, row.note),
        )
        for row, account in stored
    ) == Counter(map(facts, rows))
    hidden = sum(each.is_hidden for each in rows)
    assert monthly_totals.count(here.user_id) == (len(rows) - hidden, hidden)
    assert reader.count(Filter(here.user_id)) == len(rows) - hidden
    items_now = items.of_user(here.user_id)
    assert all(item.state in (*item_states.NOT_SYNCED, item_states.GOOD) for item in items_now)


def check_balances(here: World, accounts: list[RealAccount], rows: list[Expected]) -> None:
    real = {each.number: each for each in accounts}
    days = reference.days_back(here.today, 120)
    lines = balance_lines.lines(here.user_id, days[-1], here.today)
    query = select(Account).where(Account.closed_at.is_(None))
    stored = [row for row in db.session.scalars(query) if row.id in lines]
    assert sorted(number_of(row.plaid_account_id) for row in stored) == sorted(real)
    for row in stored:
        account = real[number_of(row.plaid_account_id)]
        assert lines[row.id].at(days) == [reference.balance(account, rows, day) for day in days], (
            row.name
        )
    shown = [each for each in accounts if each.number not in here.hidden]
    balances = account_balances.of_user(here.user_id, "6M", here.today)
    for found in net_worth.by_currency(balances, "6M", here.today):
        for day, value in zip(found.dates, found.values, strict=True):
            sums = reference.net_worth(shown, rows, day)
            assert value == sums[found.currency], day
        assert found.value == found.values[-1]


def check_cash_flow_and_spending(here: World, rows: list[Expected]) -> None:
    monthly = income_and_spending.totals(here.user_id, here.today)
    part = income_and_spending.same_part(here.user_id, here.today)
    flow = {
        (each.currency, month.first): (month.money_in, month.money_out)
        for each in income_and_spending.cash_flow(monthly, here.today)
        for month in each.months
        if month.money_in or month.money_out
    }
    assert flow == reference.cash_flow(rows)
    this = here.today.replace(day=1)
    detailed = detailed_totals.flow(here.user_id, this)
    found = income_and_spending.spending(monthly, part, here.today, detailed)
    last = (this - timedelta(days=1)).replace(day=1)
    spent = {
        (each.currency, month, part.category): amount
        for each in found
        for part in each.categories
        for month, amount in ((this, part.this_month), (last, part.last_month))
        if amount
    }
    everything = reference.spending(rows)
    assert spent == {key: sum_ for key, sum_ in everything.items() if key[1] in (this, last)}
    parts = {
        (each.currency, of.category, "" if code == rest_of(of.category) else code): amount
        for each in found
        for of in each.categories
        for code, amount in of.parts
        if amount
    }
    assert parts == reference.spending_parts(rows, this)


def check_search(here: World, rows: list[Expected]) -> None:
    for typed in TYPED:
        found = reader.page(Filter(here.user_id, search=words(typed)), 1000)
        numbers = Counter(number_of(row.plaid_transaction_id) for row in found)
        assert numbers == reference.found(rows, typed), typed


def check_recurring(here: World, rows: list[Expected]) -> None:
    cost = dict(payments_of(here.user_id).cost)
    assert cost == reference.recurring(rows)


def check_exports(client: FlaskClient, rows: list[Expected]) -> None:
    def read(extension: str) -> str:
        answer = client.get(f"/finance/export/transactions.{extension}?hidden=any")
        assert answer.status_code == 200, answer.text
        return answer.text

    every = Counter((each.row.day.isoformat(), each.row.amount) for each in rows)
    posted = Counter(
        (each.row.day.isoformat(), each.row.amount) for each in rows if not each.row.pending
    )
    lines = csv.DictReader(io.StringIO(read("csv").lstrip("\ufeff")))
    assert Counter((line["date"], Decimal(line["amount"])) for line in lines) == every
    sent = json.loads(read("json"))
    assert sent["total_transactions"] == len(rows)
    assert Counter((row["date"], Decimal(row["amount"])) for row in sent["transactions"]) == every
    ofx = re.findall(r"<DTPOSTED>(\d{8}).*?<TRNAMT>([-\d.]+)", read("ofx"))
    assert Counter((_day(day), -Decimal(amount)) for day, amount in ofx) == posted
    qif = re.findall(r"^D(\d\d)/(\d\d)/(\d{4})\nT([-\d.]+)$", read("qif"), re.MULTILINE)
    assert Counter((f"{y}-{m}-{d}", -Decimal(amount)) for m, d, y, amount in qif) == posted
    for extension in ("beancount", "journal"):
        entries = re.findall(
            r"^(\d{4}-\d\d-\d\d) [*!] .*\n"
            r"(?:.*(?:plaid_id|category|note): .*\n)+\s+\S+\s+(-?[\d.]+) ",
            read(extension),
            re.MULTILINE,
        )
        assert Counter((day, -Decimal(amount)) for day, amount in entries) == every, extension


def _day(compact: str) -> str:
    return date(int(compact[:4]), int(compact[4:6]), int(compact[6:])).isoformat()
