"""user_good, Plaid's default test user: nine accounts, and two years of plausible transactions.

The person lives in San Francisco. Everything follows from the seed and the day.
"""

import functools
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from sandbox import merchants as m
from sandbox.bank_records import Account, Transaction

HISTORY_DAYS = 730
# A card purchase posts this many days later.
PENDING_DAYS = 2
# In cents: what stays in checking for expensive months, and the least that is saved each month.
CHECKING_CUSHION, MIN_SAVED = 290000, 5000

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

# Day of the month, merchant, account, the month in which its price rises every year, and the rise
# in cents. The months are spread so that at least one price rose in any three months.
_SUBSCRIPTIONS = (
    (5, m.NETFLIX, CARD, 10, 250),
    (9, m.TMOBILE, CHECKING, 12, 300),
    (12, m.SPOTIFY, CARD, 7, 100),
    (17, m.FITNESS, CARD, 5, 150),
    (20, m.COMCAST, CHECKING, 2, 400),
)
PRICE_YEAR = 2026
"""The year whose prices, after the rise, are the ones listed in `merchants`."""
SWITCH_MONTH = 10
"""The month in which the user switches to the other storage provider. That month is free."""
# Daily probability, merchants, account.
_HABITS = (
    (0.27, m.GROCERY_STORES, CARD),
    (0.36, m.RESTAURANTS, CARD),
    (0.33, m.CAFES, CHECKING),
    (0.24, m.TRANSPORT, CARD),
    (0.13, m.SHOPS, CARD),
)


@functools.lru_cache(maxsize=8)
def history(seed: int, today: date) -> tuple[Transaction, ...]:
    """Return two years of transactions up to today, oldest first.

    Every Item with the same seed and day gets the same ones.
    """
    transactions: list[Transaction] = []
    for days_ago in range(HISTORY_DAYS, -1, -1):
        day = today - timedelta(days=days_ago)
        # Seeded by the day alone, so that a past day looks the same from any later day.
        transactions += _day_transactions(random.Random(f"fog months:{seed}:{day}"), day, today)
        transactions += _monthly_transfers(transactions, day, today)
    return tuple(transactions)


def _day_transactions(rng: random.Random, day: date, today: date) -> Iterator[Transaction]:
    yield from _bills(rng, day)
    yield from _regular_payments(rng, day)
    for chance, places, account in _HABITS:
        is_bought = rng.random() < chance
        possible = purchase(rng, rng.choice(places), account, day, today)
        # The last days include every kind of purchase, so that something is always pending.
        if is_bought or (today - day).days < PENDING_DAYS:
            yield possible
    if rng.random() < 0.02:
        yield _refund(rng, day)
    if day.month % 4 == 0 and day.day in (7, 8, 10):
        yield purchase(rng, rng.choice(m.TRAVEL), CARD, day, today)
    if (day.month, day.day) == (12, 4):
        yield _bill(rng, m.ONEPASSWORD, CARD, day)


def purchase(
    rng: random.Random, merchant: m.Merchant, account: int, day: date, today: date
) -> Transaction:
    """Create a card purchase made on `day`, which posts two days later."""
    amount = cents(rng.randint(merchant.low, merchant.high))
    name = f"{merchant.statement} #{rng.randint(100, 9999):04}"
    posted = day + timedelta(days=PENDING_DAYS)
    pending = posted > today
    return Transaction(
        account, day if pending else posted, day, amount, name, merchant.category, merchant,
        channel=merchant.channel, pending=pending,
    )  # fmt: skip


def cents(amount: int) -> Decimal:
    """Convert cents to dollars without trailing zeros, like Plaid: 1540 becomes 15.4."""
    return Decimal(amount) / 100


