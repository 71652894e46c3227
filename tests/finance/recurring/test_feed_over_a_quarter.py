"""A calendar program reads the feed for three months, while bills come early, late and dearer.

The bank is the sandbox: what it says of recurring payments follows from the transactions that are
added to it as time goes by. The file is read with the icalendar library.
"""

import os
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random

import pytest
from icalendar import Calendar

from plaidapp.extensions import db
from plaidapp.store import Item
from plaidapp.store.people import calendar_feeds
from tests.logged_in import logged_in

STEP = timedelta(days=1 if os.environ.get("CHAOS") == "long" else 6)
HISTORY, BEGIN, END = date(2026, 1, 1), date(2026, 6, 2), date(2026, 8, 31)
DYNAMIC = {"override_username": "user_transactions_dynamic", "override_password": "any"}
DEARER_FROM = date(2026, 7, 1)
GYM_ENDS = date(2026, 6, 20)
CREATED_AT_ONCE = 10


def bills(random):
    """Yield (day, description, amount) of each payment of eight months; days vary a little."""
    day = HISTORY
    while day <= END:
        shift = timedelta(days=random.choice((-1, 0, 0, 1)))
        if day.day == 6:
            yield day + shift, "Streaming Club", 15.49 if day < DEARER_FROM else 17.99
        if day.day == 2:  # so on the last day of the month before, or on the first
            yield day - timedelta(days=1) + shift, "Bayview Rent", 1850
        if day.day == 12 and day < GYM_ENDS:
            yield day, "Corner Gym", 30
        if day.weekday() == 2:
            yield day + shift, "Weekly Box", 24
        if day.day in (15, 28):
            yield day, "Payroll", -2100
        day += timedelta(days=1)


@dataclass(frozen=True)
class Event:
    title: str
    summary: str
    day: date
    is_paid: bool
    sequence: int
    modified: datetime


@pytest.fixture
def clock(bank_server, set_clock):
    """`clock(day)` sets the clocks of the app and of the bank to noon."""
    sandbox = bank_server.app.extensions["sandbox"]
    usual = sandbox.clock

    def turn(day):
        moment = datetime.combine(day, time(12), UTC)
        set_clock(moment.isoformat())
        object.__setattr__(sandbox, "clock", lambda: moment)

    yield turn
    object.__setattr__(sandbox, "clock", usual)


@pytest.fixture
def here(app, alice, bank_server, clock, connect, work):
    """Turn the clocks on with `go_to(day)`, which adds what was paid; then `read()` the feed."""
    clock(HISTORY)
    connect(alice, **DYNAMIC)
    with app.app_context():
        item = db.session.scalars(db.select(Item)).one()
        access_token = app.extensions["cipher"].decrypt(item.token)
        calendar_feeds.renew(alice.id, app.extensions["cipher"])
        feed = calendar_feeds.of_person(alice.id)
        token = app.extensions["cipher"].decrypt(feed.token)
        db.session.commit()
    return World(app, alice.id, bank_server, clock, work, access_token, token)


class World:
    def __init__(self, app, user_id, bank_server, clock, work, access_token, token):
        self.app, self.user_id, self.bank, self.work = app, user_id, bank_server, work
        self.clock, self.access_token, self.token = clock, access_token, token
        self.to_come = sorted(bills(Random(16)))

    def go_to(self, day):
        self.clock(day)
        due = [bill for bill in self.to_come if bill[0] <= day]
        self.to_come = self.to_come[len(due) :]
        sent = [
            {"date_transacted": str(on), "date_posted": str(on), "amount": amount,
             "description": description}
            for on, description, amount in due
        ]  # fmt: skip
        for start in range(0, len(sent), CREATED_AT_ONCE):
            self.bank.call(
                "/sandbox/transactions/create",
                access_token=self.access_token,
                transactions=sent[start : start + CREATED_AT_ONCE],
            )

    def sync(self):
        client = logged_in(self.app, self.user_id)
        assert client.post("/finance/items/1/sync").status_code == 302
        self.work()

    def read(self):
        """Return the events by their UIDs, none of which comes twice."""
        answer = self.app.test_client().get(f"/finance/calendar/{self.token}.ics")
        assert answer.status_code == 200
        events = Calendar.from_ical(answer.data).events
        found = {str(each["uid"]): read_event(each) for each in events}
        assert len(found) == len(events)
        return found


def read_event(event):
    summary = str(event["summary"])
    return Event(
        title=summary.rpartition(" ")[0],
        summary=summary,
        day=event["dtstart"].dt,
        is_paid=event["status"] == "CONFIRMED",
        sequence=event["sequence"],
        modified=event["last-modified"].dt,
    )


MONTHLY = dict.fromkeys(("Streaming Club", "Bayview Rent", "Corner Gym"), 20)
SHORTEST = MONTHLY | {"Weekly Box": 4, "Payroll": 8}
"""Days between two payments, at least."""


def test_nothing_is_doubled_and_all_is_updated_in_place(here):
    day = HISTORY
    while day < BEGIN:
        day += timedelta(days=12)
        here.go_to(min(day, BEGIN))
    here.sync()
    first = before = here.read()
    titles = {event.title for event in first.values() if not event.is_paid}
    assert SHORTEST.keys() <= titles, "each is expected"

    day = BEGIN
    while day < END:
        day = min(day + STEP, END)
        here.go_to(day)
        here.sync()
        now = here.read()
        nothing_is_doubled(now)
        changes_are_told(before, now)
        before = now

    paid = {uid: event for uid, event in now.items() if event.is_paid and event.day > BEGIN}
    assert {event.title for event in paid.values()} >= SHORTEST.keys()
    came = {uid for uid, event in paid.items() if event.title in SHORTEST}
    assert came <= first.keys(), "each payment was expected from the beginning, under the same UID"
    moved = {uid for uid in came if paid[uid].day != first[uid].day}
    assert moved, "some came earlier or later than expected"
    streaming = [event for event in now.values() if event.title == "Streaming Club"]
    amounts = [event.summary.rpartition(" ")[2] for event in sorted(streaming, key=lambda e: e.day)]
    assert amounts == sorted(amounts)
    assert amounts[0] == "$15.49"
    assert {event.summary for event in streaming if not event.is_paid} == {"Streaming Club $17.99"}
    assert any(
        uid in first and first[uid].summary.endswith("15.49") and event.summary.endswith("17.99")
        for uid, event in now.items()
    )
    gym = [event for event in now.values() if event.title == "Corner Gym"]
    assert all(event.is_paid for event in gym), "what has ended is not expected anymore"


def nothing_is_doubled(events):
    days = defaultdict(list)
    for event in events.values():
        days[event.title].append(event.day)
    for title, least in SHORTEST.items():
        on = sorted(days[title])
        gaps = [(later - earlier).days for earlier, later in pairwise(on)]
        assert min(gaps, default=least) >= least, (title, on)


def changes_are_told(before, now):
    """An event stays the same payment. If it looks different, its SEQUENCE is higher."""
    for uid, event in now.items():
        if (old := before.get(uid)) is None:
            continue
        assert event.title == old.title
        assert not (old.is_paid and not event.is_paid)
        assert abs(event.day - old.day) <= timedelta(days=15)
        assert (event.sequence, event.modified) >= (old.sequence, old.modified)
        if (event.summary, event.day, event.is_paid) != (old.summary, old.day, old.is_paid):
            assert event.sequence > old.sequence
            assert event.modified > old.modified
