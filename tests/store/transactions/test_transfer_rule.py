"""Which rows are the two sides of a transfer: a function of the rows, without a database."""

import random
from datetime import date, timedelta
from itertools import count

import pytest

from plaidapp.store.transactions import transfer_rule
from plaidapp.store.transactions.transfer_rule import DAYS, REACH
from plaidapp.store.transactions.transfer_sides import Side

DAY = date(2026, 11, 2)
ACCOUNTS = {
    "checking": ("depository", "checking", "0000"),
    "joint": ("depository", "checking", "0009"),
    "savings": ("depository", "savings", "1111"),
    "card": ("credit", "credit card", "3333"),
    "other card": ("credit", "credit card", "4444"),
    "loan": ("loan", "student", "7777"),
    "brokerage": ("investment", "brokerage", "5555"),
}
numbers = count(1)


def side(
    account, amount, name="ROW", after=0, category=None, merchant=None, detailed=None, **changes
):
    number = next(numbers)
    kind, subtype, mask = ACCOUNTS[account]
    fields = {
        "id": number,
        "plaid_transaction_id": f"t{number}",
        "account_id": list(ACCOUNTS).index(account),
        "account_type": kind,
        "account_subtype": subtype,
        "account_mask": mask,
        "date": DAY + timedelta(days=after),
        "amount": amount,
        "currency": "USD",
        "name": name,
        "merchant_name": merchant,
        "category": category,
        "detailed": detailed,
        "is_separated": False,
    }
    return Side(**fields | changes)


def matched(*sides):
    """Return the matches as the positions of the two rows: where money leaves, where it arrives."""
    places = {row.id: place for place, row in enumerate(sides)}
    return sorted((places[out.id], places[into.id]) for out, into in transfer_rule.pairs(sides))


