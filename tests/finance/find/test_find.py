"""What a search from everywhere finds, and in which order."""

from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from plaidapp import days
from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.finance.find import dates
from plaidapp.finance.transactions import date_ranges
from plaidapp.store import Account
from plaidapp.store.base.search_terms import words_of
from plaidapp.store.connections import accounts, items
from plaidapp.store.people import users
from tests import stored
from tests.pages import Page, plain

PATH = "/finance/find"
TODAY = date(2026, 11, 26)
ROWS = (
    ("Starbucks", "6.25", 1),
    ("Starbucks", "5.75", 2),
    ("Star Market", "80.10", 3),
    ("Walmart", "1234.50", 4),
    ("Netflix", "17.99", 5),
    ("Netherlands Rail", "12.00", 6),
    ("Blue <b>Bottle</b>", "4.50", 7),
    ("Refund of Walmart", "-17.99", 8),
    ("Groceries of Zoë", "30.00", 60),
    ("Ocean Café", "22.00", 400),
)
FIRST = (
    ("", "Overview"),
    ("trans", "Transactions"),
    ("banks", "Connections"),
    ("settings", "Your account"),
    ("star", "Starbucks"),
    ("starb", "Starbucks"),
    ("market", "Star Market"),
    ("starbuks", "Starbucks"),
    ("wallmart", "Walmart"),
    ("oceancafe", "Ocean Café"),
    ("net", "Netflix"),
    ("bottle", "Blue <b>Bottle</b>"),
    ("GROCERIES", "Groceries"),
    ("grocries", "Groceries"),
    ("grocery", "Groceries"),
    ("food", "Food and drink"),
    ("17.99", "Netflix"),
    ("-$17.99", "Netflix"),
    ("$1,234.5", "Walmart"),
    ("1234.50", "Walmart"),
    ("october", "October 2026"),
    ("oct 2025", "October 2025"),
    ("last month", "Last month"),
    ("2026-11-20", "November 20, 2026"),
    ("11/20/2026", "November 20, 2026"),
    ("ical", "Calendar"),
    ("delete everything", "Your account"),
    ("two-factor", "Your account"),
    ("spending", "Spending"),
    ("spending in oct", "Spending in October 2026"),
    ("export 2025", "Export 2025"),
    ("last q", "Last quarter"),
    ("2025", "2025"),
    ("groceries last quarter", "Groceries"),
    ("Chase", "Chase"),
    ("sync chase", "Sync Chase"),
    ("sync", "Sync everything"),
    ("export last year", "Export last year"),
    ("spreadsheet", "Export this month"),
    ("taxes spreadsheet", "Export last year"),
    ("export taxes", "Export last year"),
    ("due", "Recurring"),
    ("connect", "Connections"),
    ("connect a bank", "Connect a bank"),
    ("log out", "Log out"),
    ("sign out", "Log out"),
    ("check", "Checking 0001"),
    ("0001", "Checking 0001"),
    ("savings", "Savings"),
    ("rent", "Rent"),
    ("rent of plat", "Rent of Platypus"),
)


@pytest.fixture
def november(monkeypatch):
    """Today is Thursday, November 26, 2026."""
    for module in (days, dates):
        monkeypatch.setattr(module, "today", lambda: TODAY)


@pytest.fixture
def found(app, alice):
    """`found(typed)` returns the page. Alice has a bank, two accounts and some merchants."""
    with app.app_context():
        fill(alice.id)

    def find(typed):
        answer = alice.client.get(PATH, query_string={"q": typed})
        assert answer.status_code == 200
        return Page(answer.text)

    return find


def fill(user_id):
    item = items.add(user_id=user_id, plaid_item_id="i", access_token=b"", institution_name="Chase")
    balances = payloads.Balances(iso_currency_code="USD")
    kinds = {"a": ("Checking", "0001"), "b": ("Savings", None)}
    listed = [
        payloads.PlaidAccount(
            account_id=key, name=name, type="depository", balances=balances, mask=mask
        )
        for key, (name, mask) in kinds.items()
    ]
    accounts.save(user_id, item.id, listed)
    ids = accounts.ids_of_item(item.id)
    stored.save(user_id, item.id, ids, list(rows()))
    db.session.add(stored.stream_of(db.session.get_one(Account, ids["a"])))
    users.ledger_changed(user_id)
    db.session.commit()