def _monthly_transfers(
    transactions: list[Transaction], day: date, today: date
) -> list[Transaction]:
    """Once a month, pay the card in full and save what checking has beyond a cushion.

    This keeps past balances plausible when they are computed back from today's balances, which
    are low. So today is always such a day, and the cushion is saved as well.
    """
    is_month_end = (day + timedelta(days=1)).day == 1
    is_due = day.day == today.day or (is_month_end and day.day < today.day)
    if not is_due or (today - day).days == HISTORY_DAYS:
        return []
    owed = _posted_cents(transactions, CARD, day)
    surplus = -_posted_cents(transactions, CHECKING, day) - owed
    if day == today:
        surplus += CHECKING_CUSHION
    saved = max(surplus // 1000 * 1000, MIN_SAVED)
    return [
        _payment(CHECKING, day, owed, "CREDIT CARD 3333 PAYMENT", m.CARD_PAYMENT),
        _payment(CARD, day, -owed, "AUTOMATIC PAYMENT - THANK YOU", m.CARD_PAYMENT),
        _payment(CHECKING, day, saved, "ONLINE TRANSFER TO MONEY MARKET ...4444", m.SAVINGS_OUT),
        _payment(MONEY_MARKET, day, -saved, "ONLINE TRANSFER FROM CHECKING ...0000", m.TRANSFER_IN),
    ]


def _posted_cents(transactions: list[Transaction], account: int, until: date) -> int:
    """Return the sum of an account's posted transactions in cents; positive is money out."""
    posted = (row for row in transactions if row.account == account and row.date <= until)
    return int(sum(row.amount for row in posted if not row.pending) * 100)


def _bills(rng: random.Random, day: date) -> Iterator[Transaction]:
    """Yield the bills due on `day`: subscriptions, storage, utilities."""
    for due_day, merchant, account, month, rise in _SUBSCRIPTIONS:
        if day.day == due_day:
            bill = _bill(rng, merchant, account, day)
            years = day.year - PRICE_YEAR - (day.month < month)
            yield replace(bill, amount=bill.amount + cents(rise * years))
    if day.day == 3:
        provider = (m.DROPBOX, m.GOOGLE_ONE)[(day.year + (day.month < SWITCH_MONTH)) % 2]
        bill = _bill(rng, provider, CARD, day)
        if day.month != SWITCH_MONTH:
            yield bill
    if day.day == 8:
        yield _bill(rng, m.PGE, CHECKING, day)
    if day.day == 22 and day.month % 2:
        yield _bill(rng, m.EBMUD, CHECKING, day)


def _regular_payments(rng: random.Random, day: date) -> Iterator[Transaction]:
    """Yield the pay, rent, loan payment and interest of `day`."""
    is_month_end = (day + timedelta(days=1)).day == 1
    if day.day in (5, 20):
        yield _payment(CHECKING, day, -212865, "ACH CREDIT NORTHWIND TRADERS PAYROLL", m.WAGES)
    if day.day == 1:
        yield _payment(CHECKING, day, 185000, "BAYVIEW APARTMENTS RENT", m.RENT)
    if day.day == 11:
        yield _payment(
            CHECKING, day, 32460, "STUDENT LOAN SERVICING PAYMENT", m.STUDENT_LOAN_PAYMENT
        )
        yield _payment(STUDENT_LOAN, day, -32460, "PAYMENT RECEIVED", m.STUDENT_LOAN_PAYMENT)
    if is_month_end:
        yield _payment(SAVING, day, -rng.randint(14, 22), "INTEREST PAYMENT", m.INTEREST)
        yield _payment(MONEY_MARKET, day, -rng.randint(6480, 6720), "INTEREST PAYMENT", m.INTEREST)


def _payment(account: int, day: date, amount: int, name: str, category: m.Category) -> Transaction:
    """Create a transaction without a merchant, which posts at once. `amount` is in cents."""
    return Transaction(account, day, day, cents(amount), name, category)


def _bill(rng: random.Random, merchant: m.Merchant, account: int, day: date) -> Transaction:
    amount = cents(rng.randint(merchant.low, merchant.high))
    return Transaction(
        account, day, day, amount, merchant.statement, merchant.category, merchant,
        channel=merchant.channel,
    )  # fmt: skip


def _refund(rng: random.Random, day: date) -> Transaction:
    shop = rng.choice(m.SHOPS)
    amount = -cents(rng.randint(shop.low, shop.high // 2 + shop.low))
    name = f"{shop.statement} REFUND"
    return Transaction(CARD, day, day, amount, name, shop.category, shop, channel=shop.channel)