TRANSFERS = {
    "both banks call it one": (
        side("checking", 500, category="TRANSFER_OUT"),
        side("savings", -500, category="TRANSFER_IN"),
    ),
    "one bank calls it one": (
        side("checking", 500, category="GENERAL_SERVICES"),
        side("savings", -500, category="TRANSFER_IN"),
    ),
    "the description says so": (
        side("checking", 500, "ONLINE XFER 1", category="GENERAL_MERCHANDISE"),
        side("savings", -500, category="INCOME"),
    ),
    "the description names the other account's number": (
        side("checking", 500, "TO ...1111", category="RENT_AND_UTILITIES"),
        side("savings", -500, category="INCOME"),
    ),
    "the description names the other account's kind": (
        side("checking", 500, "Move", category="FOOD_AND_DRINK"),
        side("savings", -500, "FROM CHECKING", category="INCOME"),
    ),
    "a card is paid": (
        side("checking", 500, "CARD SERVICES", category="GENERAL_SERVICES"),
        side("card", -500, "PAYMENT - THANK YOU", category="INCOME"),
    ),
    "a loan is paid": (
        side("checking", 500, category="LOAN_PAYMENTS"),
        side("loan", -500),
    ),
    "both sides say payment": (
        side("checking", 500, "PAYMENT 1"),
        side("savings", -500, "PAYMENT RECEIVED"),
    ),
    "cash from a card": (
        side("card", 500, "CASH", category="TRANSFER_OUT"),
        side("checking", -500),
    ),
    "to a brokerage, over a weekend": (
        side("checking", 500, category="TRANSFER_OUT"),
        side("brokerage", -500, after=DAYS),
    ),
    "the card is faster than checking": (
        side("checking", 500, "CARD PAYMENT", after=4),
        side("card", -500, "AUTOPAY"),
    ),
    "a merchant is named, but the category is a transfer": (
        side("checking", 500, category="TRANSFER_OUT", merchant="Ally Bank"),
        side("savings", -500, category="TRANSFER_IN"),
    ),
    "no hint, but both descriptions have only words of banks": (
        side("checking", 500, "ACH DEBIT 00715", category="FOOD_AND_DRINK"),
        side("savings", -500, "Deposit", after=2, category="INCOME"),
    ),
    "the person pays themselves with Zelle": (
        side("checking", 500, "Zelle payment to Olive Olsen JPM12", category="GENERAL_SERVICES"),
        side("savings", -500, "ZELLE FROM OLIVE OLSEN", category="TRANSFER_IN"),
    ),
    "Zelle without a name": (
        side("checking", 500, "ZELLE SENT 12", category="TRANSFER_OUT"),
        side("savings", -500, "ZELLE", category="TRANSFER_IN"),
    ),
    "interest that moves on to checking": (
        side("savings", 5, "INTEREST TO CHECKING"),
        side("checking", -5, "INTEREST TRANSFER FROM SAVINGS", category="INCOME"),
    ),
    "cash from an ATM that is paid in elsewhere": (
        side("checking", 20, "ATM WITHDRAWAL 77", category="TRANSFER_OUT"),
        side("savings", -20, "CASH DEPOSIT", category="TRANSFER_IN"),
    ),
    "no hint, and no description": (
        side("checking", 500, "", category="GENERAL_SERVICES"),
        side("card", -500, "0000 4711", category="GENERAL_MERCHANDISE"),
    ),
    "no hint, but both name the person": (
        side("checking", 500, "Olive Olsen 17", category="RENT_AND_UTILITIES"),
        side("savings", -500, "OLIVE OLSEN", category="INCOME"),
    ),
}
NO_TRANSFERS = {
    "two people are paid with Zelle": (
        side("checking", 500, "ZELLE TO ANNA", category="TRANSFER_OUT"),
        side("savings", -500, "ZELLE FROM BEN", category="TRANSFER_IN"),
    ),
    "two people are paid with Interac": (
        side("checking", 500, "INTERAC E-TRANSFER TO ANNA", category="TRANSFER_OUT"),
        side("savings", -500, "INTERAC E-TRANSFER FROM BEN", category="TRANSFER_IN"),
    ),
    "rent, and a roommate's part": (
        side("checking", 500, "Zelle payment to Lee Land Conf# 1", category="RENT_AND_UTILITIES"),
        side("savings", -500, "Zelle payment from Ro Mate Conf# 2", category="TRANSFER_IN"),
    ),
    "a friend pays back a purchase from a checking account": (
        side("checking", 50, "PIZZERIA", category="FOOD_AND_DRINK"),
        side("joint", -50, "INTERAC E-TRANSFER FROM JO", category="TRANSFER_IN"),
    ),
    "cash from an ATM and money from a friend": (
        side("checking", 20, "ATM WITHDRAWAL 77", category="TRANSFER_OUT"),
        side("savings", -20, "JO SMITH", category="INCOME"),
    ),
    "money to a friend and a refund": (
        side("checking", 20, "TRANSFER TO JO", category="TRANSFER_OUT"),
        side("card", -20, "SHOE SHOP REFUND", category="GENERAL_MERCHANDISE"),
    ),
    "a transfer and pay, by its description": (
        side("savings", 2000, "TRANSFER TO JO", category="TRANSFER_OUT"),
        side("checking", -2000, "ACME PAYROLL TRANSFER", category="INCOME"),
    ),
    "rent and a tax refund": (
        side("savings", 2000, "ACH DEBIT", category="RENT_AND_UTILITIES"),
        side("checking", -2000, "DEPOSIT", category="INCOME", detailed="INCOME_TAX_REFUND"),
    ),
    "a builder and a loan": (
        side("savings", 9000, "WITHDRAWAL", category="HOME_IMPROVEMENT"),
        side("checking", -9000, "DEPOSIT", detailed="LOAN_DISBURSEMENTS_PERSONAL"),
    ),
    "a transfer and interest": (
        side("savings", 20, "TRANSFER TO JO", category="TRANSFER_OUT"),
        side("checking", -20, detailed="INCOME_INTEREST_EARNED"),
    ),
    "two checks": (
        side("checking", 900, "CHECK 1"),
        side("savings", -900, "CHECK 2", category="INCOME"),
    ),
    "a purchase and a refund without a category": (
        side("checking", 20, "GROCER 1"),
        side("joint", -20, "GROCER 2"),
    ),
    "a bill and a tenant's rent, which both say payment": (
        side("checking", 900, "POWER CO PAYMENT", category="RENT_AND_UTILITIES"),
        side("savings", -900, "PAYMENT FROM TENANT", category="INCOME"),
    ),
    "a purchase and a friend's deposit, without categories": (
        side("checking", 20, "CORNER SHOP"),
        side("savings", -20, "JO SMITH"),
    ),
    "a purchase and a deposit": (
        side("checking", 20, "CORNER SHOP", category="FOOD_AND_DRINK"),
        side("joint", -20, "DEPOSIT", category="INCOME"),
    ),
    "a withdrawal and a friend's deposit": (
        side("checking", 20, "WITHDRAWAL"),
        side("joint", -20, "JO SMITH", category="INCOME"),
    ),
    "a check to somebody": (
        side("checking", 900, "CHECK 1234"),
        side("savings", -900, "DEPOSIT"),
    ),
    "a purchase at a shop and its refund to a card": (
        side("checking", 20, "CORNER SHOP 1", category="FOOD_AND_DRINK"),
        side("card", -20, "CORNER SHOP 2", category="FOOD_AND_DRINK"),
    ),
    "a purchase on a card and a deposit": (
        side("card", 20, "DEBIT"),
        side("checking", -20, "DEPOSIT"),
    ),
    "pay that the bank puts under another category": (
        side("savings", 2000, "WITHDRAWAL"),
        side("checking", -2000, "DIRECT DEPOSIT", category="INCOME"),
    ),
    "pay without a name": (
        side("savings", 2000, "WITHDRAWAL"),
        side("checking", -2000, "DEPOSIT", category="INCOME", detailed="INCOME_WAGES"),
    ),
    "a purchase and a refund": (
        side("checking", 20, "GROCER", category="FOOD_AND_DRINK"),
        side("card", -20, "SHOP", category="GENERAL_MERCHANDISE"),
    ),
    "a purchase and a refund with merchants": (
        side("card", 20, merchant="Grocer"),
        side("other card", -20, merchant="Shop"),
    ),
    "a friend pays back a purchase on a card": (
        side("card", 50, "PIZZERIA"),
        side("checking", -50, "ZELLE FROM JO", category="TRANSFER_IN"),
    ),
    "a friend pays back a purchase at a merchant": (
        side("joint", 50, merchant="Pizzeria"),
        side("checking", -50, "ZELLE FROM JO", category="TRANSFER_IN"),
    ),
    "cash and a refund": (
        side("checking", 100, category="TRANSFER_OUT"),
        side("card", -100, merchant="Shop"),
    ),
    "pay and a transfer": (
        side("savings", 2000, category="TRANSFER_OUT"),
        side("checking", -2000, "PAYROLL", category="INCOME", detailed="INCOME_WAGES"),
    ),
    "a bill that says payment": (
        side("checking", 70, "PHONE PAYMENT"),
        side("savings", -70),
    ),
    "the same account": (
        side("checking", 500, category="TRANSFER_OUT"),
        side("checking", -500, category="TRANSFER_IN"),
    ),
    "another amount": (
        side("checking", 500, category="TRANSFER_OUT"),
        side("savings", -501, category="TRANSFER_IN"),
    ),
    "another currency": (
        side("checking", 500, category="TRANSFER_OUT"),
        side("savings", -500, category="TRANSFER_IN", currency="CAD"),
    ),
    "too late": (
        side("checking", 500, category="TRANSFER_OUT"),
        side("savings", -500, category="TRANSFER_IN", after=DAYS + 1),
    ),
    "both out": (
        side("checking", 500, category="TRANSFER_OUT"),
        side("savings", 500, category="TRANSFER_OUT"),
    ),
    "nothing is moved": (
        side("checking", 0, category="TRANSFER_OUT"),
        side("savings", 0, category="TRANSFER_IN"),
    ),
    "separated by the person": (
        side("checking", 500, category="TRANSFER_OUT", is_separated=True),
        side("savings", -500, category="TRANSFER_IN", is_separated=True),
    ),
}


