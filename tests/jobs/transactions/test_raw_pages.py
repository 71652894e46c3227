"""What Plaid sent of a transaction can be seen word for word, whatever happened since."""

import json
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from plaidapp.bank import client
from plaidapp.extensions import db
from plaidapp.store import ReceivedPage, Transaction
from plaidapp.store.pulls import pulls
from plaidapp.store.transactions import raw_pages

pytestmark = pytest.mark.usefixtures("context")


def said():
    """What we show of each row that is there, by Plaid's id."""
    db.session.remove()
    rows = db.session.scalars(select(Transaction).where(Transaction.removed_at.is_(None))).all()
    return {
        row.plaid_transaction_id: json.loads(raw_pages.json_of(row), parse_float=Decimal)
        for row in rows
    }


def told(bank_server, token):
    """What the bank says of each."""
    page = bank_server.call("/transactions/sync", access_token=token, count=500)
    return {sent["transaction_id"]: sent for sent in page["added"]}


def kept():
    return db.session.scalar(select(func.count()).select_from(ReceivedPage))


def test_every_row_as_it_came(dynamic, bank_server, token_of):
    assert said() == told(bank_server, token_of(dynamic))


def test_every_row_of_many_pages_as_it_came(link, bank_server, token_of, monkeypatch):
    monkeypatch.setattr(client, "PAGE_SIZE", 3)
    item = link(username="user_transactions_dynamic", password="any")
    assert kept() > 10
    assert said() == told(bank_server, token_of(item))


def test_pages_get_ids_in_their_order(dynamic):
    bodies = [str(number).encode() if number % 3 else b"" for number in range(300)]
    before = kept()
    ids = raw_pages.save(dynamic.id, bodies)
    pages = dict(db.session.execute(select(ReceivedPage.id, ReceivedPage.body)).all())
    assert [pages.get(page_id, b"") for page_id in ids] == bodies
    assert kept() - before == 200


def test_what_changed_is_shown_as_it_is_now(dynamic, bank_server, token_of, begin, run):
    bank_server.call("/transactions/refresh", access_token=token_of(dynamic))
    run(begin(pulls.TRANSACTIONS, items=[dynamic]))
    assert said() == told(bank_server, token_of(dynamic))


def test_a_reading_from_the_beginning_keeps_no_page_twice(
    dynamic, bank_server, token_of, begin, run
):
    before = kept()
    for _ in range(2):
        run(begin(pulls.REPAIR, items=[dynamic]))
    assert kept() == before
    assert said() == told(bank_server, token_of(dynamic))


def test_a_row_that_went_over_to_another_connection(link, bank_server, token_of):
    login = {"username": "user_transactions_dynamic", "password": "any"}
    link(**login)
    again = link(**login)
    assert said() == told(bank_server, token_of(again))


def test_an_update_without_rows_keeps_nothing(dynamic, begin, run):
    before = kept()
    run(begin(pulls.TRANSACTIONS, items=[dynamic]))
    assert kept() == before


def test_a_row_from_before_pages_were_kept_gets_its_page_when_it_comes_again(
    dynamic, bank_server, token_of, begin, run
):
    db.session.execute(Transaction.__table__.update().values(page_id=None))
    db.session.commit()
    row = db.session.scalars(select(Transaction).limit(1)).one()
    assert raw_pages.json_of(row) is None
    run(begin(pulls.REPAIR, items=[dynamic]))
    assert said() == told(bank_server, token_of(dynamic))
