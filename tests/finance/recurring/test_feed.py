"""The private address of the calendar: who reads it, what it says, and how it ends."""

import logging
from datetime import timedelta

import pytest
from icalendar import Calendar

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.store import Activity, CalendarFeed, Stream
from plaidapp.store.recurring import recurring_streams
from tests.conftest import PASSWORD
from tests.finance.recurring.conftest import soon
from tests.pages import Page


@pytest.fixture
def turn_on(alice):
    """Turn the calendar on, or make a new address. Returns its path."""

    def press():
        assert alice.client.post("/auth/calendar/new").status_code == 303
        return path_on(alice)

    return press


def path_on(person):
    address = Page(person.client.get("/auth/calendar").text).find(id="address")[0]["value"]
    assert address.startswith("http://localhost/finance/calendar/")
    return address.removeprefix("http://localhost")


@pytest.fixture
def read(app):
    """Read the calendar like a program that is not logged in. Returns the events by summary."""

    def events(path):
        answer = app.test_client().get(path)
        assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
        found = Calendar.from_ical(answer.data).events
        return {f"{each['summary']} {each['dtstart'].dt}": each for each in found}

    return events


def test_a_program_reads_what_is_expected_and_what_was_paid(turn_on, read, add, pay):
    netflix = add("Netflix", "17.99", frequency="ANNUALLY", predicted_next_date=soon(20))
    pay(netflix, soon(-3), "15.49")
    add("Gone", "5", is_active=False, predicted_next_date=None)
    pay(add("Said so", "7", choice=recurring_streams.OVER), soon(-4), "7")
    pay(add("Not so", "8", choice=recurring_streams.NOT_RECURRING), soon(-4), "8")
    add("To savings", "300", category_primary="TRANSFER_OUT", frequency="UNKNOWN")

    events = read(turn_on())

    assert events.keys() == {
        f"Said so $7.00 {soon(-4)}",
        f"Netflix $15.49 {soon(-3)}",
        f"Netflix $17.99 {soon(20)}",
        f"To savings $300.00 {soon(5)}",
    }
    event = events[f"Netflix $17.99 {soon(20)}"]
    assert event["dtend"].dt == soon(21)
    assert (event["transp"], event["status"], event["class"]) == (
        "TRANSPARENT", "TENTATIVE", "PRIVATE"
    )  # fmt: skip
    assert (event["description"], events[f"Netflix $15.49 {soon(-3)}"]["description"]) == (
        "Expected.", "Paid."
    )  # fmt: skip
    assert "Card" not in str(event)


def test_the_answer_is_private_and_known_by_its_etag(app, turn_on, add, alice):
    add()
    path = turn_on()
    program = app.test_client()
    first = program.get(path, headers={"Accept-Encoding": "gzip"})
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Referrer-Policy"] == "no-referrer"
    assert first.headers["X-Robots-Tag"] == "noindex"
    known = {"If-None-Match": first.headers["ETag"], "Accept-Encoding": "gzip"}
    again = program.get(path, headers=known)
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"].strip('W/"').partition(":")[0] in first.headers["ETag"]
    add("Spotify")
    assert program.get(path, headers=known).status_code == 200


def test_a_changed_amount_changes_the_same_event(app, turn_on, read, add, later):
    stream_id = add("Netflix", "17.99", frequency="ANNUALLY")
    path = turn_on()
    (old,) = read(path).values()
    later(minutes=1)
    with app.app_context():
        stream = db.session.get_one(Stream, stream_id)
        stream.last_amount, stream.predicted_next_date = 19, soon(7)
        stream.revised_at = stream.updated_at + timedelta(minutes=1)
        db.session.commit()
    (new,) = read(path).values()
    assert (new["summary"], new["dtstart"].dt) == ("Netflix $19.00", soon(7))
    assert new["uid"] == old["uid"]
    assert new["sequence"] > old["sequence"]
    assert new["last-modified"].dt > old["last-modified"].dt


def test_two_streams_of_one_series_are_not_one_event(app, turn_on, read, add):
    first = add("Netflix", frequency="ANNUALLY")
    add("Netflix", frequency="ANNUALLY", series_id=first)
    with app.app_context():
        db.session.execute(db.update(Stream).values(anchor=soon(5)))
        db.session.commit()
    path = turn_on()
    events = Calendar.from_ical(app.test_client().get(path).data).events
    assert len({str(each["uid"]) for each in events}) == len(events) == 2


def test_an_address_works_until_there_is_a_new_one_or_none(app, alice, charlie, turn_on, add):
    add()
    assert "It is off." in alice.client.get("/auth/calendar").text
    first = turn_on()
    second = turn_on()
    program = app.test_client()
    assert [program.get(path).status_code for path in (first, second)] == [404, 200]
    assert charlie.client.post("/auth/calendar/off").status_code == 303
    assert program.get(second).status_code == 200
    answer = alice.htmx("POST", "/auth/calendar/off")
    assert "its address ended" in answer.text
    assert program.get(second).status_code == 404
    assert program.get("/finance/calendar/None.ics").status_code == 404
    with app.app_context():
        kinds = db.session.scalars(db.select(Activity.kind).order_by(Activity.id)).all()
        made, off = "calendar_address_made", "calendar_turned_off"
        assert [kind for kind in kinds if "calendar" in kind] == [made, made, off]


def test_the_address_ends_when_everything_is_deleted(app, alice, turn_on):
    path = turn_on()
    alice.client.post("/auth/delete", data={"password": PASSWORD})
    assert app.test_client().get(path).status_code == 404
    with app.app_context():
        assert db.session.scalars(db.select(CalendarFeed)).all() == []


def test_the_address_is_shown_only_after_a_confirmation(alice, turn_on, later):
    turn_on()
    later(minutes=11)
    for method, path in (("GET", ""), ("POST", "/new"), ("POST", "/off"), ("POST", "/amounts")):
        answer = alice.client.open(f"/auth/calendar{path}", method=method)
        assert answer.location.startswith("/auth/confirm?next="), path


def test_amounts_can_be_left_out(alice, turn_on, read, add):
    add("Netflix", frequency="ANNUALLY")
    path = turn_on()
    alice.client.post("/auth/calendar/amounts", data={"amounts": "hidden"})
    assert list(read(path)) == [f"Netflix {soon(5)}"]
    path = turn_on()
    assert list(read(path)) == [f"Netflix {soon(5)}"], "a new address is as discreet"
    alice.client.post("/auth/calendar/amounts", data={"amounts": "shown"})
    assert list(read(path)) == [f"Netflix $17.99 {soon(5)}"]


@pytest.mark.both_databases
def test_too_many_readings_have_to_wait(app, turn_on, add, monkeypatch):
    """Without Redis too, where the database counts. What has not changed is not counted."""
    monkeypatch.setattr(policy, "CALENDAR_READS", 3)
    add()
    path = turn_on()
    program = app.test_client()
    for _away in (False, True):
        answers = [program.get(path) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        known = {"If-None-Match": answers[0].headers["ETag"]}
        assert program.get(path, headers=known).status_code == 304
        monkeypatch.setitem(app.extensions, "redis", queue.connect("redis://localhost:1"))


def test_the_token_is_in_no_log_and_in_no_column(app, turn_on, caplog, dump):
    path = turn_on()
    token = path.removeprefix("/finance/calendar/").removesuffix(".ics")
    with caplog.at_level(logging.DEBUG):
        app.test_client().get(path)
    assert token not in caplog.text
    assert not any(token in row for rows in dump().values() for row in rows)
