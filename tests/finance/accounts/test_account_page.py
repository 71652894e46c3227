"""The page of one account: its balance, its rows with the balance after each, and what it does."""

import re

import pytest
from sqlalchemy import update

from plaidapp.extensions import db
from plaidapp.store import Account, Balance, Transaction
from plaidapp.store.base.types import now
from tests.pages import Page, plain

PAGE = "/finance/accounts/1"


@pytest.fixture
def shown(connected):
    """The page, as it is now."""

    def get(path=PAGE):
        answer = connected.client.get(path)
        assert answer.status_code == 200
        return Page(answer.text)

    return get


@pytest.fixture
def change(app):
    """Change columns of the account, or of all of its rows."""

    def write(table=Account, **values):
        key = Account.id if table is Account else Transaction.account_id
        with app.app_context():
            db.session.execute(update(table).where(key == 1).values(**values))
            db.session.commit()

    return write


def text_of(page, part):
    return plain(page.find(id=part)[1])


@pytest.mark.both_databases
def test_each_row_has_the_balance_after_it(shown):
    page = shown()
    assert "$2,025.00" in text_of(page, "account-figures")
    assert "Bank balance, today at" in text_of(page, "account-figures")
    after = [text_of(page, f"after-{number}") for number in (1, 2, 3)]
    assert after == ["Balance 2,025.00", "Balance 2,037.50", "Balance 1,037.50"]
    assert page.find(**{"class": "opening"})[1] == "Balance before the first transaction 1,037.51"
    assert not page.has(**{"class": "step"})


def test_a_pending_row_is_not_in_the_balance_yet(shown, change):
    change(Transaction, pending=True)
    page = shown()
    assert {page.find(id=f"after-{number}")[1] for number in (1, 2, 3)} == {"not yet"}
    assert "With 3 pending, about $3,012.49." in text_of(page, "account-figures")
    assert "3 transactions, 3 pending" in text_of(page, "tally")


def test_a_step_that_no_row_explains_is_a_line(shown, app):
    with app.app_context():
        newest = db.select(db.func.max(Balance.date)).where(Balance.account_id == 1)
        is_newest = Balance.account_id == 1, Balance.date == newest.scalar_subquery()
        db.session.execute(update(Balance).where(*is_newest).values(current=2030))
        db.session.commit()
    assert shown().find(**{"class": "step"})[1] == "Not explained by transactions +$5.00"


@pytest.mark.parametrize("kind", ["loan", "investment"])
def test_loans_and_investments_say_once_why_rows_have_no_balance(shown, change, kind):
    change(type=kind)
    page = shown()
    assert not page.has(**{"class": "after"})
    assert sum("no balance beside each row" in text for text in page.texts_of("p")) == 1


def test_an_investment_is_said_to_be_beyond_checks_before_the_first_one(shown, change):
    assert "Not compared with the bank yet" in shown().text
    change(type="investment")
    page = shown()
    assert "Investments can’t be compared" in page.text
    assert "Not compared with the bank yet" not in page.text
    assert "Check against the bank" not in page.text


def test_what_is_left_of_a_limit_is_said_in_words(shown, change, subtests):
    change(type="credit", current=410, available=1590, limit=2000)
    for values, said in (
        ({}, "You owe $410.00. $1,590.00 of your $2,000.00 limit is left."),
        ({"available": None}, "You owe $410.00. $1,590.00 of your $2,000.00 limit is left."),
        ({"current": 2100, "available": None}, "That is $100.00 more than your limit"),
        ({"current": -12, "limit": None}, "The bank owes you $12.00."),
        ({"current": 0}, "You owe nothing."),
    ):
        with subtests.test(values=values):
            change(**{"current": 410, "available": 1590, "limit": 2000} | values)
            assert said in text_of(shown(), "account-figures")


def test_what_is_left_opens_into_an_explanation_wherever_it_is_said(connected, change, subtests):
    for values in (
        {"type": "credit", "limit": 2000},
        {"type": "credit", "limit": 2000, "available": None},
        {"type": "credit"},
        {"type": "loan"},
        {"type": "loan", "limit": 9000},
        {"type": "depository"},
        {"type": "depository", "current": None, "limit": 100},
    ):
        with subtests.test(values=values):
            change(**{"current": 410, "available": 1590, "limit": None} | values)
            page = Page(connected.client.get(PAGE).text)
            for link, text in page.find_all(**{"class": "explained"}):
                receipt = connected.htmx("GET", link["href"]).text
                assert "unknown" not in receipt, (text, link["href"])