def rows():
    for number, (name, amount, age) in enumerate(ROWS):
        yield payloads.PlaidTransaction(
            transaction_id=f"t{number}",
            account_id="a",
            amount=Decimal(amount),
            date=TODAY - timedelta(days=age),
            pending=False,
            name=name,
            iso_currency_code="USD",
        )


def titles(page):
    return [plain(text) for _, text in page.find_all(**{"class": "what"})]


@pytest.mark.both_databases
def test_the_best_match_is_first(found, november, subtests):
    for typed, first in FIRST:
        with subtests.test(typed):
            assert titles(found(typed))[:1] == [first]


def test_everything_is_listed_once(found, november):
    for typed in ("", "spending", "sync", "export", "star", "last"):
        listed = found(typed).find_all(**{"class": "found-line"})
        leads = [line.get("href") or line["formaction"] for line, _ in listed]
        assert len(leads) == len(set(leads))


def test_a_lone_group_has_more_lines(found, november):
    exports = titles(found("export"))
    assert len(exports) == 8
    assert {"Export last month", "Export last year", "Export all transactions"} <= set(exports)


def test_a_merchant_says_when_it_was_last_paid(found, november):
    assert "last on November" in found("star").text


def test_only_what_a_person_has_is_found(found, app, charlie, november):
    found("")
    for typed in ("star", "starbuks", "17.99", "sync", "check", "chase", "rent of"):
        page = Page(charlie.client.get(PATH, query_string={"q": typed}).text)
        for title in titles(page):
            assert not any(
                name in title for name in ("Star", "Netflix", "Chase", "Checking", "of ")
            )


def test_each_line_leads_to_its_rows_or_posts_its_action(found, november):
    def target(typed, title):
        return next(
            attributes
            for _, attributes, inside in found(typed).elements
            if attributes.get("class") == "found-line" and title in "".join(inside)
        )

    def query(typed, title):
        return parse_qs(urlsplit(target(typed, title)["href"]).query)

    quarter = {"start_date": ["2026-07-01"], "end_date": ["2026-09-30"]}
    groceries = {"category": ["FOOD_AND_DRINK_GROCERIES"]}
    assert query("groceries last quarter", "Groceries") == groceries | quarter
    assert query("starbuks", "Starbucks") == {"q": ["Starbucks"]}
    assert query("star q3", "Starbucks") == {"q": ["Starbucks"]} | quarter
    october = {"start_date": ["2026-10-01"], "end_date": ["2026-10-31"]}
    assert query("october", "October 2026") == october
    for typed in ("october", "last month"):
        assert titles(found(typed)).count("Spending in October 2026") == 1
    assert titles(found("cofee last month")).count("Last month") == 1
    assert found("october").has(href="/finance/spending?month=2026-10")
    export = target("export last month", "Export last month")
    assert export["href"].startswith("/finance/export/transactions.csv?")
    assert parse_qs(urlsplit(export["href"]).query) == october
    sync = target("sync chase", "Sync Chase")
    assert (sync["form"], sync["formaction"]) == ("find-act", "/finance/items/1/sync")
    assert found("star").has(id="find-act", method="post")
    assert found("star").has(href="/finance/transactions?q=star")
    assert found("coffee last year").has(href="/finance/transactions?q=coffee+last+year") is False


def test_a_part_of_a_page_that_a_line_leads_to_is_there(found, alice):
    lines = {
        attributes["href"]
        for typed in ("", "connect a bank", "change your password", "download everything")
        for attributes, _ in found(typed).find_all(**{"class": "found-line"})
        if "href" in attributes
    }
    parts = [url for url in map(urlsplit, lines) if url.fragment]
    assert len(parts) == 3
    for url in parts:
        assert Page(alice.client.get(url.path).text).has(id=url.fragment), url.geturl()


