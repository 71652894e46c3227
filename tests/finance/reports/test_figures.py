"""The dashboard's figures, compared with figures computed by hand."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import event, update
from werkzeug.datastructures import MultiDict

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.finance.base import leading_currency
from plaidapp.finance.reports import (
    account_balances,
    figures,
    income_and_spending,
    net_worth,
)
from plaidapp.finance.reports.income_and_spending import Month
from plaidapp.finance.transactions.filter_form import ExplorerForm
from plaidapp.store import Account
from plaidapp.store.connections import accounts, balances, items, state_changes
from plaidapp.store.reports import derived
from plaidapp.store.transactions import filter_totals
from tests import stored

TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)


@pytest.fixture
def item(owner):
    found = items.add(user_id=owner, plaid_item_id="item-1", access_token=b"sealed")
    db.session.commit()
    return found


@pytest.fixture
def bank(owner, item, set_clock):
    """Save accounts and rows as a sync of TODAY does.

    Accounts are (key, type, current) or (..., currency, available, limit); rows (account, age in
    days, amount, category) or (..., currency).
    """
    set_clock("2026-11-22T12:00Z")

    def save(listed, rows=()):
        saved = accounts.save(owner, item.id, [account(*each) for each in listed])
        sent = [transaction(f"t{number}", *row) for number, row in enumerate(rows)]
        ids = saved.ids
        stored.save(owner, item.id, ids, sent)
        derived.refresh({(ids[row.account_id], row.date) for row in sent}, saved.reported_days)
        db.session.commit()
        return ids

    return save


def account(key, kind, current, currency="USD", available=None, limit=None):
    amounts = {"current": current, "available": available, "limit": limit}
    given = payloads.Balances(
        **{name: None if sent is None else Decimal(sent) for name, sent in amounts.items()},
        iso_currency_code=currency,
    )
    return payloads.PlaidAccount(account_id=key, name=key, type=kind, balances=given)


def transaction(plaid_id, key, age, amount, category, currency="USD", pending=False):
    return payloads.PlaidTransaction(
        transaction_id=plaid_id,
        account_id=key,
        amount=Decimal(amount),
        date=TODAY - age * DAY if isinstance(age, int) else date.fromisoformat(age),
        pending=pending,
        name="row",
        iso_currency_code=currency,
        category=payloads.Category(category, f"{category}_X"),
    )


def shown(owner, period="6M"):
    return figures.of_user(owner, period, TODAY)


HOUSEHOLD = [
    ("checking", "depository", "110"),
    ("card", "credit", "410"),
    ("ira", "investment", "320.76"),
    ("house", "loan", "5000"),
    ("gold", "other", "7"),
]


def test_net_worth_is_assets_minus_debts(owner, bank):
    bank(HOUSEHOLD)
    (result,) = shown(owner).net_worth
    assert result.currency == "USD"
    assert result.value == Decimal("110") + Decimal("320.76") + 7 - 410 - 5000


def test_closed_accounts_of_a_replaced_connection_have_no_figures(owner, item, bank):
    ids = bank(HOUSEHOLD[:2])
    accounts.close_missing(item.id, [])
    state_changes.replace(item.id)
    db.session.commit()
    balances = account_balances.of_user(owner, "6M", TODAY)
    assert {each.account.id for each in balances} == set(ids.values())
    assert (shown(owner).net_worth, shown(owner).groups) == ([], [])


def test_the_net_worth_of_past_days_is_computed_backward_from_today(owner, bank):
    bank(
        HOUSEHOLD[:2],
        [
            ("checking", 1, "30", "FOOD_AND_DRINK"),
            ("checking", 3, "-1000", "INCOME"),
            ("card", 2, "50.5", "TRAVEL"),
            ("card", 0, "9", "TRAVEL"),
        ],
    )
    (result,) = shown(owner, "all").net_worth
    days = [TODAY - age * DAY for age in (4, 3, 2, 1, 0)]
    # Checking: -860 140 140 110 110. The card: 350.5 350.5 401 401 410.
    values = ["-1210.5", "-210.5", "-261", "-291", "-300"]
    points = result.chart.points
    assert points["days"] == [day.isoformat() for day in days]
    assert (points["currency"], points["values"], points["estimated"]) == ("USD", values, 1)
    assert result.value == result.values[-1] == -300
    assert result.change == Decimal("-300") - Decimal("-1210.5")
    assert result.has_change
    assert estimates(result) == [(TODAY - 3 * DAY, False, ["card"])]


def estimates(result):
    return [
        (each.day, each.by_bank, [row.name for row in each.accounts]) for each in result.estimates
    ]


def test_estimates_are_listed_by_the_day_they_end(owner, bank):
    bank(HOUSEHOLD, [("checking", 40, "10", "TRAVEL"), ("card", 20, "10", "TRAVEL")])
    (result,) = shown(owner, "all").net_worth
    assert result.dates[0] == TODAY - 41 * DAY
    assert estimates(result) == [
        (TODAY - 21 * DAY, False, ["card"]),
        (TODAY, True, ["ira", "house", "gold"]),
    ]
    assert result.values[0] == 120 - 400 + Decimal("320.76") - 5000 + 7
    assert result.exact_from == TODAY
    assert estimates(shown(owner, "1M").net_worth[0])[0][2] == ["card"]


def test_a_balance_that_is_known_throughout_is_no_estimate(owner, bank):
    bank(HOUSEHOLD[:1], [("checking", 200, "10", "TRAVEL")])
    (result,) = shown(owner, "6M").net_worth
    assert (estimates(result), result.exact_from) == ([], result.dates[0])


@pytest.mark.parametrize(
    ("period", "first", "points"),
    [("1M", 30, 31), ("6M", 182, 183), ("1Y", 365, 366), ("all", 700, 101)],
)
def test_a_period_has_a_point_a_day_or_a_week_beyond_a_year(owner, bank, period, first, points):
    bank(HOUSEHOLD[:1], [("checking", 699, "10", "TRAVEL"), ("checking", 35, "5", "TRAVEL")])
    (result,) = shown(owner, period).net_worth
    assert result.dates[0] == TODAY - first * DAY
    assert result.dates[-1] == TODAY
    assert len(result.dates) == len(result.values) == points
    assert result.values[0] == {"1M": 110, "all": 125}.get(period, 115)


def test_many_years_have_a_few_hundred_points(owner, bank):
    bank(HOUSEHOLD[:1], [("checking", 9000, "10", "TRAVEL")])
    (result,) = shown(owner, "all").net_worth
    assert 200 < len(result.dates) <= net_worth.MOST_POINTS + 1
    assert result.dates[-1] == TODAY


def test_the_chart_begins_on_the_first_known_day(owner, bank):
    bank(HOUSEHOLD[:1], [("checking", 9, "10", "TRAVEL")])
    assert shown(owner, "1Y").net_worth[0].dates[0] == TODAY - 10 * DAY


def test_currencies_are_never_added_up(owner, bank):
    bank(
        [("a", "depository", "1"), ("b", "depository", "2", "EUR"), ("c", "loan", "4", "EUR")],
        [
            ("a", 1, "10", "TRAVEL", "USD"),
            ("b", 1, "20", "TRAVEL", "EUR"),
            ("b", 1, "-40", "INCOME", "EUR"),
        ],
    )
    found = shown(owner)
    assert [(each.currency, each.value) for each in found.net_worth] == [("EUR", -2), ("USD", 1)]
    flows = {each.currency: each.months[-1] for each in found.cash_flow}
    month = TODAY.replace(day=1)
    assert flows == {"EUR": Month(month, Decimal(40), Decimal(20)), "USD": Month(month, 0, 10)}
    assert {each.currency: each.this_month for each in found.spending} == {"EUR": 20, "USD": 10}
    cash = found.groups[0]
    assert (cash.key, cash.totals) == ("cash", [("EUR", 2), ("USD", 1)])


def test_an_official_currency_comes_first(owner, bank):
    bank([("a", "depository", "1", "BTC"), ("b", "other", "1", "BTC"), ("c", "loan", "4", "USD")])
    assert [each.currency for each in shown(owner).net_worth] == ["USD", "BTC"]


def test_a_closed_account_counts_until_it_closed(owner, bank):
    ids = bank(HOUSEHOLD[:2], [("card", 10, "400", "TRAVEL"), ("checking", 20, "1", "TRAVEL")])
    closed = datetime.combine(TODAY - 5 * DAY, datetime.min.time(), UTC)
    db.session.execute(update(Account).where(Account.id == ids["card"]).values(closed_at=closed))
    db.session.commit()
    found = shown(owner, "1M")
    (result,) = found.net_worth
    value = dict(zip(result.dates, result.values, strict=True))
    assert result.value == 110
    assert (value[TODAY - 6 * DAY], value[TODAY - 5 * DAY]) == (-300, 110)
    assert [group.key for group in found.groups] == ["cash"]


def test_an_account_without_a_balance_is_listed_but_not_counted(owner, bank):
    bank([("a", "depository", None), ("b", "depository", "3")])
    found = shown(owner)
    assert found.net_worth[0].value == 3
    assert [(row.account.name, row.value) for row in found.groups[0].accounts] == [
        ("a", None),
        ("b", 3),
    ]


def test_what_is_available_stands_in_for_a_balance_that_is_not_reported(owner, bank):
    bank(
        [
            ("checking", "depository", None, "USD", "500"),
            ("savings", "depository", "100", "USD", "100"),
            ("card", "credit", None, "USD", "590", "1000"),
        ]
    )
    found = shown(owner)
    (worth,) = found.net_worth
    assert (worth.value, worth.values[-1], worth.missing) == (190, 190, [])
    assert [group.totals for group in found.groups] == [[("USD", 600)], [("USD", -410)]]
    assert [group.unknown for group in found.groups] == [0, 0]


def test_a_balance_from_before_counts_although_no_day_has_it(owner, bank):
    """It was stored with the account when only current balances had a history."""
    bank([("checking", "depository", None, "USD", "500"), ("savings", "depository", "100")])
    db.session.execute(balances.TABLE.delete())
    db.session.commit()
    found = shown(owner)
    assert found.net_worth[0].value == 600
    assert found.groups[0].totals == [("USD", 600)]


def test_an_unknown_balance_is_missing_from_every_sum(owner, bank):
    bank(
        [
            ("a", "depository", "3"),
            ("b", "depository", None),
            ("ira", "investment", None, "USD", "20"),
            ("euros", "loan", None, "EUR"),
        ]
    )
    found = shown(owner)
    (worth,) = found.net_worth
    assert worth.value == 3
    assert [account.name for account in worth.missing] == ["b", "ira", "euros"]
    assert [(group.totals, group.unknown) for group in found.groups] == [
        ([("USD", 3)], 1),
        ([], 1),
        ([], 1),
    ]


def test_an_unknown_balance_is_missing_from_the_sum_in_its_currency(owner, bank):
    bank(
        [
            ("a", "depository", "3"),
            ("b", "depository", "3", "EUR"),
            ("c", "depository", None, "EUR"),
        ]
    )
    missing = {each.currency: [row.name for row in each.missing] for each in shown(owner).net_worth}
    assert missing == {"USD": [], "EUR": ["c"]}


def test_a_balance_that_is_no_longer_reported_keeps_its_last_value(owner, bank, set_clock):
    set_clock("2026-11-20T12:00Z")
    bank([("ira", "investment", "70"), ("a", "depository", "3")])
    set_clock("2026-11-22T12:00Z")
    bank([("ira", "investment", None), ("a", "depository", "3")])
    found = shown(owner)
    (worth,) = found.net_worth
    assert (worth.value, worth.has_change, worth.missing) == (73, False, [])
    assert [group.totals for group in found.groups] == [[("USD", 3)], [("USD", 70)]]


def test_a_closed_account_without_a_balance_is_not_missing(owner, item, bank):
    bank([("a", "depository", None), ("b", "depository", "3")])
    accounts.close_missing(item.id, ["b"])
    db.session.commit()
    assert shown(owner).net_worth[0].missing == []


def test_of_as_many_accounts_the_currency_of_the_first_leads():
    counted = {"BTC": 3, "USD": 1, "CAD": 1, "EUR": 2}
    assert leading_currency.in_order(counted, None) == ["EUR", "USD", "CAD", "BTC"]
    assert leading_currency.in_order(counted, "CAD")[0] == "CAD"


def test_accounts_are_grouped_in_order_and_debts_are_negative(owner, bank):
    bank(HOUSEHOLD)
    groups = shown(owner).groups
    assert [(group.key, str(group.title), group.totals) for group in groups] == [
        ("cash", "Cash", [("USD", 110)]),
        ("cards", "Cards", [("USD", -410)]),
        ("investments", "Investments", [("USD", Decimal("320.76"))]),
        ("loans", "Loans", [("USD", -5000)]),
        ("other", "Other", [("USD", 7)]),
    ]
    assert groups[1].accounts[0].value == -410
    assert groups[1].accounts[0].item.state == "good"


def test_a_sparkline_has_ninety_days_in_thirty_steps(owner, bank):
    bank(HOUSEHOLD[:2], [("card", 44, "400", "TRAVEL")])
    checking, card = [group.accounts[0] for group in shown(owner, "1M").groups]
    assert card.sparkline.values == [-10] * 15 + [-10] + [-410] * 15
    assert card.sparkline.path.count("L") == 15, "drawn from the day that is known"
    assert checking.sparkline.path == "", "a lone dot"


def test_cash_flow_is_six_months_without_transfers_or_loans(owner, bank):
    bank(
        HOUSEHOLD,
        [
            ("checking", "2026-11-02", "-2000", "INCOME"),
            ("checking", "2026-11-03", "500", "TRANSFER_OUT"),
            ("card", "2026-11-03", "-500", "TRANSFER_IN"),
            ("card", "2026-11-20", "12.34", "FOOD_AND_DRINK", "USD", True),
            ("card", "2026-11-20", "-2.34", "FOOD_AND_DRINK"),
            ("house", "2026-11-20", "-300", "LOAN_PAYMENTS"),
            ("checking", "2026-06-01", "1", "TRAVEL"),
            ("checking", "2026-05-31", "1000", "TRAVEL"),
        ],
    )
    (flow,) = shown(owner).cash_flow
    assert [month.first.isoformat() for month in flow.months] == [
        f"2026-{month:02}-01" for month in range(6, 12)
    ]
    sums = [(month.money_in, month.money_out) for month in flow.months]
    assert sums == [(0, 1), *[(0, 0)] * 4, (Decimal("2002.34"), Decimal("12.34"))]
    assert [month.amounts for month in flow.chart.months] == sums
    assert flow.months[-1].net == 1990
    assert flow.months[0].filter == {
        "start_date": "2026-06-01",
        "end_date": "2026-06-30",
        "scope": "flow",
    }


def test_spending_is_net_of_refunds_and_without_income(owner, bank):
    bank(
        HOUSEHOLD,
        [
            ("checking", "2026-11-02", "-2000", "INCOME"),
            ("checking", "2026-11-02", "900", "TRANSFER_OUT"),
            ("card", "2026-11-20", "12", "FOOD_AND_DRINK"),
            ("card", "2026-10-20", "30", "FOOD_AND_DRINK"),
            ("card", "2026-11-20", "100", "GENERAL_MERCHANDISE"),
            ("card", "2026-11-21", "-20.5", "GENERAL_MERCHANDISE"),
            ("checking", "2026-10-31", "7", "TRAVEL"),
            ("checking", "2026-11-01", "-8", "MEDICAL"),
            ("checking", "2026-09-30", "9", "TRAVEL"),
        ],
    )
    (spending,) = shown(owner).spending
    assert [(each.category, each.this_month, each.last_month) for each in spending.categories] == [
        ("GENERAL_MERCHANDISE", Decimal("79.5"), 0),
        ("FOOD_AND_DRINK", 12, 30),
        ("TRAVEL", 0, 7),
        ("MEDICAL", -8, 0),
    ]
    assert (str(spending.compared), spending.is_of_part, spending.before) == (
        "2026-10-22",
        True,
        30,
    )
    assert [spending.share(Decimal(amount)) for amount in ("79.5", "30", "-8")] == [
        "100.0",
        "37.7",
        "0.0",
    ]
    assert (spending.this_month, spending.last_month) == (Decimal("83.5"), 37)
    assert spending.largest == Decimal("79.5")
    assert spending.categories[1].filter == {
        "category": "FOOD_AND_DRINK",
        "start_date": "2026-11-01",
        "end_date": "2026-11-30",
        "scope": "flow",
    }


@pytest.mark.both_databases
def test_a_month_of_too_many_rows_is_compared_as_a_whole(owner, bank, monkeypatch):
    monkeypatch.setattr(income_and_spending, "MOST_COMPARED", 1)
    bank(HOUSEHOLD, [("card", f"2026-10-{day}", "10", "TRAVEL") for day in (20, 21, 30)])
    (spending,) = shown(owner).spending
    assert (str(spending.compared), spending.is_of_part) == ("2026-10-31", False)
    assert (spending.before, spending.last_month) == (30, 30)


def test_an_account_shows_its_change_since_the_first_if_it_was_known_then(owner, bank):
    bank(HOUSEHOLD, [("checking", 40, "1", "TRAVEL"), ("checking", 3, "30", "TRAVEL")])
    cash, cards, *others = shown(owner).groups
    assert (cash.accounts[0].change, cash.change) == (-30, -30)
    assert [each.change for each in (cards, *others)] == [None] * 4


def test_the_currency_of_the_most_accounts_leads_unless_the_person_chose(owner, bank):
    bank(
        [
            ("a", "depository", "1", "EUR"),
            ("b", "depository", "2", "EUR"),
            ("c", "depository", "3", "CHF"),
            *((f"coin{number}", "depository", "4", "XYZ-coin") for number in range(3)),
        ]
    )
    for chosen, order in (
        (None, ["EUR", "CHF", "XYZ-coin"]),
        ("CHF", ["CHF", "EUR", "XYZ-coin"]),
        ("XYZ-coin", ["XYZ-coin", "EUR", "CHF"]),
        ("USD", ["EUR", "CHF", "XYZ-coin"]),
    ):
        found = figures.of_user(owner, "6M", TODAY, chosen)
        assert [each.currency for each in found.net_worth] == order


def test_a_loan_is_neither_income_nor_negative_spending(owner, bank):
    bank(
        HOUSEHOLD,
        [
            ("checking", "2026-11-02", "-2000", "INCOME"),
            ("checking", "2026-11-05", "-10000", "LOAN_DISBURSEMENTS"),
            ("checking", "2026-11-06", "300", "FOOD_AND_DRINK"),
        ],
    )
    found = shown(owner)
    (flow,), (spending,) = found.cash_flow, found.spending
    assert (flow.months[-1].money_in, flow.months[-1].money_out) == (2000, 300)
    assert [(each.category, each.this_month) for each in spending.categories] == [
        ("FOOD_AND_DRINK", 300)
    ]
    assert spending.this_month == 300


@pytest.mark.both_databases
def test_a_deposit_that_is_no_refund_is_income(owner, bank):
    bank(
        HOUSEHOLD,
        [
            ("checking", "2026-11-02", "-2000", "OTHER"),
            ("checking", "2026-11-03", "12", "OTHER"),
            ("checking", "2026-11-05", "-700", "SPACE_TRAVEL"),
            ("checking", "2026-11-06", "300", "FOOD_AND_DRINK"),
            ("checking", "2026-11-07", "-20", "FOOD_AND_DRINK"),
        ],
    )
    found = shown(owner)
    (flow,), (spending,) = found.cash_flow, found.spending
    assert (flow.months[-1].money_in, flow.months[-1].money_out) == (2720, 312)
    assert [(each.category, each.this_month) for each in spending.categories] == [
        ("FOOD_AND_DRINK", 280),
        ("OTHER", 12),
    ]
    month = {"start_date": "2026-11-01", "end_date": "2026-11-30", "scope": "flow"}
    assert spending.categories[1].filter == month | {"category": "OTHER", "direction": "out"}


def behind(app, user_id, link):
    """What the explorer adds up for a link's fields, from monthly totals and from rows alike."""
    with app.test_request_context():
        form = ExplorerForm(MultiDict(link))
        assert form.validate(), form.errors
        wanted = form.filter_of(user_id)
    assert wanted.is_of_months or wanted.direction == "out"
    kept = filter_totals.tally(wanted, 1000)
    assert kept == filter_totals.tally(replace(wanted, smallest=Decimal(0)), 1000)
    return {each.currency: each for each in kept.sums}