@pytest.mark.parametrize("rows", TRANSFERS.values(), ids=TRANSFERS)
def test_transfers(rows):
    assert matched(*rows) == [(0, 1)]


@pytest.mark.parametrize("rows", NO_TRANSFERS.values(), ids=NO_TRANSFERS)
def test_no_transfers(rows):
    assert matched(*rows) == []


def leaves(account="checking", **changes):
    return side(account, 500, **{"category": "TRANSFER_OUT"} | changes)


def arrives(account="savings", **changes):
    return side(account, -500, **{"category": "TRANSFER_IN"} | changes)


def test_the_nearest_day_comes_first():
    assert matched(leaves(), arrives(after=2), arrives("brokerage", after=1)) == [(0, 2)]
    assert matched(leaves(after=2), arrives(after=3), arrives("brokerage", after=1)) == [(0, 1)]


def test_every_week_is_matched_with_its_own():
    weeks = [
        row for week in range(0, 70, 7) for row in (leaves(after=week), arrives(after=week + 3))
    ]
    assert matched(*weeks) == [(place, place + 1) for place in range(0, len(weeks), 2)]


def test_on_one_day_the_better_hint_comes_first():
    named = leaves(name="TRANSFER TO SAVINGS ...1111")
    assert matched(leaves("joint"), named, arrives()) == [(1, 2)]
    assert matched(leaves("joint", category=None), leaves(), arrives()) == [(1, 2)]


