"""The category that a row counts under, in Python and in SQL."""

from datetime import date

import pytest

from plaidapp.bank.payloads import Category
from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.connections import accounts
from plaidapp.store.reports import derived
from plaidapp.store.transactions import monthly_totals, reader
from plaidapp.store.transactions.categories import is_spending, is_transfer
from plaidapp.store.transactions.filters import Filter

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


@pytest.mark.parametrize(
    ("category", "transfer", "spending"),
    [
        ("TRANSFER_IN", True, False),
        ("TRANSFER_OUT", True, False),
        ("INCOME", False, False),
        ("LOAN_PAYMENTS", False, True),
        ("TRAVEL", False, True),
        ("OTHER", False, True),
        ("A category of the person's own", False, True),
    ],
)
def test_what_counts_as_a_transfer_and_as_spending(category, transfer, spending):
    assert (is_transfer(category), is_spending(category)) == (transfer, spending)


def test_flow_leaves_out_transfers_and_accounts_that_nobody_spends_from(
    owner, item, account, save, transaction
):
    types = {"a": "depository", "b": "credit", "c": "loan", "d": "investment"}
    accounts.save(owner, item.id, [account(key, type=kind) for key, kind in types.items()])
    sent = {"TRAVEL": Category("TRAVEL", "TRAVEL_FLIGHTS"), "TRANSFER_OUT": CARD}
    save(
        item,
        *(
            transaction(f"{key} {name}", amount="10", account_id=key, category=category)
            for key in types
            for name, category in sent.items()
        ),
    )
    derived.rebuild(list(accounts.ids_of_item(item.id).values()))
    db.session.commit()
    month = date(2026, 1, 1)
    assert monthly_totals.flow(owner, month) == [(month, "TRAVEL", "", 0, 20)]
    assert monthly_totals.flow(owner, date(2026, 2, 1)) == []
    rows = reader.page(Filter(owner, scope="flow"), 10)
    assert {row.plaid_transaction_id for row in rows} == {"a TRAVEL", "b TRAVEL"}