def agree(app, user_id, day):
    """Compare every figure with the rows its link opens. Return how many figures have rows."""
    found = figures.of_user(user_id, "6M", day)
    with_rows = 0
    for flow in found.cash_flow:
        for month in flow.months:
            there = behind(app, user_id, month.filter).get(flow.currency)
            with_rows += there is not None
            assert (month.money_in, month.money_out) == (there[1:] if there else (0, 0))
            days = {name: month.filter[name] for name in ("start_date", "end_date")}
            assert behind(app, user_id, days).get(flow.currency) == there
    for spending in found.spending:
        for spent in spending.categories:
            there = behind(app, user_id, spent.filter).get(spending.currency)
            with_rows += there is not None
            assert spent.this_month == (-there.net if there else 0)
            for part in spent.parts:
                link = spent.filter_of(part.code)
                assert part.amount == -behind(app, user_id, link)[spending.currency].net
            assert spent.this_month == sum(part.amount for part in spent.parts)
    return with_rows


@pytest.mark.both_databases
def test_a_figures_link_opens_the_rows_it_adds_up(app, owner, bank):
    bank(
        [*HOUSEHOLD, ("euros", "depository", "3", "EUR")],
        [
            ("checking", "2026-11-02", "-2000", "INCOME"),
            ("checking", "2026-11-03", "500", "TRANSFER_OUT"),
            ("card", "2026-11-03", "-500", "TRANSFER_IN"),
            ("checking", "2026-11-20", "324.6", "LOAN_PAYMENTS"),
            ("house", "2026-11-20", "-324.6", "LOAN_PAYMENTS"),
            ("ira", "2026-11-20", "-60", "INCOME"),
            ("card", "2026-11-20", "12.34", "FOOD_AND_DRINK", "USD", True),
            ("euros", "2026-10-31", "7", "FOOD_AND_DRINK", "EUR"),
            ("euros", "2026-11-30", "8", "FOOD_AND_DRINK", "EUR"),
            ("checking", "2026-11-21", "-10000", "LOAN_DISBURSEMENTS"),
            ("checking", "2026-11-22", "9", "OTHER"),
            ("checking", "2026-11-22", "-90", "OTHER"),
        ],
    )
    assert agree(app, owner, TODAY) == 7


