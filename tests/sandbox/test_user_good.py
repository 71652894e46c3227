"""user_good's transactions fit its balances: past balances stay plausible on every account."""

from collections import Counter
from datetime import date, timedelta

import pytest

from sandbox import user_good
from sandbox.user_good import CARD, CHECKING, MONEY_MARKET, SAVING

TODAY = date(2026, 3, 15)  # the date of conftest's clock
DAYS = [date(2026, 11, 22), date(2026, 3, 15), date(2026, 1, 31), date(2024, 2, 29)]


def balances(transactions, account):
    """Return the balance before the first transaction and at the end of each day, oldest first."""
    card = user_good.ACCOUNTS[account].type == "credit"
    balance = user_good.ACCOUNTS[account].current
    posted = [row for row in transactions if row.account == account and not row.pending]
    day_ends = {}
    for row in sorted(posted, key=lambda row: row.date, reverse=True):
        day_ends.setdefault(row.date, balance)
        balance += -row.amount if card else row.amount
    return [balance, *reversed(day_ends.values())]


@pytest.mark.parametrize("today", DAYS, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_past_balances_stay_plausible(seed, today):
    transactions = user_good.history(seed, today)
    checking, card = balances(transactions, CHECKING), balances(transactions, CARD)
    assert -1000 < min(checking) <= max(checking) < 9000
    assert 200 < min(card) <= max(card) < 4000
    assert min(balances(transactions, SAVING)) > 200
    market = balances(transactions, MONEY_MARKET)
    assert market == sorted(market)
    assert 25000 < market[0] < 41000


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_the_card_is_paid_in_full_every_month(today):
    transactions = user_good.history(0, today)
    paid = [row for row in transactions if row.name == "AUTOMATIC PAYMENT - THANK YOU"]
    assert len(paid) == 24
    for row in paid:
        posted = [
            other.amount
            for other in transactions
            if other.account == CARD and other.date <= row.date and not other.pending
        ]
        assert sum(posted) == 0
    assert paid[-1].date == today


def test_the_seed_determines_the_history():
    user_good.history.cache_clear()
    first = user_good.history(3, DAYS[0])
    user_good.history.cache_clear()
    assert user_good.history(3, DAYS[0]) == first != user_good.history(4, DAYS[0])


def test_history_covers_two_years():
    transactions = user_good.history(0, DAYS[0])
    assert len(transactions) == 1457
    assert min(row.date for row in transactions) >= DAYS[0] - timedelta(days=user_good.HISTORY_DAYS)


@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_has_a_recent_price_rise_and_a_cancellation(month):
    today = date(2027, month, 25)
    bills = {}
    for row in user_good.history(0, today):
        if row.merchant:
            bills.setdefault(row.merchant.name, []).append(row)

    def price_since(name):
        """Return the day on which the current price was first charged."""
        return min(row.date for row in bills[name] if row.amount == bills[name][-1].amount)

    rises = [price_since(merchant.name) for _, merchant, *_ in user_good._SUBSCRIPTIONS]
    assert max(rises) > today - timedelta(days=92)
    assert any((today - bills[name][-1].date).days > 45 for name in ("Dropbox", "Google One"))


def test_served_transactions(live):
    rows = live.sync_all(live.link_ready())[0]["added"]
    assert 1200 <= len(rows) <= 1600
    names = Counter(row["name"] for row in rows)
    assert 46 <= names["ACH CREDIT NORTHWIND TRADERS PAYROLL"] <= 50
    assert all(row["amount"] < 0 for row in rows if "PAYROLL" in row["name"])
    assert {row["amount"] for row in rows if row["name"] == "BAYVIEW APARTMENTS RENT"} == {1850}
    prices = [row["amount"] for row in rows if row["merchant_name"] == "Spotify"]
    assert prices == sorted(prices, reverse=True)  # the newest rows come first
    assert len(set(prices)) == 3
    pending = [row for row in rows if row["pending"]]
    assert pending
    assert all(row["date"] >= str(TODAY - timedelta(days=1)) for row in pending)
    transfers = [row["amount"] for row in rows if "TRANSFER" in row["name"]]
    assert sum(transfers) == 0
    assert any("REFUND" in row["name"] and row["amount"] < 0 for row in rows)
    assert max(row["date"] for row in rows) == str(TODAY)
    assert min(row["date"] for row in rows) <= str(TODAY - timedelta(days=725))