def test_a_hint_comes_before_the_nearest_day_of_rows_without_one():
    deposit = side("savings", -500, "DEPOSIT", after=4)
    plain = side("joint", 500, "WITHDRAWAL", after=4)
    assert matched(leaves(), plain, deposit) == [(0, 2)]
    assert matched(leaves(category=None, name="DEBIT"), plain, deposit) == [(1, 2)]


def test_rows_that_cannot_be_told_apart_are_left_alone():
    assert matched(leaves(), leaves("joint"), arrives()) == []
    assert matched(leaves(), leaves("joint"), arrives(), arrives("brokerage", after=1)) == []


def test_equal_rows_are_matched_if_none_is_left_over():
    found = matched(leaves(), leaves("joint"), arrives(), arrives("brokerage"))
    assert sorted(out for out, _ in found) == [0, 1]
    assert sorted(into for _, into in found) == [2, 3]


def test_one_of_equal_rows_is_matched_if_they_are_alike():
    assert matched(leaves(name="B"), leaves(name="A"), arrives()) == [(1, 2)]
    assert matched(leaves(), leaves(category="LOAN_PAYMENTS", name="TRANSFER"), arrives()) == []


def test_the_equal_row_that_is_left_over_may_match_on_another_day():
    rows = leaves(name="A"), leaves(name="B"), arrives(), arrives("brokerage", after=2)
    assert matched(*rows) == [(0, 2), (1, 3)]


def test_of_two_separated_rows_each_may_match_another():
    rows = leaves(is_separated=True), arrives(is_separated=True), arrives("brokerage", after=1)
    assert matched(*rows) == [(0, 2)]


def test_more_equal_rows_than_anyone_can_tell_apart_are_left_alone():
    most = transfer_rule.MOST_ALIKE
    few, many = ([leaves() for _ in range(number)] for number in (most, most + 1))
    assert len(matched(*few, *(arrives() for _ in few))) == most
    assert matched(*many, *(arrives() for _ in many)) == []


def some_rows(dice, number, days):
    return [
        side(
            dice.choice(list(ACCOUNTS)),
            dice.choice([100, -100]),
            dice.choice(["TRANSFER", "PAYMENT", "TO SAVINGS", "SHOP", "DEPOSIT"]),
            after=dice.randrange(days),
            category=dice.choice(["TRANSFER_IN", "TRANSFER_OUT", None]),
            is_separated=dice.random() < 0.1,
        )
        for _ in range(number)
    ]


@pytest.mark.parametrize("seed", range(30))
def test_the_order_of_the_rows_makes_no_difference(seed):
    dice = random.Random(seed)
    rows = some_rows(dice, 60, 40)
    found = set(transfer_rule.pairs(rows))
    assert found
    dice.shuffle(rows)
    assert set(transfer_rule.pairs(rows)) == found
    both = [row for pair in found for row in pair]
    assert len(both) == len(set(both))


@pytest.mark.parametrize("seed", range(30))
def test_no_row_has_an_influence_beyond_its_reach(seed):
    dice = random.Random(seed)
    rows = some_rows(dice, 250, 600)
    changed = dice.choice(rows)
    near = {row for row in rows if abs((row.date - changed.date).days) <= REACH}
    before = set(transfer_rule.pairs(rows))
    after = set(transfer_rule.pairs(row for row in rows if row is not changed))
    assert all(near.issuperset(pair) for pair in before ^ after)
