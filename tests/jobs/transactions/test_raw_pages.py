"""The raw JSON of each transaction is stored as Plaid sent it."""

import json
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from plaidapp.bank import client
from plaidapp.extensions import db
from plaidapp.store import ReceivedPage, Transaction
from plaidapp.store.pulls import kinds
from plaidapp.store.transactions import raw_pages

pytestmark = pytest.mark.usefixtures("context")


def stored_json():
    """Return the stored raw form of each row that is shown, by Plaid's id."""
    db.session.remove()
    rows = db.session.scalars(select(Transaction).where(Transaction.removed_at.is_(None))).all()
    return {
        row.plaid_transaction_id: json.loads(raw_pages.json_of(row), parse_float=Decimal)
        for row in rows
    }


def json_at_bank(bank_server, token):
    """Return the bank's raw form of each."""
    options = {
        "include_original_description": True,
        "personal_finance_category_version": "v2",
    }
    page = bank_server.call("/transactions/sync", access_token=token, count=500, options=options)
    return {sent["transaction_id"]: sent for sent in page["added"]}


def kept():
    return db.session.scalar(select(func.count()).select_from(ReceivedPage))


def test_the_raw_form_of_every_row_is_stored(dynamic, bank_server, token_of):
    assert stored_json() == json_at_bank(bank_server, token_of(dynamic))


def test_the_raw_form_of_rows_from_several_pages_is_stored(
    link, bank_server, token_of, monkeypatch
):
    monkeypatch.setattr(client, "PAGE_SIZE", 3)
    item = link(username="user_transactions_dynamic", password="any")
    assert kept() > 10
    assert stored_json() == json_at_bank(bank_server, token_of(item))


def test_pages_get_ids_in_their_order(dynamic):
    bodies = [str(number).encode() if number % 3 else b"" for number in range(300)]
    before = kept()
    ids = raw_pages.save(dynamic.id, bodies)
    pages = dict(db.session.execute(select(ReceivedPage.id, ReceivedPage.body)).all())
    assert [pages.get(page_id, b"") for page_id in ids] == bodies
    assert kept() - before == 200


def test_a_changed_row_shows_its_newest_raw_form(dynamic, bank_server, token_of, begin, run):
    bank_server.call("/transactions/refresh", access_token=token_of(dynamic))
    run(begin(kinds.TRANSACTIONS, items=[dynamic]))
    assert stored_json() == json_at_bank(bank_server, token_of(dynamic))


def test_a_repair_stores_no_page_twice(dynamic, bank_server, token_of, begin, run):
    before = kept()
    for _ in range(2):
        run(begin(kinds.REPAIR, items=[dynamic]))
    assert kept() == before
    assert stored_json() == json_at_bank(bank_server, token_of(dynamic))


def test_a_row_that_moved_to_a_new_connection_shows_its_raw_form(link, bank_server, token_of):
    login = {"username": "user_transactions_dynamic", "password": "any"}
    link(**login)
    again = link(**login)
    assert stored_json() == json_at_bank(bank_server, token_of(again))


def test_an_update_without_rows_stores_no_page(dynamic, begin, run):
    before = kept()
    run(begin(kinds.TRANSACTIONS, items=[dynamic]))
    assert kept() == before


def test_a_row_without_a_page_gets_one_when_the_bank_sends_it_again(
    dynamic, bank_server, token_of, begin, run
):
    db.session.execute(Transaction.__table__.update().values(page_id=None))
    db.session.commit()
    row = db.session.scalars(select(Transaction).limit(1)).one()
    assert raw_pages.json_of(row) is None
    run(begin(kinds.REPAIR, items=[dynamic]))
    assert stored_json() == json_at_bank(bank_server, token_of(dynamic))
