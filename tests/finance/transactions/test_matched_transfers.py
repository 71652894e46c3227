"""A matched transfer on its page, in the explorer and in the figures, and how to separate it."""

import json
import re
from datetime import timedelta

import pytest

from plaidapp.extensions import db
from plaidapp.store import Transaction
from tests.pages import Page

PATH = "/finance/transactions"


@pytest.fixture
def ids(app, alice, connect, today):
    """The ids of a purchase and of both sides of a transfer, which the bank calls spending."""

    def move(days, amount, description):
        day = str(today - timedelta(days=days))
        dates = {"date_transacted": day, "date_posted": day, "currency": "USD"}
        return dates | {"amount": amount, "description": description}

    accounts = [
        {
            "type": "depository",
            "subtype": "checking",
            "transactions": [move(3, 500, "Online move 1"), move(2, 12.5, "Shop")],
        },
        {
            "type": "depository",
            "subtype": "savings",
            "transactions": [move(1, -500, "From checking")],
        },
    ]
    password = json.dumps({"override_accounts": accounts})
    connect(alice, override_username="user_custom", override_password=password)
    with app.app_context():
        return dict(db.session.execute(db.select(Transaction.name, Transaction.id)).all())


@pytest.fixture
def sums(alice):
    """Return money in and out, without transfers, as the explorer shows them."""

    def read():
        page = alice.client.get(f"{PATH}?scope=flow").text
        found = re.search(
            r"<dt>In</dt><dd[^>]*><a[^>]*>([^<]*)<.*?<dt>Out</dt><dd><a[^>]*>([^<]*)<",
            page,
            re.DOTALL,
        )
        return found and found.groups()

    return read


def test_each_side_leads_to_the_other(alice, ids, today):
    page = alice.client.get(f"{PATH}/{ids['Online move 1']}")
    link = Page(page.text).find(href=f"{PATH}/{ids['From checking']}")[1]
    day = today - timedelta(days=1)
    assert link == f"Transfer to Plaid Savings 1111, {day:%B} {day.day}"
    back = Page(alice.client.get(f"{PATH}/{ids['From checking']}").text)
    assert back.find(href=f"{PATH}/{ids['Online move 1']}")[1].startswith(
        "Transfer from Plaid Checking"
    )
    assert "Transfer to Plaid Savings" in alice.client.get(PATH).text
    assert "Transfer to" not in alice.client.get(f"{PATH}/{ids['Shop']}").text


def test_a_transfer_is_neither_income_nor_spending(alice, ids, sums):
    assert sums() == ("$0.00", "$12.50")
    overview = alice.client.get("/finance/").text
    assert "$500.00" not in overview.split("Cash flow")[1].split("Latest")[0]


def test_not_a_transfer_and_back(alice, ids, sums):
    path = f"{PATH}/{ids['Online move 1']}"
    answer = alice.client.post(path, data={"not_transfer": "y"})
    assert (answer.status_code, answer.location) == (302, path)
    page = alice.client.get(path)
    assert "2 transactions changed." in page.text
    assert "You said that this is not a transfer." in page.text
    assert sums() == ("$500.00", "$512.50")

    alice.client.post(path, data={"not_transfer": ""})
    assert "Transfer to Plaid Savings" in alice.client.get(path).text
    assert sums() == ("$0.00", "$12.50")

    undo = re.search(r'action="(/finance/edits/[^"]+)"', alice.client.get(PATH).text)[1]
    alice.client.post(undo)
    assert sums() == ("$500.00", "$512.50")


def form_of(page):
    return page.text.split('class="match')[1].split("</form>")[0]


def test_htmx_gets_both_rows_again(alice, ids):
    path = f"{PATH}/{ids['From checking']}"
    assert "hx-post" in form_of(alice.htmx("GET", path))
    assert "hx-post" not in form_of(alice.client.get(path))
    answer = alice.htmx("POST", path, data={"not_transfer": "y"})
    for name in ("Online move 1", "From checking"):
        assert f'hx-target="#t-{ids[name]}"' in answer.text
    assert "/undo" in answer.text


def test_a_transfer_with_a_category_of_the_persons_own_still_names_its_other_side(alice, ids, sums):
    path = f"{PATH}/{ids['Online move 1']}"
    alice.client.post(path, data={"category": "TRAVEL"})
    assert sums() == ("$0.00", "$512.50")
    page = alice.client.get(path).text
    assert "Transfer to Plaid Savings" in page
    assert "Count it as a matched transfer" in page
    assert "Transfer to Plaid Savings" not in alice.client.get(PATH).text
    alice.client.post(path, data={"category": ""})
    assert sums() == ("$0.00", "$12.50")
