"""The query plans of searches, lists and sums: a slow plan would go unnoticed otherwise."""

import re
from datetime import date

import pytest
from sqlalchemy import select, text

from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.transactions import filter_totals, merchants, search
from plaidapp.store.transactions.filters import Filter


def plan_of(query):
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    compiled = str(query.compile(db.engine, compile_kwargs={"literal_binds": True}))
    rows = db.session.execute(text(f"{explain} " + compiled.replace(":", r"\:")))
    return "\n".join(map(str, rows))


def coffee(owner):
    return select(Transaction.id).where(*Filter(owner, search=search.words("coffee")).conditions())


def test_a_search_reads_the_index_that_the_migrations_make(owner):
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("SET LOCAL enable_seqscan = off"))  # the table is empty
    index = {"sqlite": "transaction_search VIRTUAL TABLE", "postgresql": "ix_transaction_search"}
    assert index[db.engine.dialect.name] in plan_of(coffee(owner))


def test_the_search_index_is_read_once_and_not_for_each_row(owner, item, save, transaction):
    """Even in a table that has just been filled, for which PostgreSQL has no statistics yet."""
    computed_once = {"sqlite": "LIST SUBQUERY", "postgresql": "InitPlan"}
    save(item, *(transaction(f"t{number}") for number in range(20)))
    assert computed_once[db.engine.dialect.name] in plan_of(coffee(owner))


def test_the_names_of_merchants_are_read_from_their_index(owner, item, save, transaction):
    """One jump for each name, however many rows it has."""
    save(item, *(transaction(f"t{number}", name=f"shop {number % 3}") for number in range(300)))
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text('ANALYZE "transaction"'))
        db.session.execute(text("SET LOCAL enable_seqscan = off"))  # 300 rows are few
    limits = {"user_id": owner, "first": "a", "last": "b", "most": 5}
    plan = plan_of(merchants.KEYS.bindparams(**limits))
    assert "ix_transaction_by_title" in plan
    assert not re.search(r"Seq Scan on transaction|SCAN transaction|ix_transaction_shown", plan)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_rows_of_one_account_are_read_from_its_index_in_order(owner):
    """An account without rows would otherwise take as long as all rows of the person. PostgreSQL
    knows how many rows an account has, and chooses by that."""
    wanted = Filter(owner, account_ids=(1,), hidden="any")
    order = Transaction.date.desc(), Transaction.id.desc()
    plan = plan_of(select(Transaction.id).where(*wanted.conditions()).order_by(*order).limit(50))
    assert "ix_transaction_account_id_date" in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize("flag", ["pending", "hidden"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_flagged_rows_are_read_from_their_index_even_if_the_filter_names_an_account(owner, flag):
    wanted = Filter(owner, account_ids=(1,), scope="all", **{"hidden": "any", flag: "only"})
    plan = plan_of(select(Transaction.amount).where(*wanted.conditions()))
    assert f"ix_transaction_{flag}" in plan


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sums_of_a_month_read_that_month_and_sums_of_all_months_sort_nothing(owner):
    month = Filter(owner, date(2026, 1, 1), date(2026, 1, 31))
    assert "month>? AND month<?" in plan_of(filter_totals.sums_of_months(month, ("category",)))
    assert "TEMP B-TREE" not in plan_of(filter_totals.sums_of_months(Filter(owner), ("category",)))