def test_every_link_of_a_household_opens_the_rows_it_adds_up(app, alice, connect, today):
    connect(alice)
    whole_month = today.replace(day=1) - DAY  # in a month's first days, few categories have rows
    with app.app_context():
        assert agree(app, alice.id, whole_month) > 11
        agree(app, alice.id, today)


def test_rows_are_counted(owner, bank):
    bank(HOUSEHOLD, [("card", age, "1", "TRAVEL") for age in range(5)])
    assert shown(owner).count == (5, 0)


def test_without_a_connection_all_figures_are_empty(owner):
    found = shown(owner)
    assert (found.net_worth, found.cash_flow, found.spending, found.groups) == ([], [], [], [])
    assert found.count == (0, 0)


def test_another_persons_money_is_not_counted(bank, alice):
    bank(HOUSEHOLD, [("checking", 1, "5", "TRAVEL")])
    assert shown(alice.id) == figures.Figures([], [], [], [], (0, 0))


def test_the_figures_take_few_queries_however_much_is_stored(owner, bank, monkeypatch):
    def queries():
        db.session.expire_all()
        seen = []
        listen = lambda *arguments: seen.append(arguments[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", listen)
        shown(owner)
        event.remove(db.engine, "before_cursor_execute", listen)
        return seen

    bank(HOUSEHOLD, [("checking", 1, "5", "TRAVEL")])
    few = queries()
    bank(HOUSEHOLD, [("checking", age % 600, "5", "TRAVEL") for age in range(3000)])
    many = queries()
    assert len(few) == len(many) <= 10
    monkeypatch.setattr(income_and_spending, "MOST_COMPARED", 1)
    (of_rows,) = [each for each in queries() if re.search(r'FROM "?transaction\b', each)]
    assert "LIMIT" in of_rows


def test_the_table_has_the_last_point_of_each_month(owner, bank):
    bank(HOUSEHOLD[:1], [("checking", 60, "10", "TRAVEL"), ("checking", 1, "1", "TRAVEL")])
    (result,) = shown(owner, "all").net_worth
    assert result.table == [
        (TODAY, Decimal(110)),
        (date(2026, 10, 31), Decimal(111)),
        (date(2026, 9, 30), Decimal(111)),
    ]
