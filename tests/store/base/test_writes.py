"""Statements that write return the number of rows they changed."""

import pytest
from sqlalchemy import bindparam, delete, insert, literal, select, update

from plaidapp.store import Edit, Transaction
from plaidapp.store.base.types import Moment, now
from plaidapp.store.base.writes import BATCH, in_batches, write


@pytest.fixture
def rows(item, save, transaction):
    save(item, *(transaction(f"t{number}") for number in range(3)))


def test_an_update_and_a_delete_count_their_rows(rows):
    some = Transaction.plaid_transaction_id.in_(["t0", "t1", "unknown"])
    assert write(update(Transaction).where(some).values(note="x")) == 2
    assert write(delete(Transaction).where(some)) == 2
    assert write(delete(Transaction).where(some)) == 0


def test_an_insert_from_a_query_counts_its_rows(owner, rows):
    query = select(literal(owner), literal(now(), Moment)).select_from(Transaction)
    assert write(insert(Edit).from_select(["user_id", "made_at"], query)) == 3


def test_parameters_can_be_given_apart_from_the_statement(rows):
    statement = update(Transaction).where(Transaction.plaid_transaction_id == bindparam("plaid_id"))
    assert write(statement.values(note="x"), {"plaid_id": "t1"}) == 1


@pytest.mark.parametrize("number", [0, 1, BATCH, BATCH + 1, 2 * BATCH + 3])
def test_batches_hold_every_id_once(number):
    batches = list(in_batches(range(number)))
    assert [one for batch in batches for one in batch] == list(range(number))
    assert all(0 < len(batch) <= BATCH for batch in batches)
