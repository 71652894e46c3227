"""user_good: nine accounts, and two years of a plausible life in San Francisco."""

import functools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from sandbox import merchants as m
from sandbox.entries import Account, Entry

DAYS = 730
# A card purchase is pending until its second day after.
PENDING_DAYS = 2
# In cents: what is kept in checking for dearer months, and the least that is put by.
CUSHION, LEAST_SAVED = 290000, 5000

CHECKING, SAVING, CD, CARD, MONEY_MARKET, IRA, RETIREMENT, STUDENT_LOAN, MORTGAGE = range(9)

ACCOUNTS = (
    Account("Plaid Checking", "Plaid Gold Standard 0% Interest Checking",
            "depository", "checking", "0000", Decimal(100), Decimal(110)),
    Account("Plaid Saving", "Plaid Silver Standard 0.1% Interest Saving",
            "depository", "savings", "1111", Decimal(200), Decimal(210)),
    Account("Plaid CD", "Plaid Bronze Standard 0.2% Interest CD",
            "depository", "cd", "2222", None, Decimal(1000)),
    Account("Plaid Credit Card", "Plaid Diamond 12.5% APR Interest Credit Card",
            "credit", "credit card", "3333", None, Decimal(410), Decimal(2000)),
    Account("Plaid Money Market", "Plaid Platinum Standard 1.85% Interest Money Market",
            "depository", "money market", "4444", Decimal(43200), Decimal(43200)),
    Account("Plaid IRA", None, "investment", "ira", "5555", None, Decimal("320.76")),
    Account("Plaid 401k", None, "investment", "401k", "6666", None, Decimal("23631.9805")),
    Account("Plaid Student Loan", None, "loan", "student", "7777", None, Decimal(65262)),
    Account("Plaid Mortgage", None, "loan", "mortgage", "8888", None, Decimal("56302.06")),
)  # fmt: skip

# Day of the month, merchant, account; the month in which its price rises every year, and by how
# many cents. So at any time one rose within the last three months.
_SUBSCRIPTIONS = (
    (5, m.NETFLIX, CARD, 10, 250),
    (9, m.TMOBILE, CHECKING, 12, 300),
    (12, m.SPOTIFY, CARD, 7, 100),
    (17, m.FITNESS, CARD, 5, 150),
    (20, m.COMCAST, CHECKING, 2, 400),
)
PRICED = 2026
"""The year in which the merchants' prices were as they are listed, after the rise."""
SWITCHED = 10
"""The month in which the files move to the other of two providers, who gives a month for free."""
# Chance a day, where, account.
_HABITS = (
    (0.27, m.MARKETS, CARD),
    (0.36, m.KITCHENS, CARD),
    (0.33, m.CAFES, CHECKING),
    (0.24, m.RIDES, CARD),
    (0.13, m.SHOPS, CARD),
)


@functools.lru_cache(maxsize=8)
def history(seed: int, today: date) -> tuple[Entry, ...]:
    """Two years that end today, oldest first. The same for every Item of one seed and day."""
    life: list[Entry] = []
    for back in range(DAYS, -1, -1):
        day = today - timedelta(days=back)
        # What a day brings is the same whenever it is looked back at.
        life += _day(random.Random(f"fog months:{seed}:{day}"), day, today)
        life += _settle(life, day, today)
    return tuple(life)


def _day(dice: random.Random, day: date, today: date) -> Iterator[Entry]:
    yield from _bills(dice, day)
    yield from _moves(dice, day)
    for chance, places, account in _HABITS:
        happens = dice.random() < chance
        bought = purchase(dice, dice.choice(places), account, day, today)
        # The last days have every habit, so that there is always something pending.
        if happens or (today - day).days < PENDING_DAYS:
            yield bought
    if dice.random() < 0.02:
        yield _refund(dice, day)
    if day.month % 4 == 0 and day.day in (7, 8, 10):
        yield purchase(dice, dice.choice(m.JOURNEYS), CARD, day, today)
    if (day.month, day.day) == (12, 4):
        yield _bill(dice, m.ONEPASSWORD, CARD, day)


def purchase(
    dice: random.Random, merchant: m.Merchant, account: int, day: date, today: date
) -> Entry:
    """A card purchase made on `day`, which posts two days later."""
    amount = cents(dice.randint(merchant.low, merchant.high))
    name = f"{merchant.statement} #{dice.randint(100, 9999):04}"
    posted = day + timedelta(days=PENDING_DAYS)
    pending = posted > today
    return Entry(
        account, day if pending else posted, day, amount, name, merchant.category, merchant,
        channel=merchant.channel, pending=pending,
    )  # fmt: skip


