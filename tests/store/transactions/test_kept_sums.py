"""The sums of whole months, which each process keeps until the person's data changes."""

from decimal import Decimal

import pytest
from sqlalchemy import update

from plaidapp.extensions import db
from plaidapp.store import User
from plaidapp.store.connections import accounts
from plaidapp.store.people import users
from plaidapp.store.reports import derived
from plaidapp.store.transactions import filter_totals
from plaidapp.store.transactions.filters import Filter
from plaidapp.store.transactions.monthly_totals import MonthlyTotal


@pytest.fixture(autouse=True)
def one_dollar(item, save, transaction):
    save(item, transaction("t1", amount="1"))
    derived.rebuild(list(accounts.ids_of_item(item.id).values()))
    db.session.commit()


def out(owner):
    (of_dollars,) = filter_totals.tally(Filter(owner), 100).sums
    (of_category,) = filter_totals.by_category(Filter(owner))
    assert of_dollars.money_out == of_category.money_out
    return of_dollars.money_out


def test_they_are_read_again_once_the_persons_data_has_changed(owner):
    assert out(owner) == 1
    db.session.execute(update(MonthlyTotal).values(money_out=Decimal(3)))
    assert out(owner) == 1, "kept"
    users.ledger_changed(owner)
    db.session.commit()
    assert out(owner) == 3


def test_they_are_not_kept_for_somebody_else_who_gets_the_same_id(owner):
    assert out(owner) == 1
    db.session.execute(update(User).values(opaque_id="another"))
    db.session.execute(update(MonthlyTotal).values(money_out=Decimal(3)))
    assert out(owner) == 3
