"""Changing the time zone on the account page."""

import re

import pytest

from plaidapp.store import User
from tests.pages import Page

PATH = "/finance/time-zone"


@pytest.fixture
def zone_of(ask):
    def read(person):
        return next(user.time_zone for user in ask(User) if user.id == person.id)

    return read


def chosen(html):
    """The zones that the list shows as chosen."""
    page = Page(html)
    return [
        attributes["value"]
        for tag, attributes, _ in page.elements
        if tag == "option" and "selected" in attributes and "/" in (attributes["value"] or "")
    ]


def test_the_page_offers_every_zone_and_shows_the_persons(alice, live_in):
    live_in(alice, "America/Argentina/Buenos_Aires")
    html = alice.client.get("/auth/account").text
    assert re.search(r">Argentina/Buenos Aires, \d+:\d\d\W[AP]M now</option>", html)
    assert chosen(html) == ["America/Argentina/Buenos_Aires"]
    assert '<optgroup label="America">' in html
    assert '<option value="Pacific/Kiritimati">Kiritimati</option>' in html
    assert '<option value="UTC">UTC</option>' in html
    assert '<option value="Etc/GMT+5">GMT−5</option>' in html


def test_a_plain_form_changes_it(alice, charlie, zone_of):
    answer = alice.client.post(PATH, data={"time_zone": "America/New_York"})
    assert (answer.status_code, answer.location) == (302, "/auth/account#preferences")
    page = alice.client.get(answer.location).text
    assert "Days and times are now those of America/New York." in page
    assert (zone_of(alice), zone_of(charlie)) == ("America/New_York", "UTC")


def test_htmx_gets_the_form_again_and_every_list_polls(alice, zone_of):
    poll = Page(alice.client.get("/finance/items").text).find(id="banks")[0]["hx-get"]
    assert alice.htmx("GET", poll).status_code == 204
    answer = alice.htmx("POST", PATH, data={"time_zone": "Asia/Tokyo"})
    assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "ledger-changed")
    assert Page(answer.text).has(id="time-zone")
    assert chosen(answer.text) == ["Asia/Tokyo"]
    assert "Days and times are now those of Asia/Tokyo." in answer.text
    assert zone_of(alice) == "Asia/Tokyo"
    assert alice.htmx("GET", poll).status_code == 200


@pytest.mark.parametrize("sent", [{}, {"time_zone": "Mars/Olympus"}, {"time_zone": "\0" * 9}])
def test_another_value_is_refused_and_changes_nothing(alice, live_in, zone_of, dump, sent):
    live_in(alice, "Asia/Tokyo")
    before = dump()
    for answer in (alice.client.post(PATH, data=sent), alice.htmx("POST", PATH, data=sent)):
        assert answer.status_code == 422
        page = Page(answer.text)
        assert page.complaints() == {"time_zone"}
        assert page.beside("time_zone").startswith("Choose one from the list.")
        assert chosen(answer.text) == ["Asia/Tokyo"]
    assert dump() == before
