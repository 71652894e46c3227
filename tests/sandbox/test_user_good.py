"""The default household's flows fit its balances: reversed from today's, no account runs away."""

from datetime import date, timedelta

import pytest

from sandbox import user_good
from sandbox.user_good import CARD, CHECKING, MONEY_MARKET, SAVING

DAYS = [date(2026, 11, 22), date(2026, 3, 15), date(2026, 1, 31), date(2024, 2, 29)]


def balances(transactions, account):
    """The end of every day that something posted, oldest first; before all of them, too."""
    card = user_good.ACCOUNTS[account].type == "credit"
    balance = user_good.ACCOUNTS[account].current
    posted = [row for row in transactions if row.account == account and not row.pending]
    ends = {}
    for row in sorted(posted, key=lambda row: row.date, reverse=True):
        ends.setdefault(row.date, balance)
        balance += -row.amount if card else row.amount
    return [balance, *reversed(ends.values())]


@pytest.mark.parametrize("today", DAYS, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_no_balance_runs_away(seed, today):
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


def test_a_day_is_always_the_same():
    user_good.history.cache_clear()
    first = user_good.history(3, DAYS[0])
    user_good.history.cache_clear()
    assert user_good.history(3, DAYS[0]) == first != user_good.history(4, DAYS[0])


def test_two_years_are_there():
    transactions = user_good.history(0, DAYS[0])
    assert len(transactions) == 1457
    assert min(row.date for row in transactions) >= DAYS[0] - timedelta(days=user_good.HISTORY_DAYS)


@pytest.mark.parametrize("month", range(1, 13))
def test_a_price_rose_lately_and_something_was_cancelled_whatever_the_month(month):
    today = date(2027, month, 25)
    bills = {}
    for row in user_good.history(0, today):
        if row.merchant:
            bills.setdefault(row.merchant.name, []).append(row)

    def risen(name):
        """When the price of today was taken first."""
        return min(row.date for row in bills[name] if row.amount == bills[name][-1].amount)

    rises = [risen(merchant.name) for _, merchant, *_ in user_good._SUBSCRIPTIONS]
    assert max(rises) > today - timedelta(days=92)
    assert any((today - bills[name][-1].date).days > 45 for name in ("Dropbox", "Google One"))