def test_an_amount_finds_its_rows_with_either_sign_the_newest_first(found, november):
    for typed in ("17.99", "-17.99", "$17.99", "17,99"):
        page = found(typed)
        assert titles(page)[:2] == ["Netflix", "Refund of Walmart"]
        amounts = [text for _, text in page.find_all(**{"class": "amount"})]
        assert (amounts[0], page.find(**{"class": "amount in"})[1]) == ("$17.99", "+$17.99")


def test_hidden_accounts_are_found_and_marked_but_not_their_rows(found, app, alice, november):
    assert "Netflix" in titles(found("netflix"))
    alice.client.post("/finance/accounts/1/hide")
    assert titles(found("checking"))[0] == "Checking 0001 hidden"
    assert not found("netflix").has(href="/finance/transactions?q=netflix")


def test_hostile_names_and_texts_are_shown_as_they_are(found, alice, november):
    page = alice.client.get(PATH, query_string={"q": "bottle"}).text
    assert "Blue &lt;b&gt;Bottle&lt;/b&gt;" in page
    for typed in (
        '"><script>',
        "%",
        "'; DROP",
        "\0",
        "😀",
        "-",
        "9" * 200,
        " " * 300,
        "é" * 200,
    ):
        text = alice.client.get(PATH, query_string={"q": typed}, headers={"HX-Request": "true"})
        assert text.status_code == 200
        assert "<script>" not in text.text
    for headers in ({}, {"HX-Request": "true"}):
        long = alice.client.get(PATH, query_string={"q": "x" * 201}, headers=headers)
        assert long.status_code == 422
        assert "at most 200 characters" in long.text


def test_the_dialog_gets_a_list_box_and_says_how_much_it_found(found, alice, november):
    def listed(typed):
        headers = {"HX-Request": "true"}
        return Page(alice.client.get(PATH, query_string={"q": typed}, headers=headers).text)

    page = listed("star")
    box, _ = page.find(role="listbox")
    assert (box["id"], box["data-count"]) == ("found", "5 results")
    assert len(page.find_all(role="option")) == 6  # and all transactions
    nothing = listed("qwertzuiop")
    assert nothing.find(id="found")[0]["data-count"] == "No results"
    assert not nothing.has(role="listbox")


@pytest.mark.parametrize(
    ("typed", "first", "last"),
    [
        ("today", "2026-11-26", "2026-11-26"),
        ("yesterday", "2026-11-25", "2026-11-25"),
        ("nov", "2026-11-01", "2026-11-30"),
        ("december", "2025-12-01", "2025-12-31"),
        ("feb 2024", "2024-02-01", "2024-02-29"),
        ("october 5", "2026-10-05", "2026-10-05"),
        ("5 oct 2025", "2025-10-05", "2025-10-05"),
        ("2026-10-05", "2026-10-05", "2026-10-05"),
        ("q4", "2026-10-01", "2026-12-31"),
        ("q1 2025", "2025-01-01", "2025-03-31"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("this quarter", "2026-10-01", "2026-12-31"),
        ("last quarter", "2026-07-01", "2026-09-30"),
        ("last year", "2025-01-01", "2025-12-31"),
        *((none, None, None) for none in ("20261399", "20260230", "no", "1", "1234", "q5")),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_dates_in_words(app, november, typed, first, last):
    with app.test_request_context():
        read = dates.in_words(tuple(words_of(typed)))
    assert (read and (str(read.range.start), str(read.range.end))) == (first and (first, last))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_quarters_and_years_in_each_month(app):
    with app.test_request_context():
        for number in range(1, 13):
            named = {each.title: each for each in date_ranges.named(date(2026, number, 28))}
            this, last = named["This quarter"], named["Last quarter"]
            assert this.start <= date(2026, number, 28) <= this.end
            assert last.end + timedelta(days=1) == this.start
            assert (this.end - this.start).days in (89, 90, 91)
            assert last.start == date(2025, 10, 1) if number < 4 else last.start.year == 2026