def cents(amount: int) -> Decimal:
    """In dollars, without zeros at the end: 1540 is 15.4, as Plaid writes it."""
    return Decimal(amount) / 100


def _settle(life: list[Entry], day: date, today: date) -> list[Entry]:
    """Once a month the card is paid in full, and what is left beyond a cushion is put by.

    So the balances stay a household's own however far one looks back from today's. Those are low:
    today is such a day, and the cushion is put by as well.
    """
    last = (day + timedelta(days=1)).day == 1
    due = day.day == today.day or (last and day.day < today.day)
    if not due or (today - day).days == DAYS:
        return []
    owed = _moved(life, CARD, day)
    left = -_moved(life, CHECKING, day) - owed + (CUSHION if day == today else 0)
    saved = max(left // 1000 * 1000, LEAST_SAVED)
    return [
        _move(CHECKING, day, owed, "CREDIT CARD 3333 PAYMENT", m.CARD_PAYMENT),
        _move(CARD, day, -owed, "AUTOMATIC PAYMENT - THANK YOU", m.CARD_PAYMENT),
        _move(CHECKING, day, saved, "ONLINE TRANSFER TO MONEY MARKET ...4444", m.SAVINGS_OUT),
        _move(MONEY_MARKET, day, -saved, "ONLINE TRANSFER FROM CHECKING ...0000", m.TRANSFER_IN),
    ]


def _moved(life: list[Entry], account: int, until: date) -> int:
    """What an account's posted entries come to, in cents; positive is money out."""
    posted = (row for row in life if row.account == account and row.date <= until)
    return int(sum(row.amount for row in posted if not row.pending) * 100)


def _bills(dice: random.Random, day: date) -> Iterator[Entry]:
    """What merchants take on fixed days of the month."""
    for due, merchant, account, month, cents_more in _SUBSCRIPTIONS:
        if day.day == due:
            bill = _bill(dice, merchant, account, day)
            rises = day.year - PRICED - (day.month < month)
            yield replace(bill, amount=bill.amount + cents(cents_more * rises))
    if day.day == 3:
        provider = (m.DROPBOX, m.GOOGLE_ONE)[(day.year + (day.month < SWITCHED)) % 2]
        bill = _bill(dice, provider, CARD, day)
        if day.month != SWITCHED:
            yield bill
    if day.day == 8:
        yield _bill(dice, m.PGE, CHECKING, day)
    if day.day == 22 and day.month % 2:
        yield _bill(dice, m.EBMUD, CHECKING, day)


def _moves(dice: random.Random, day: date) -> Iterator[Entry]:
    """What moves between banks and accounts on fixed days of the month."""
    last = (day + timedelta(days=1)).day == 1
    if day.day in (5, 20):
        yield _move(CHECKING, day, -212865, "ACH CREDIT NORTHWIND TRADERS PAYROLL", m.WAGES)
    if day.day == 1:
        yield _move(CHECKING, day, 185000, "BAYVIEW APARTMENTS RENT", m.RENT)
    if day.day == 11:
        yield _move(CHECKING, day, 32460, "STUDENT LOAN SERVICING PAYMENT", m.STUDENT_LOAN)
        yield _move(STUDENT_LOAN, day, -32460, "PAYMENT RECEIVED", m.STUDENT_LOAN)
    if last:
        yield _move(SAVING, day, -dice.randint(14, 22), "INTEREST PAYMENT", m.INTEREST)
        yield _move(MONEY_MARKET, day, -dice.randint(6480, 6720), "INTEREST PAYMENT", m.INTEREST)


def _move(account: int, day: date, amount: int, name: str, category: m.Category) -> Entry:
    """A bank's own entry, which posts at once. `amount` is in cents."""
    return Entry(account, day, day, cents(amount), name, category)


def _bill(dice: random.Random, merchant: m.Merchant, account: int, day: date) -> Entry:
    amount = cents(dice.randint(merchant.low, merchant.high))
    return Entry(
        account, day, day, amount, merchant.statement, merchant.category, merchant,
        channel=merchant.channel,
    )  # fmt: skip


def _refund(dice: random.Random, day: date) -> Entry:
    shop = dice.choice(m.SHOPS)
    amount = -cents(dice.randint(shop.low, shop.high // 2 + shop.low))
    name = f"{shop.statement} REFUND"
    return Entry(CARD, day, day, amount, name, shop.category, shop, channel=shop.channel)
