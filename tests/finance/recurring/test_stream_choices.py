"""*Not recurring* and *Ended*: what a person says of a recurring payment, seen and undone."""

import pytest

from plaidapp.extensions import db
from plaidapp.store import Stream
from tests.finance.recurring.conftest import soon
from tests.pages import Page

CHOICES = {
    "not-recurring": ("Not recurring (1)", "is not recurring"),
    "ended": ("Ended (1)", "has ended"),
}


@pytest.fixture
def page_of(alice):
    return lambda path="/finance/recurring": Page(alice.client.get(path).text)


@pytest.mark.parametrize("choice", CHOICES)
def test_a_choice_leaves_the_payment_out_until_it_is_undone(alice, add, page_of, choice):
    stream_id = add("Gym", "30")
    add("Netflix", "10")
    summary, sentence = CHOICES[choice]
    before = page_of()

    answer = alice.htmx("POST", f"/finance/recurring/{stream_id}/{choice}")
    said = Page(answer.text)
    assert f"Gym {sentence}." in said.text
    assert (answer.headers["HX-Trigger"], answer.headers["HX-Retarget"]) == (
        "ledger-changed", "#notice"
    )  # fmt: skip
    page = page_of()
    assert "$10.00 a month" in page.text
    assert "Gym" not in page.find(id="upcoming")[1]
    assert page.find(id=choice if choice == "not-recurring" else "over")[1].startswith(summary)
    assert "you said so on" in page.find(id=f"stream-{stream_id}")[1]
    for path in ("/finance/", "/finance/recurring/calendar", "/finance/explain/due?currency=USD"):
        assert "Gym" not in page_of(path).text, path

    undo = said.find(**{"class": "notice toast"})[1]
    assert "Undo" in undo
    alice.client.post(f"/finance/recurring/{stream_id}/undo")
    assert page_of().find(id="recurring")[1] == before.find(id="recurring")[1]


def test_a_plain_form_comes_back_with_a_notice_and_undo(alice, add, page_of):
    stream_id = add("Gym")
    answer = alice.client.post(f"/finance/recurring/{stream_id}/ended")
    assert (answer.status_code, answer.location) == (302, "/finance/recurring")
    page = page_of()
    assert "Gym has ended." in page.find(id="notice")[1]
    assert page.has(action=f"/finance/recurring/{stream_id}/undo")


def test_a_payment_after_its_end_is_named(app, alice, add, page_of):
    stream_id = add("Gym")
    alice.client.post(f"/finance/recurring/{stream_id}/ended")
    with app.app_context():
        db.session.execute(db.update(Stream).values(last_date=soon(3)))
        db.session.commit()
    assert "but paid again on" in page_of().find(id=f"stream-{stream_id}")[1]


def test_nobody_else_can_choose(charlie, add, dump):
    stream_id = add("Gym")
    before = dump()
    for action in ("not-recurring", "ended", "undo"):
        path = f"/finance/recurring/{stream_id}/{action}"
        assert charlie.client.post(path).status_code == 404
    assert dump() == before


def test_one_payment_has_its_prices_and_its_payments(app, alice, add, pay, page_of):
    """Its page, which is also a sheet of the list."""
    stream_id = add("Netflix", "17.99", previous_amount=15)
    amounts = {150: "15.49", 120: "15.49", 90: "17.99", 60: "-17.99", 30: "17.99"}
    ids = [pay(stream_id, soon(-days), amount) for days, amount in amounts.items()]
    sheet = Page(alice.htmx("GET", f"/finance/recurring/{stream_id}").text)
    for page in (page_of(f"/finance/recurring/{stream_id}"), sheet):
        prices = page.find(**{"class": "prices"})[1]
        assert prices.startswith("$15.49 until")
        assert ", $17.99 since" in prices
        assert all(page.has(href=f"/finance/transactions/{number}") for number in ids)
        assert page.has(action=f"/finance/recurring/{stream_id}/not-recurring")
    for number, amount in enumerate(("20", "25", "30")):
        pay(stream_id, soon(-20 + number), amount)
    assert "Between $15.49 and $30.00" in page_of(f"/finance/recurring/{stream_id}").text
