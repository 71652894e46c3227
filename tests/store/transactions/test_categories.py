"""The category that a row counts under, in Python and in SQL."""

import pytest

from plaidapp.bank.payloads import Category
from plaidapp.extensions import db
from plaidapp.store import Transaction

CARD = Category("LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT")


@pytest.mark.parametrize(
    ("sent", "amount", "chosen", "expected"),
    [
        (Category("TRAVEL", "TRAVEL_FLIGHTS"), "9", None, "TRAVEL"),
        (Category("TRAVEL", "TRAVEL_FLIGHTS"), "9", "MEDICAL", "MEDICAL"),
        (None, "9", None, "OTHER"),
        (CARD, "9", None, "TRANSFER_OUT"),
        (CARD, "-9", None, "TRANSFER_IN"),
        (CARD, "9", "BANK_FEES", "BANK_FEES"),
    ],
)
def test_the_persons_choice_comes_before_the_banks(
    item, save, transaction, sent, amount, chosen, expected
):
    save(item, transaction("t", amount=amount, category=sent))
    row = db.session.scalars(db.select(Transaction)).one()
    row.own_category = chosen
    db.session.commit()
    assert row.category == expected
    assert db.session.scalar(db.select(Transaction.category)) == expected