def test_every_state_is_a_sentence_with_one_button(shown, change, subtests):
    good = {"closed_at": None, "is_hidden": False, "current": 5, "available": None}
    for values, said, button in (
        ({"closed_at": now()}, "has closed this account or no longer shares it", "connection"),
        ({"is_hidden": True}, "You have hidden this account", "Show"),
        ({"current": None}, "has never sent a balance for this account", "connection"),
    ):
        with subtests.test(values=values):
            change(**good | values)
            figures = text_of(shown(), "account-figures")
            assert said in figures
            assert button in figures


def test_the_menu_renames_hides_and_moves_the_account(connected, shown, subtests):
    for action, form, said in (
        ("rename", {"name": "Rent"}, "This account is now called Rent."),
        ("move", {"after": "2"}, "Rent comes after Plaid Savings now."),
        ("hide", {}, "Rent is hidden."),
        ("show", {}, "Rent is shown again."),
    ):
        with subtests.test(action=action):
            data = form | {"page": "account"}
            answer = connected.client.post(f"{PAGE}/{action}", data=data)
            assert answer.location == PAGE
            assert said in text_of(shown(), "notice")
    assert "Rent" in text_of(shown(), "account-title")


def test_an_edit_answers_for_the_page_of_the_account(connected, shown):
    href = "/finance/transactions/1?statement=1"
    assert shown().has(href=href)
    detail = Page(connected.htmx("GET", href).text)
    assert detail.find(id="edit-1")[0]["hx-post"] == href
    answer = connected.htmx("POST", href, data={"note": "hello", "hidden": "y"})
    parts = Page(answer.text)
    assert "2,025.00" in parts.find(id="after-1")[1]
    assert parts.find(id="tally")[0]["class"] == "statement-tally"
    assert not parts.has(**{"hx-target": "#t-1", "hx-swap": "delete"}), "a statement has every row"
    assert text_of(shown(), "after-2") == "Balance 2,037.50"
    undo = re.search(r'"(/finance/edits/\d+/undo[^"]*)"', answer.text)[1]
    assert connected.client.post(undo).location == PAGE
    back = shown(href).find_all(href=PAGE)
    assert "Plaid Checking" in {text for _, text in back}


def test_a_search_shows_the_rows_that_match_without_balances(connected, shown):
    page = shown(f"{PAGE}?q=pay")
    assert (page.find(id="tally")[1].startswith("1 transaction"), page.has(id="t-2")) == (
        True,
        True,
    )
    assert not page.has(**{"class": "after"})
    assert "No transactions match" in shown(f"{PAGE}?q=nosuchthing").text
    found = connected.htmx("GET", f"{PAGE}?q=pay")
    assert found.headers["HX-Replace-Url"] == f"{PAGE}?q=pay"
    assert Page(found.text).has(id="results")
    assert connected.client.get(f"{PAGE}?q={'a' * 201}").status_code == 422
    assert connected.client.get(f"{PAGE}?after=nothing").status_code == 400


def test_an_account_without_rows_says_so_of_itself_alone(shown):
    said = shown("/finance/accounts/2").text
    assert "has no transactions in this account." in said
    assert "in your accounts" not in said


def test_the_poll_sends_the_page_once_anything_has_changed(connected, change):
    live = f"{PAGE}/live"
    page = Page(connected.htmx("GET", live).text)
    targets = {part["hx-target"] for tag, part, _ in page.elements if tag == "hx-partial"}
    assert targets >= {"#account-title", "#account-menu-line", "#account-figures", "#results"}
    version = page.value("revision")
    assert connected.htmx("GET", f"{live}?revision={version}").status_code == 204
    connected.client.post(f"{PAGE}/rename", data={"name": "Rent"})
    held = Page(connected.htmx("GET", f"{live}?revision={version}&hold=1&rows=2").text)
    assert "Rent" in text_of(held, "account-title")
    assert any("1 new transaction." in text for text in held.texts_of("p"))
    assert not held.has(**{"hx-target": "#results"})


def test_nobody_else_can_see_it(connected, charlie):
    for path in (PAGE, f"{PAGE}/live", "/finance/transactions/1?statement=1"):
        assert charlie.client.get(path).status_code == 404
    assert connected.client.get("/finance/accounts/4711").status_code == 404
    assert connected.client.get("/finance/transactions/1?statement=4711").status_code == 404
