"""The calendar of recurring payments, and the periods that they are known by."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from plaidapp.finance.recurring import occurrences, periods
from plaidapp.store import Account, Stream
from plaidapp.store.recurring.paid import Paid
from tests.pages import Page

NOVEMBER = "2026-11-20T12:00Z"


@pytest.fixture
def month_days(alice):
    """Read the calendar. Returns the texts of the days that have payments, by date."""

    def read():
        page = Page(alice.client.get("/finance/recurring/calendar").text)
        cells = [text for tag, _, text in page.elements if tag == "td"]
        texts = [" ".join("".join(text).split()) for text in cells]
        return page, [text for text in texts if "$" in text]

    return read


def test_payments_are_on_their_days(add, pay, set_clock, month_days):
    set_clock(NOVEMBER)
    netflix = add("Netflix", "17.99", predicted_next_date=date(2026, 12, 5),
                  last_date=date(2026, 11, 5))  # fmt: skip
    add("Water", "48.20", predicted_next_date=date(2026, 11, 18), last_date=date(2026, 10, 18))
    add("Pay", "-900", predicted_next_date=date(2026, 11, 27), frequency="BIWEEKLY")
    add("Gone", "5", is_active=False, predicted_next_date=None)
    paid = pay(netflix, date(2026, 11, 5), "15.49")
    hidden = pay(netflix, date(2026, 11, 6), "1", hidden=True)

    page, days = month_days()

    found = " | ".join(days)
    assert "November 5 Netflix $15.49" in found
    assert "November 18 Water $48.20" in found
    assert "November 27 Pay +$900.00" in found
    assert "December 5 Netflix $17.99" in found
    assert "January 5, 2027 Netflix $17.99" in found
    assert "December 18 Water" in found, "it is expected again although it is late"
    assert "Gone" not in page.text
    assert page.has(href=f"/finance/transactions/{paid}")
    assert not page.has(href=f"/finance/transactions/{hidden}")
    assert page.has(**{"aria-label": "Paid"})
    assert page.has(**{"aria-label": "Not arrived yet"})
    today, _ = page.find(**{"aria-current": "date"})
    assert today

    late = pay(netflix, date(2026, 11, 7), "2")
    page, _ = month_days()
    assert page.has(href=f"/finance/transactions/{late}"), "payments that arrive later are listed"


# --- The month beside the list


@pytest.fixture
def beside(alice):
    """Read the list, and return the month that stands beside it."""

    def read(month=None):
        page = Page(alice.client.get("/finance/recurring", query_string={"month": month}).text)
        return page, page.find(id="beside")[1]

    return read


def test_a_month_beside_the_list_has_its_days_and_its_sum(alice, add, pay, set_clock, beside):
    set_clock(NOVEMBER)
    netflix = add("Netflix", "17.99", predicted_next_date=date(2026, 12, 5),
                  last_date=date(2026, 11, 5))  # fmt: skip
    add("Water", "48.20", predicted_next_date=date(2026, 11, 18), last_date=date(2026, 10, 18))
    add("Pay", "-900", predicted_next_date=date(2026, 11, 27), frequency="BIWEEKLY")
    add(
        "To savings", "300", predicted_next_date=date(2026, 11, 30), category_primary="TRANSFER_OUT"
    )
    add("Abo", "20", predicted_next_date=date(2026, 11, 24), iso_currency_code="EUR")
    paid = pay(netflix, date(2026, 11, 5), "15.49")
    pay(netflix, date(2026, 11, 7), "-15.49")

    page, month = beside()

    assert month.startswith("November 2026")
    sums = [text for _, text in page.find_all(**{"class": "sums"})]
    assert sums == ["In $900.00 Out $63.69", "Out €20.00"]
    assert "Thursday, November 5, 1 payment" in month
    assert "Saturday, November 7, 1 payment" not in month, "a refund is no payment"
    assert "To savings $300.00" in month
    assert page.has(popovertarget="day-2026-11-05", type="button")
    assert page.find(id="day-2026-11-05")[1] == "Thursday, November 5 Netflix $15.49"
    assert page.has(href=f"/finance/transactions/{paid}")
    assert not page.has(popovertarget="day-2026-11-06")
    assert page.find(**{"aria-current": "date"})[1].startswith("20")
    for part, lines in (("in", {"Pay"}), ("out", {"Netflix", "Water"})):
        path = f"/finance/explain/recurring-month?month=2026-11&part={part}&currency=USD"
        assert page.has(href=path)
        total = Page(alice.client.get(path).text).find(**{"class": "sum"})[1]
        assert {
            name for name in ("Pay", "Netflix", "Water", "To savings") if name in total
        } == lines
        assert total.endswith("$900.00" if part == "in" else "$63.69")


def test_the_month_beside_the_list_is_turned_and_stays(alice, add, set_clock, beside):
    set_clock(NOVEMBER)
    add("Netflix", "17.99", predicted_next_date=date(2026, 12, 5), last_date=date(2026, 11, 5))

    page, month = beside("2026-12")

    assert month.startswith("December 2026 Out $17.99")
    assert page.has(href="/finance/recurring?month=2026-11")
    later, _ = page.find(href="/finance/recurring?month=2027-01")
    poll, _ = page.find(id="live")
    answer = Page(alice.htmx("GET", poll["hx-get"].partition("&revision")[0]).text)
    assert answer.find(id="beside")[1].startswith("December 2026"), "an update doesn't turn it"
    turned = Page(alice.htmx("GET", later["hx-get"]).text)
    assert turned.find(id="beside")[1].startswith("January 2027")
    assert "month=2027-01" in turned.find(id="live")[0]["hx-get"]


def test_months_beside_the_list_are_this_one_and_those_of_a_year(alice, add, set_clock, beside):
    set_clock(NOVEMBER)
    add("Netflix")
    first, month = beside("2025-03")
    assert month.startswith("November 2026"), "the page was open for long"
    assert not first.has(href="/finance/recurring?month=2026-10")
    last, month = beside("2027-10")
    assert month.startswith("October 2027")
    assert not last.has(href="/finance/recurring?month=2027-11")
    for path in ("recurring", "recurring/live", "explain/recurring-month"):
        for text in ("2027-11", "2026-13", "soon", "2026-1"):
            answer = alice.client.get(f"/finance/{path}", query_string={"month": text})
            assert answer.status_code == 404, (path, text)


def test_a_month_without_payments_says_so(add, set_clock, beside):
    set_clock(NOVEMBER)
    add("Gone", "5", is_active=False, predicted_next_date=None)
    assert beside()[1].endswith("Nothing is expected in November.")


def test_the_open_calendar_is_updated(alice, add, month_days):
    page, _ = month_days()
    poll, _ = page.find(id="live")
    assert alice.htmx("GET", poll["hx-get"]).status_code == 204
    add("Spotify")
    answer = alice.htmx("GET", poll["hx-get"])
    assert Page(answer.text).has(**{"hx-target": "#calendar", "hx-swap": "outerMorph"})
    assert "Spotify" in answer.text


# --- Periods


def stream(frequency, anchor, **fields):
    values = {"id": 1, "direction": "out", "last_amount": Decimal(10), "is_active": True,
              "status": "MATURE", "account": Account()}  # fmt: skip
    return Stream(frequency=frequency, anchor=anchor, **values | fields)


@pytest.mark.parametrize(
    ("frequency", "anchor", "days", "wanted"),
    [
        ("MONTHLY", "2026-01-01", ["2026-01-30", "2026-02-02", "2026-03-31", "2026-05-04"],
         ["2026-02-01", "2026-02-01", "2026-04-01", "2026-05-01"]),
        ("MONTHLY", "2026-01-31", ["2026-02-28", "2026-03-02", "2026-03-31", "2025-12-30"],
         ["2026-02-28", "2026-02-28", "2026-03-31", "2025-12-31"]),
        ("WEEKLY", "2026-01-02", ["2026-01-10", "2026-01-05", "2025-12-25"],
         ["2026-01-09", "2026-01-02", "2025-12-26"]),
        ("BIWEEKLY", "2026-01-02", ["2026-01-10", "2026-01-17"], ["2026-01-16", "2026-01-16"]),
        ("SEMI_MONTHLY", "2026-01-15", ["2026-01-31", "2026-02-13", "2026-02-28"],
         ["2026-01-30", "2026-02-15", "2026-03-02"]),
        ("ANNUALLY", "2024-02-29", ["2025-02-20", "2026-03-10"], ["2025-02-28", "2026-02-28"]),
        ("UNKNOWN", "2026-01-02", ["2026-01-10"], ["2026-01-10"]),
    ],
)  # fmt: skip
def test_a_day_belongs_to_the_nearest_period(frequency, anchor, days, wanted):
    one = stream(frequency, date.fromisoformat(anchor))
    assert [str(periods.period_of(one, date.fromisoformat(day))) for day in days] == wanted
    assert all(
        periods.following(one, date.fromisoformat(period)) > date.fromisoformat(period)
        for period in wanted
    )


@pytest.mark.parametrize("frequency", ["WEEKLY", "BIWEEKLY", "SEMI_MONTHLY", "MONTHLY", "ANNUALLY"])
def test_periods_follow_each_other_without_a_gap(frequency):
    one = stream(frequency, date(2026, 1, 31))
    day, seen = date(2024, 3, 1), []
    while day < date(2028, 3, 1):
        seen.append(periods.period_of(one, day))
        day += timedelta(days=1)
    every = sorted(set(seen))
    assert seen == sorted(seen)
    assert [periods.following(one, each) for each in every[:-1]] == every[1:]


def test_no_two_payments_have_one_period():
    """A second payment is named by its day, and what is expected then belongs to the next one."""
    one = stream("MONTHLY", date(2026, 1, 5), last_date=date(2026, 3, 9),
                 predicted_next_date=date(2026, 3, 12), first_date=date(2026, 1, 5))  # fmt: skip
    days = [date(2026, 3, 5), date(2026, 3, 9)]
    paid = {1: [Paid(n, day, Decimal(10)) for n, day in enumerate(days)]}
    found = occurrences.of_streams([one], paid, date(2026, 3, 1), date(2026, 5, 31), days[1])
    assert [(each.day, each.period) for each in found] == [
        (date(2026, 3, 5), "2026-03-05"),
        (date(2026, 3, 9), "2026-03-05 2026-03-09 1"),
        (date(2026, 3, 12), "2026-04-05"),
        (date(2026, 4, 12), "2026-05-05"),
        (date(2026, 5, 12), "2026-06-05"),
    ]
