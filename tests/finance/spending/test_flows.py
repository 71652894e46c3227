"""What came in and where it went adds up, whatever the rows are."""

from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import chain
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plaidapp.finance.spending import by_category, flows
from plaidapp.store.transactions.detailed_totals import DetailedSum

MONTH = date(2026, 11, 1)
CODES = [
    *("INCOME/INCOME_SALARY", "INCOME/INCOME_WAGES", "INCOME/INCOME_INTEREST_EARNED"),
    *("INCOME/INCOME_DIVIDENDS", "INCOME/INCOME_RENTAL", "INCOME/INCOME_TAX_REFUND"),
    *("INCOME/INCOME_MILITARY", "OTHER/OTHER_OTHER", "SPACE/SPACE_MOON", "SPACE/SPACE_MARS"),
    *(f"FOOD_AND_DRINK/FOOD_AND_DRINK_{end}" for end in ("COFFEE", "GROCERIES", "RESTAURANT")),
    *(f"GENERAL_MERCHANDISE/GENERAL_MERCHANDISE_{number}" for number in range(9)),
    *(f"KIND_{number}/KIND_{number}_OTHER" for number in range(12)),
    "TRAVEL/TRAVEL_FLIGHTS",
]
amounts = st.one_of(st.just(Decimal(0)), st.decimals(0, "99999999999999", places=8))
sums = st.dictionaries(st.sampled_from(CODES), st.tuples(amounts, amounts), max_size=40)


@pytest.fixture
def within(app):
    with app.test_request_context():
        yield


def flows_of(found):
    rows = [
        DetailedSum(MONTH, *code.split("/"), "USD", money_in, money_out)
        for code, (money_in, money_out) in found.items()
    ]
    return rows, flows.Flows(MONTH, "USD", flows.income_of(rows), by_category.of(rows, []))


def total(parts):
    return sum((each.amount for each in parts), Decimal(0))


def codes_of(flow):
    return parse_qs(urlsplit(flow.url).query).get("category", [])


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sums)
def test_flows_add_up(within, found):
    rows, shown = flows_of(found)
    net = sum((row.money_in - row.money_out for row in rows), Decimal(0))
    spent = shown.spent
    assert shown.earned - spent.amount == shown.saved == net
    sources, targets = shown.sources, shown.targets
    assert total(sources) == total(targets)
    assert all(each.amount > 0 for each in (*sources, *targets))
    for each in targets:
        assert all(part.amount > 0 for part in each.parts)
        assert total(each.parts) in (each.amount, 0)
        assert len(each.parts) <= flows.MOST_PARTS
    kept = [each.amount for each in targets if each.is_own]
    needed = [each.amount for each in sources if each.is_own]
    assert (kept, needed) == ([net] if net > 0 else [], [-net] if net < 0 else [])

    earned_by_code = {row.detailed: row.earned for row in rows}
    by_code = {each.code: each.amount for each in spent.categories}
    for each in sources:
        if not each.is_own:
            earned = sum(earned_by_code.get(code, 0) for code in codes_of(each))
            refunded = -sum(by_code.get(code, 0) for code in codes_of(each))
            assert each.amount == (earned if "/earned" in each.url else refunded)

    by_part = {part.code: part.amount for each in spent.categories for part in each.parts}
    named = Counter(chain.from_iterable(codes_of(each) for each in targets if not each.is_own))
    for each in targets:
        if each.is_own or "/earned" in each.url:
            continue
        assert each.amount == sum(by_code[code] for code in codes_of(each))
        for part in each.parts:
            assert part.amount == sum((by_part | by_code)[code] for code in codes_of(part))
    assert {code for code, amount in by_code.items() if amount > 0} == set(named)
    assert set(named.values()) <= {1}

    chart = shown.chart
    assert (chart is None) == (
        not any(row.money_in or row.money_out for row in rows) or not sources
    )
    if chart:
        assert chart.height > 0
        assert "nan" not in "".join(band.path for band in chart.bands_out)


def amounts_of(parts):
    return [(each.name, each.amount) for each in parts]


def test_refunds_are_a_source_and_never_a_band_below_zero(within):
    _, shown = flows_of(
        {
            "INCOME/INCOME_SALARY": (Decimal(100), Decimal(0)),
            "TRAVEL/TRAVEL_FLIGHTS": (Decimal(30), Decimal(0)),
            "FOOD_AND_DRINK/FOOD_AND_DRINK_GROCERIES": (Decimal(0), Decimal(60)),
            "FOOD_AND_DRINK/FOOD_AND_DRINK_COFFEE": (Decimal(0), Decimal(25)),
            "FOOD_AND_DRINK/FOOD_AND_DRINK_RESTAURANT": (Decimal(5), Decimal(0)),
        }
    )
    assert amounts_of(shown.sources) == [("Salary", 100), ("Refunds", 30)]
    saved, food = shown.targets
    assert (saved.name, saved.amount, food.name, food.amount) == ("Saved", 50, "Food and drink", 80)
    assert amounts_of(food.parts) == [("Groceries", 60), ("Others", 20)]


def test_more_spent_than_came_in_is_from_savings(within):
    _, shown = flows_of(
        {
            "INCOME/INCOME_SALARY": (Decimal(10), Decimal(0)),
            "OTHER/OTHER_OTHER": (Decimal(2), Decimal(0)),
            "TRAVEL/TRAVEL_FLIGHTS": (Decimal(0), Decimal(30)),
        }
    )
    assert amounts_of(shown.sources) == [
        ("Salary", 10),
        ("Uncategorized", 2),
        ("From savings", 18),
    ]
    assert amounts_of(shown.targets) == [("Travel", 30)]


def test_income_that_went_back_went_somewhere(within):
    _, shown = flows_of({"INCOME/INCOME_SALARY": (Decimal(10), Decimal(40))})
    assert amounts_of(shown.sources) == [("From savings", 30)]
    assert amounts_of(shown.targets) == [("Income paid back", 30)]
