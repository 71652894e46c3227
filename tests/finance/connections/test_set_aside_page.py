"""The connection's page says how much could not be read, and a page of its own shows it."""

import pytest

from plaidapp.bank.unread import ACCOUNT, STREAM, TRANSACTION, Unread
from plaidapp.extensions import db
from plaidapp.finance.connections import set_aside_page
from plaidapp.store.transactions import set_aside
from tests.pages import Page

PATH = "/finance/items/1"


@pytest.fixture
def unread(app, connected):
    def add(*rows):
        with app.app_context():
            set_aside.add(1, rows)
            db.session.commit()

    return add


def bad(plaid_id, raw=b'{"name":"<b>Caf\xe9"}', kind=TRANSACTION):
    return Unread(kind, plaid_id, raw, "An amount is too large: 1E+11")


def partly(plaid_id):
    reason = "A value has the wrong form: name is 7\nA text is too long: merchant_name"
    return Unread(TRANSACTION, plaid_id, b"{}", reason, is_part=True)


def test_without_unread_rows_nothing_is_said(connected):
    assert "could not be read" not in connected.client.get(PATH).text
    page = Page(connected.client.get(f"{PATH}/unread").text)
    assert "Everything that this bank has sent could be read." in page.text


def test_the_count_leads_to_the_reasons_and_the_raw_text(connected, unread):
    unread(bad("t1"))
    page = Page(connected.client.get(PATH).text)
    link, text = page.find(href=f"{PATH}/unread")
    assert text == "1 row could not be read"
    html = connected.client.get(link["href"]).text
    page = Page(html)
    assert "An amount is too large: 1E+11" in page.text
    assert "t1" in page.text
    assert "&lt;b&gt;Caf\\xe9" in html


def test_each_kind_is_counted_for_itself(connected, unread):
    unread(bad("t1"), bad("t2"), bad("a", kind=ACCOUNT), bad("s", kind=STREAM))
    text = Page(connected.client.get(PATH).text).text
    assert "2 rows could not be read" in text
    assert "1 account could not be read completely" in text
    assert "1 recurring payment could not be read completely" in text


def test_a_row_that_is_stored_without_a_part_is_counted_apart(connected, unread):
    unread(bad("t1"), partly("t2"), partly("t3"))
    text = Page(connected.client.get(PATH).text).text
    assert "1 row could not be read, 2 rows could not be read completely" in text
    text = connected.client.get(f"{PATH}/unread").text
    assert "A value has the wrong form: name is 7" in text
    assert "A text is too long: merchant_name" in text
    assert text.count("The rest of it is stored.") == 2


def test_a_long_list_and_a_long_text_say_that_they_are_cut(connected, unread, monkeypatch):
    monkeypatch.setattr(set_aside_page, "MOST", 2)
    monkeypatch.setattr(set_aside, "LONGEST_TEXT", 5)
    unread(*(bad(f"t{number}", b"1" * 1234) for number in range(3)))
    text = Page(connected.client.get(f"{PATH}/unread").text).text
    assert "3 rows could not be read" in text
    assert "The newest 2 entries are shown." in text
    assert "The first 5 of 1,234 bytes." in text
    assert "t0" not in text


def test_another_persons_connection_is_not_found(connected, charlie):
    assert charlie.client.get(f"{PATH}/unread").status_code == 404
