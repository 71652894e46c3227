"""The category that a row counts under, in Python and in SQL."""

from datetime import date
from decimal import Decimal

import pytest

from plaidapp.bank.payloads import Category
from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.connections import accounts
from plaidapp.store.reports import derived
from plaidapp.store.transactions import monthly_totals, reader
from plaidapp.store.transactions.categories import (
    LOAN_PAYOUT,
    PRIMARY,
    TRANSFER_OUT,
    is_spending,
    is_transfer,
)
from plaidapp.store.transactions.category_tree import REST, chosen, primary_of
from plaidapp.store.transactions.filters import Filter
from plaidapp.store.transactions.monthly_totals import MonthlySum

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
        (Category("LOAN_DISBURSEMENTS", "LOAN_DISBURSEMENTS_AUTO"), "-9", None, LOAN_PAYOUT),
        (Category("SPACE_TRAVEL", "SPACE_TRAVEL_MOON"), "9", None, "SPACE_TRAVEL"),
        (Category("", ""), "9", None, "OTHER"),
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
    ("sent", "amount", "columns", "expected"),
    [
        (Category("TRAVEL", "TRAVEL_FLIGHTS"), "9", {}, "TRAVEL_FLIGHTS"),
        (Category("INCOME", "INCOME_WAGES"), "-9", {}, "INCOME_SALARY"),
        (None, "9", {}, "OTHER_OTHER"),
        (Category("TRAVEL", ""), "9", {}, "TRAVEL_OTHER_TRAVEL"),
        (Category("TRAVEL", "FOOD_AND_DRINK_COFFEE"), "9", {}, "TRAVEL_OTHER_TRAVEL"),
        (Category("SPACE_TRAVEL", "SPACE_TRAVEL_MOON"), "9", {}, "SPACE_TRAVEL_MOON"),
        (Category("SPACE_TRAVEL", ""), "9", {}, "SPACE_TRAVEL_OTHER"),
        (CARD, "9", {}, CARD.detailed),
        (CARD, "-9", {"other_side_id": 1}, CARD.detailed),
        (Category("TRAVEL", "TRAVEL_FLIGHTS"), "9", {"other_side_id": 1}, REST[TRANSFER_OUT]),
        (
            Category("TRANSFER_IN", "TRANSFER_IN_WIRE"),
            "-9",
            {"other_side_id": 1},
            "TRANSFER_IN_WIRE",
        ),
        (Category("TRAVEL", "TRAVEL_FLIGHTS"), "9", chosen("TRAVEL"), "TRAVEL_OTHER_TRAVEL"),
        (CARD, "9", chosen("MEDICAL_EYE_CARE"), "MEDICAL_EYE_CARE"),
        (None, "9", chosen(CARD.detailed), CARD.detailed),
        (None, "9", chosen("Ours"), "Ours_OTHER"),
    ],
)
def test_each_row_has_one_detailed_category(
    item, save, transaction, sent, amount, columns, expected
):
    """The part of its category that it counts under, the same in Python and in SQL."""
    save(item, transaction("t", amount=amount, category=sent))
    row = db.session.scalars(db.select(Transaction)).one()
    for name, value in columns.items():
        setattr(row, name, value)
    db.session.commit()
    assert row.detailed == expected
    assert db.session.scalar(db.select(Transaction.detailed)) == expected
    assert row.category in (primary_of(expected), "TRANSFER_IN", "Ours", "SPACE_TRAVEL")


SPENDING, INCOME, NEITHER = "spending", "income", "neither"


def kind_of(category, amount):
    if is_transfer(category):
        return NEITHER
    return SPENDING if is_spending(category, money_out=amount > 0) else INCOME


@pytest.mark.parametrize(
    ("category", "money_out", "money_in"),
    [
        ("TRANSFER_IN", NEITHER, NEITHER),
        ("TRANSFER_OUT", NEITHER, NEITHER),
        ("LOAN_DISBURSEMENTS", NEITHER, NEITHER),
        ("INCOME", INCOME, INCOME),
        ("LOAN_PAYMENTS", SPENDING, SPENDING),
        ("TRAVEL", SPENDING, SPENDING),
        ("OTHER", SPENDING, INCOME),
        ("A category that Plaid added", SPENDING, INCOME),
    ],
)
def test_a_row_is_a_transfer_or_income_or_spending(category, money_out, money_in):
    """Money in is spending if it is a refund: it reduces what was spent."""
    assert (kind_of(category, 1), kind_of(category, -1)) == (money_out, money_in)


def test_there_are_18_categories_most_of_which_are_for_purchases_and_refunds():
    assert len(set(PRIMARY)) == len(PRIMARY) == 18
    assert sum(is_spending(category, money_out=True) for category in PRIMARY) == 14
    assert sum(is_spending(category, money_out=False) for category in PRIMARY) == 13


@pytest.mark.parametrize(
    ("category", "money_in", "money_out", "spent"),
    [
        ("TRAVEL", "2.50", "12", "9.50"),
        ("TRAVEL", "8", "0", "-8"),
        ("TRAVEL", "12", "12", "0"),
        ("OTHER", "1000", "12", "12"),
        ("OTHER", "1000", "0", None),
        ("A category that Plaid added", "1000", "12", "12"),
        ("INCOME", "1000", "12", None),
        ("TRANSFER_OUT", "0", "12", None),
        ("LOAN_DISBURSEMENTS", "1000", "0", None),
    ],
)
def test_refunds_reduce_spending_and_deposits_do_not(category, money_in, money_out, spent):
    of_month = MonthlySum(date(2026, 1, 1), category, "USD", Decimal(money_in), Decimal(money_out))
    assert of_month.spent == (None if spent is None else Decimal(spent))


def test_the_version_of_a_category_is_stored(item, save, transaction):
    sent = Category("INCOME", "INCOME_WAGES"), Category("INCOME", "INCOME_SALARY", "v2"), None
    save(item, *(transaction(f"t{n}", category=each) for n, each in enumerate(sent)))
    query = db.select(Transaction.category_version).order_by(Transaction.plaid_transaction_id)
    assert db.session.scalars(query).all() == [None, "v2", None]


def test_flow_leaves_out_transfers_and_accounts_that_nobody_spends_from(
    owner, item, account, save, transaction
):
    types = {"a": "depository", "b": "credit", "c": "loan", "d": "investment"}
    accounts.save(owner, item.id, [account(key, type=kind) for key, kind in types.items()])
    sent = {
        "TRAVEL": Category("TRAVEL", "TRAVEL_FLIGHTS"),
        "TRANSFER_OUT": CARD,
        LOAN_PAYOUT: Category("LOAN_DISBURSEMENTS", "LOAN_DISBURSEMENTS_PERSONAL"),
    }
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
