"""A stream goes on with the one that it replaces: the person's choice and its periods stay."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.store import Account, Stream, Transaction
from plaidapp.store.connections import accounts
from plaidapp.store.recurring import recurring_streams, save_streams, stream_choices
from plaidapp.store.transactions import former_rows
from tests.store.recurring.test_recurring_streams import stream

DAYS = (date(2026, 1, 5), date(2026, 2, 5), date(2026, 3, 5))


@pytest.fixture
def answer(owner):
    """Store a bank's answer. Returns the person's streams by Plaid's id."""

    def store(item, *out, income=()):
        sent = payloads.Recurring(list(income), list(out), "request")
        save_streams.save(owner, item.id, accounts.ids_of_item(item.id), sent)
        db.session.commit()
        db.session.expire_all()
        return {each.plaid_stream_id: each for each in db.session.scalars(select(Stream))}

    return store


def choose(row, choice):
    stream_choices.choose(row, choice)
    db.session.commit()


@pytest.fixture
def connect_again(item, another_item, save, transaction):
    """Move the account of `item` to `another_item`, with rows t1 to t3 named new1 to new3."""
    save(item, *(transaction(f"t{n}", day, "17.99") for n, day in enumerate(DAYS, 1)))

    def move():
        of_item = Account.item_id == item.id
        moved = {"item_id": another_item.id, "plaid_account_id": "a2"}
        row_ids = list(db.session.scalars(select(Transaction.id)))
        former_rows.remember(row_ids)
        db.session.execute(update(Account).where(Account.item_id == another_item.id)
                           .values(plaid_account_id="other"))  # fmt: skip
        db.session.execute(update(Account).where(of_item).values(moved))
        for n in (1, 2, 3):
            named = Transaction.plaid_transaction_id == f"t{n}"
            values = {"item_id": another_item.id, "plaid_transaction_id": f"new{n}"}
            db.session.execute(update(Transaction).where(named).values(values))
        db.session.commit()

    return move


@pytest.mark.parametrize("choice", [recurring_streams.NOT_RECURRING, recurring_streams.OVER])
def test_a_choice_stays_whatever_the_bank_sends(owner, item, answer, choice):
    row = answer(item, stream("s", "t1"))["s"]
    choose(row, choice)
    row = answer(item, stream("s", "t1", "t2", amount="19.99", status="EARLY_DETECTION"))["s"]
    assert (row.choice, recurring_streams.of_user(owner)[0].is_over) == (choice, True)
    assert row.chosen_at is not None
    choose(row, None)
    row = answer(item, stream("s", "t1", "t2"))["s"]
    assert (row.choice, row.chosen_at) == (None, None)
    assert not recurring_streams.of_user(owner)[0].is_over


def test_a_connection_that_is_made_again_keeps_choices_and_periods(
    item, another_item, answer, connect_again
):
    """Even if the bank names the payments differently now: they are the same transactions."""
    old = answer(item, stream("old", "t1", "t2", "t3"), stream("other", "t9"))["old"]
    choose(old, recurring_streams.OVER)
    connect_again()
    new = {"account_id": "a2", "first_date": date(2025, 12, 5), "description": "NFLX 0815"}
    rows = answer(another_item, stream("new", "new2", "new3", **new))
    assert (rows["new"].choice, rows["new"].series) == (recurring_streams.OVER, old.id)
    assert rows["new"].anchor == rows["old"].anchor == date(2026, 1, 5)


def test_a_stream_with_another_id_goes_on_once(item, answer):
    first = answer(item, stream("one"), stream("two", amount="8"))
    assert {row.series for row in first.values()} == {row.id for row in first.values()}
    choose(first["two"], recurring_streams.NOT_RECURRING)
    rows = answer(item, stream("two again", amount="8.99"), stream("one again", amount="18"),
                  stream("third", amount="9"))  # fmt: skip
    assert rows["one again"].series == rows["one"].id
    assert rows["two again"].series == rows["two"].id
    assert rows["third"].series == rows["third"].id
    assert [rows[f"{name} again"].choice for name in ("one", "two")] == [
        None, recurring_streams.NOT_RECURRING
    ]  # fmt: skip
    assert rows["third"].choice is None


def test_what_differs_does_not_go_on(item, answer):
    answer(item, stream("old"))
    euros = payloads.StreamAmount(Decimal("17.99"), "EUR")
    rows = answer(item, stream("named", description="HULU"), stream("euros", last_amount=euros),
                  income=[stream("in", amount="-17.99")])  # fmt: skip
    assert all(row.series == row.id for row in rows.values())


def test_a_stream_that_is_still_listed_is_not_replaced(item, answer):
    answer(item, stream("one"))
    rows = answer(item, stream("one"), stream("two"))
    assert rows["two"].series == rows["two"].id


def test_a_revision_is_noted_when_days_or_amounts_change(item, answer):
    first = answer(item, stream())["s"].revised_at
    assert answer(item, stream())["s"].revised_at == first
    later = answer(item, stream(predicted_next_date=date(2026, 4, 6)))["s"].revised_at
    assert later > first
    answer(item)
    assert answer(item, stream(predicted_next_date=date(2026, 4, 6)))["s"].revised_at > later
