"""Every page and file uses the person's day, whatever day it is in UTC."""

import json
from datetime import datetime, timedelta

import pytest

from plaidapp.extensions import db
from plaidapp.store import Balance, Item
from tests.logged_in import logged_in
from tests.pages import Page, plain

CALIFORNIA, TOKYO = "America/Los_Angeles", "Asia/Tokyo"
DAY = timedelta(days=1)


@pytest.fixture
def at(app, alice, live_in, set_clock):
    """`at(zone, moment)` moves alice to a zone, stops the clock at a moment and logs her in."""

    def begin(zone, moment):
        live_in(alice, zone)
        set_clock(moment)
        alice.client = logged_in(app, alice.id)
        return alice

    return begin


@pytest.mark.parametrize(
    ("zone", "moment", "month", "day"),
    [
        (CALIFORNIA, "2026-12-01T07:59Z", "2026-11", "2026-11-30"),
        (CALIFORNIA, "2026-12-01T08:00Z", "2026-12", "2026-12-01"),
        (TOKYO, "2026-10-31T15:00Z", "2026-11", "2026-11-01"),
        ("Pacific/Kiritimati", "2026-12-31T10:00Z", "2027-01", "2027-01-01"),
        ("America/St_Johns", "2026-11-01T02:29Z", "2026-10", "2026-10-31"),
    ],
)
def test_ranges_and_file_names_are_those_of_the_persons_day(at, zone, moment, month, day):
    alice = at(zone, moment)
    presets = Page(alice.client.get("/finance/transactions").text)
    assert any(
        (attributes.get("href") or "").startswith(f"/finance/transactions?start_date={month}-01&")
        for _, attributes, _ in presets.elements
    )
    assert Page(alice.client.get("/finance/").text).value("end_date") == day
    answer = alice.client.get("/finance/export/transactions.csv", buffered=True)
    assert answer.headers["Content-Disposition"].endswith(f"-{day}-to-{day}.csv")


@pytest.fixture
def bank(at, connect, small_user, today):
    """Connect a bank while alice lives in Tokyo and it is tomorrow there."""
    alice = at(TOKYO, f"{today}T16:00Z")
    connect(alice, **small_user)
    return alice


def net_worth_of(alice):
    """The figure, and the last point of its chart: day and value."""
    page = Page(alice.client.get("/finance/").text)
    points = json.loads(page.find(**{"data-chart": "line"})[0]["data-points"] or "")
    return points["days"][-1], points["values"][-1]


def test_balances_are_stored_under_the_persons_day_by_jobs_too(bank, ask, today):
    days = {balance.date for balance in ask(Balance) if balance.source == "bank"}
    assert days == {today + DAY}


def test_a_move_without_a_sync_shows_the_same_balances_on_another_day(bank, ask, live_in, today):
    day, value = net_worth_of(bank)
    assert day == str(today + DAY)
    stored = len(ask(Balance))
    live_in(bank, CALIFORNIA)
    assert net_worth_of(bank) == (str(today), value)
    live_in(bank, TOKYO)
    assert net_worth_of(bank) == (day, value)
    assert len(ask(Balance)) == stored


def test_a_row_of_the_bank_keeps_its_date_and_today_is_the_persons(bank, live_in, today):
    """The newest row is from yesterday in UTC."""

    def heading():
        page = Page(bank.client.get("/finance/transactions").text)
        return page.find(id=f"day-{today - DAY}")[1].split()[0]

    weekday = f"{today - DAY:%A}"
    assert heading() == weekday
    live_in(bank, "UTC")
    assert heading() == "Yesterday"


def test_days_and_times_are_those_of_the_person(app, at, connected, today):
    with app.app_context():
        db.session.get(Item, 1).synced_at = datetime.fromisoformat(f"{today}T12:00Z")
        db.session.commit()
    for zone, moment, said in (
        (TOKYO, f"{today}T14:59Z", "today at 9:00 PM"),
        (TOKYO, f"{today}T15:00Z", "yesterday at 9:00 PM"),
        ("Pacific/Kiritimati", f"{today}T13:00Z", "today at 2:00 AM"),
        ("Asia/Kathmandu", f"{today}T13:00Z", "today at 5:45 PM"),
        ("UTC", f"{today}T13:00Z", "today at 12:00 PM UTC"),
    ):
        alice = at(zone, moment)
        page = Page(plain(alice.client.get("/finance/items").text))
        assert f"Last updated {said}." in page.find(id="bank-1")[1]


def test_at_midnight_an_open_page_gets_new_content(at, set_clock):
    """At the person's midnight, not at UTC's, although nothing was stored."""
    alice = at(CALIFORNIA, "2026-11-30T23:59Z")
    page = Page(alice.client.get("/finance/transactions").text)
    poll, version = page.find(id="live")[0]["hx-get"], page.value("revision")
    for moment, status in (
        ("2026-12-01T00:00Z", 204),
        ("2026-12-01T07:59Z", 204),
        ("2026-12-01T08:00Z", 200),
    ):
        set_clock(moment)
        answer = alice.htmx("GET", poll, query_string={"revision": version, "rows": 0})
        assert answer.status_code == status, moment
