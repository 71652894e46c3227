"""A row's currency is Plaid's ISO code or else its unofficial one, in Python and in SQL."""

import pytest
from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.base.currency import currency_of


@pytest.mark.parametrize(
    ("iso", "unofficial", "expected"),
    [("USD", None, "USD"), (None, "BTC", "BTC"), (None, None, None), ("EUR", "BTC", "EUR")],
)
def test_the_iso_code_comes_first(item, save, transaction, iso, unofficial, expected):
    sent = transaction("t", iso_currency_code=iso, unofficial_currency_code=unofficial)
    assert currency_of(sent) == expected
    save(item, sent)
    row = db.session.scalars(select(Transaction)).one()
    assert row.currency == expected
    assert db.session.scalar(select(Transaction.currency)) == expected
