"""*Check against the bank* and *Repair*: the page of a connection, and accounts.json."""

from decimal import Decimal

import pytest
from sqlalchemy import select, update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Account, AccountCheck, Item, Pull, Transaction
from plaidapp.store.connections import item_states
from tests.pages import Page

CHECK, REPAIR = "/finance/items/1/check", "/finance/items/1/repair"
pytestmark = pytest.mark.both_databases


@pytest.fixture
def change(app):
    def do(statement):
        with app.app_context():
            db.session.execute(statement)
            db.session.commit()

    return do


def page_of(person):
    return Page(person.client.get("/finance/items/1").text)


def accounts_of(person):
    return person.client.get("/finance/accounts.json").json["accounts"]


def differences_of(person):
    return sum(each["differences"] for each in accounts_of(person))


def test_a_difference_is_shown_with_both_sides_and_repaired(connected, ask, change, work):
    told = [(each["checked_at"], each["differences"]) for each in accounts_of(connected)]
    assert set(told) == {(None, 0)}
    assert "Not compared with the bank yet" in page_of(connected).find(id="check")[1]

    answer = connected.htmx("POST", CHECK)
    assert 'data-state="queued"' in answer.text
    work()
    assert "Exact as of" in page_of(connected).find(id="check")[1]
    assert all(each["checked_at"].endswith("+00:00") for each in accounts_of(connected))
    assert differences_of(connected) == 0

    row = ask(Transaction)[0]
    change(update(Transaction).values(name="By hand").where(Transaction.id == row.id))
    connected.htmx("POST", CHECK)
    work()
    text = page_of(connected).find(id="check")[1]
    assert "1 difference" in text
    assert "By hand" in text
    assert row.name in text
    assert differences_of(connected) == 1
    explained = connected.client.get(f"/finance/explain/balance/{row.account_id}").text
    assert Page(explained).find(href="/finance/items/1#differences")[1] == "See the differences"

    assert connected.client.post(REPAIR).status_code == 302
    work()
    assert not page_of(connected).has(id="differences")
    assert differences_of(connected) == 0
    assert "Repaired, then compared with the bank: no differences" in page_of(connected).text


def test_the_number_of_compared_rows_opens_into_these_rows(connected, ask, work):
    connected.htmx("POST", CHECK)
    work()
    (compared,) = [each for each in ask(AccountCheck) if each.rows]
    opened = "/finance/explain/compared"

    for path, url in (("/finance/", opened), ("/finance/items/1", f"{opened}/1")):
        shown = Page(connected.client.get(path).text)
        assert shown.find(href=url)[1] == f"{compared.rows} rows compared"
        found = Page(connected.htmx("GET", url).text).find_all(**{"class": "amount"})
        assert [text for _, text in found] == [str(compared.rows)] * 2

    shown = Page(connected.client.get(f"/finance/accounts/{compared.account_id}").text)
    (rows,) = [
        attributes["href"]
        for attributes, text in shown.find_all(**{"class": "explained"})
        if "compared" in text
    ]
    answer = connected.client.get(rows.replace("/transactions?", "/transactions.json?"))
    assert answer.json["total_transactions"] == compared.rows


def test_a_connection_that_has_ended_is_not_checked(connected, change, work):
    connected.htmx("POST", CHECK)
    work()
    change(update(Account).values(closed_at=select(Item.created_at).scalar_subquery()))
    change(update(Item).values(state=item_states.DISCONNECTED))

    for path in (CHECK, REPAIR):
        answer = connected.htmx("POST", path)
        assert answer.status_code == 422
        assert "You disconnected this bank" in answer.text
    assert differences_of(connected) == 0


def test_nobody_elses_connection_is_checked(connected, charlie):
    for path in (CHECK, REPAIR):
        assert charlie.htmx("POST", path).status_code == 404


def test_clicks_have_a_limit(connected, work, monkeypatch):
    monkeypatch.setattr(policy, "CHECK_CLICKS", 1)
    assert connected.htmx("POST", CHECK).status_code == 200
    work()
    answer = connected.htmx("POST", CHECK)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "You can check again" in answer.text


def test_what_does_not_add_up_is_not_called_exact(connected, ask, change, work):
    """All rows match, but the bank's own balances do not fit them."""
    connected.htmx("POST", CHECK)
    work()
    account = ask(Account)[0]
    url = f"/finance/accounts/{account.id}"
    assert "Exact as of" in connected.client.get(url).text
    change(update(AccountCheck).values(gap=Decimal("0.01")))

    for path in (url, "/finance/items/1", "/finance/", f"/finance/explain/balance/{account.id}"):
        text = connected.client.get(path).text
        assert "All rows match as of" in text, path
        assert "Exact as of" not in text, path


@pytest.mark.parametrize("state", [item_states.LOGIN_REQUIRED, item_states.REVOKED])
def test_a_check_is_offered_only_where_the_bank_can_be_asked(connected, ask, change, work, state):
    change(update(Item).values(state=state))

    for path in ("/finance/items/1", "/finance/accounts/1"):
        assert "Check against the bank" not in connected.client.get(path).text
    for path in (CHECK, REPAIR):
        answer = connected.htmx("POST", path)
        assert answer.status_code == 422
        assert "Log in again first" in answer.text
    assert not [pull for pull in ask(Pull) if pull.facts.checks]
