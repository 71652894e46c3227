"""The page of spending: its period, its figures, whose they are, and what it says without any."""

import re
from datetime import date
from decimal import Decimal

import pytest

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.finance.spending import month
from plaidapp.finance.spending.period import Period
from plaidapp.store import Account, Item
from plaidapp.store.base.types import now
from plaidapp.store.connections import arranged_accounts
from plaidapp.store.people import users
from plaidapp.store.reports import derived
from tests import stored
from tests.pages import Page

TODAY = date(2026, 11, 20)


@pytest.fixture
def spend(app, alice, set_clock):
    """Store rows of alice, each (day, amount, detailed category) or (..., currency)."""
    set_clock(f"{TODAY}T12:00Z")
    with app.app_context():
        item = Item(user_id=alice.id, plaid_item_id="i", institution_name="Tartan Bank",
                    access_token=b"", update_status="HISTORICAL_UPDATE_COMPLETE")  # fmt: skip
        db.session.add(item)
        db.session.flush()
        ids = {}
        for key in ("card", "joint"):
            account = Account(
                user_id=alice.id,
                item_id=item.id,
                plaid_account_id=key,
                name=key,
                type="depository",
                iso_currency_code="USD",
                updated_at=now(),
            )
            db.session.add(account)
            db.session.flush()
            ids[key] = account.id
        db.session.commit()
        item_id = item.id

    def save(*rows, key="card"):
        sent = [sent_row(f"{key}{number}", key, *row) for number, row in enumerate(rows)]
        with app.app_context():
            stored.save(alice.id, item_id, ids, sent)
            derived.refresh({(ids[key], row.date) for row in sent}, [])
            users.ledger_changed(alice.id)
            db.session.commit()
        return ids[key]

    return save


def sent_row(plaid_id, key, day, amount, detailed, currency="USD"):
    primary = next(
        code for code in (*KNOWN, detailed) if detailed == code or detailed.startswith(f"{code}_")
    )
    return payloads.PlaidTransaction(
        transaction_id=plaid_id,
        account_id=key,
        amount=Decimal(amount),
        date=date.fromisoformat(day),
        pending=False,
        name="row",
        iso_currency_code=currency,
        category=payloads.Category(primary, detailed),
    )


KNOWN = ("FOOD_AND_DRINK", "INCOME", "TRAVEL", "TRANSFER_OUT", "RENT_AND_UTILITIES")
GROCERIES, COFFEE = "FOOD_AND_DRINK_GROCERIES", "FOOD_AND_DRINK_COFFEE"
SALARY, RENT = "INCOME_SALARY", "RENT_AND_UTILITIES_RENT"
LIFE = (
    ("2026-11-01", "-2000", SALARY),
    ("2026-11-02", "900", RENT),
    ("2026-11-10", "60", GROCERIES),
    ("2026-11-19", "5.5", COFFEE),
    ("2026-11-19", "500", "TRANSFER_OUT_SAVINGS"),
    ("2026-10-02", "900", RENT),
    ("2026-10-20", "80", GROCERIES),
    ("2026-10-21", "40", GROCERIES),
    ("2026-09-02", "880", RENT),
)


def look(person, query="", status=200):
    answer = person.client.get(f"/finance/spending{query}")
    assert answer.status_code == status
    return Page(answer.text)


def text_of(page):
    return page.find(id="main")[1]


def figure(page):
    """The big number, and the sentence below it."""
    return [page.find(**{"class": name})[1] for name in ("figure", "trend")]


@pytest.mark.both_databases
def test_a_part_of_a_month_is_compared_with_the_same_part(app, alice, spend):
    spend(*LIFE)
    with app.test_request_context():
        found = month.of_user(alice.id, Period(date(2026, 11, 1), TODAY), None, None)
        assert (found.currency, str(found.compared), found.is_of_part) == (
            "USD",
            "2026-10-20",
            True,
        )
        assert (found.spent.amount, found.spent.before) == (Decimal("965.5"), 980)
        rent, food = found.spent.categories
        assert (rent.label, rent.amount, rent.change) == ("Rent and utilities", 900, 0)
        assert [(each.label, each.amount, each.change) for each in food.parts] == [
            ("Groceries", 60, -20),
            ("Coffee", Decimal("5.5"), Decimal("5.5")),
        ]
        assert found.curves.values[:3] == [0, 900, 900]
        assert (len(found.curves.values), found.curves.values[-1]) == (20, Decimal("965.5"))
        assert (len(found.curves.before), found.curves.before[-1]) == (31, 1020)
        assert found.flows.saved == Decimal("1034.5")
        twelve = found.twelve_months
        assert (twelve.chosen, twelve.average.amount) == ("RENT_AND_UTILITIES", 890)
        assert [str(each) for each in twelve.months] == ["2026-09-01", "2026-10-01", "2026-11-01"]

        whole = month.of_user(alice.id, Period(date(2026, 10, 1), TODAY), None, None)
        assert (str(whole.compared), whole.is_of_part, whole.is_fair) == ("2026-09-30", False, True)
        assert (whole.spent.amount, whole.spent.before) == (1020, 880)


@pytest.mark.both_databases
def test_too_many_rows_leave_out_the_days_and_keep_every_sum(app, alice, spend, monkeypatch):
    monkeypatch.setattr(month, "MOST_ROWS", 6)
    spend(*LIFE)
    with app.test_request_context():
        found = month.of_user(alice.id, Period(date(2026, 11, 1), TODAY), None, None)
        assert (found.curves, found.is_fair, str(found.compared)) == (None, False, "2026-10-31")
        assert (found.spent.amount, found.flows.saved) == (Decimal("965.5"), Decimal("1034.5"))
        assert [part.label for part in found.spent.categories[1].parts] == ["Groceries", "Coffee"]
    html = alice.client.get("/finance/spending").text
    assert "too many transactions to add up day by day" in html
    assert "change</span>" not in html, "a part is never compared with a whole month"


def test_a_month_of_31_days_is_compared_with_all_of_a_shorter_one():
    march = Period(date(2027, 3, 1), date(2027, 3, 30))
    assert (str(march.through), str(march.compared)) == ("2027-03-30", "2027-02-28")
    assert (march.is_so_far, str(march.twelve_months[0])) == (True, "2026-04-01")
    february = Period(date(2027, 2, 1), date(2027, 3, 30))
    assert (str(february.through), str(february.compared)) == ("2027-02-28", "2027-01-31")


def test_the_page_shows_the_month_of_its_address_in_all_its_parts(alice, spend):
    spend(*LIFE)
    page = look(alice)
    assert figure(page) == [
        "$965.50",
        "$14.50 less than on October 20 Transfers are left out How this is calculated",
    ]
    assert "Spending, November 2026 so far" in text_of(page)
    october = alice.client.get("/finance/spending?month=2026-10&category=FOOD_AND_DRINK").text
    page = Page(october)
    assert figure(page)[0] == "$1,020.00"
    assert "$140.00 more than in September" in figure(page)[1]
    assert "$120.00 on Food and drink in October" in text_of(page)
    links = re.findall(r'href="(/finance/spending\?[^"]*)"', october)
    assert "/finance/spending?month=2026-11&amp;category=FOOD_AND_DRINK" in links
    assert "/finance/spending?month=2026-09&amp;category=FOOD_AND_DRINK" in links
    assert all(link.startswith("/finance/spending?month=20") for link in links)
    assert "so far" not in text_of(page)
    earliest = alice.client.get("/finance/spending?month=2026-09").text
    assert 'rel="prev"' not in earliest


@pytest.mark.parametrize(
    "query",
    [
        *(
            "?month=2026-13",
            "?month=2026-1",
            "?month=yesterday",
            "?month=2026-12",
            "?month=0001-01",
        ),
        *(f"?currency={'X' * 101}", f"?category={'X' * 101}", "?category=%00", "?currency=%00"),
    ],
)
def test_a_bad_address_is_not_found(alice, spend, query):
    look(alice, query, 404)
    assert alice.client.get(f"/finance/spending/live{query}").status_code == 404


def test_bars_of_the_overview_open_into_parts_and_its_table_has_primary_categories(alice, spend):
    spend(*LIFE)
    overview = alice.client.get("/finance/").text
    bars, table = overview.partition('<section aria-labelledby="spending-1"')[2].split("<table", 1)
    assert re.findall(r'<details id="spent-(\w+)"', bars) == ["FOOD_AND_DRINK"]
    parts = bars.partition("<details")[2]
    assert re.findall(r'name">([^<]+)<', parts) == ["Food and drink", "Groceries", "Coffee"]
    assert f"category={COFFEE}" in parts
    rows = re.findall(r'<th scope="row">([^<]+)<', table.partition("</table")[0])
    assert rows == ["Rent and utilities", "Food and drink", "Total"]


def test_what_was_saved_is_said_without_income_too(alice, spend):
    spend(("2026-11-02", "-50", GROCERIES), ("2026-10-02", "30", GROCERIES))
    more = "$0.00 came in, and refunds were larger than purchases"
    assert f"$50.00 saved during November so far: {more}" in text_of(look(alice))
    october = text_of(look(alice, "?month=2026-10"))
    assert "$30.00 more went out than came in during October" in october


def test_currencies_are_never_added(alice, spend):
    spend(*LIFE[:2], ("2026-11-03", "70", GROCERIES, "EUR"), ("2026-11-03", "1", GROCERIES, ""))
    page = look(alice)
    assert figure(page)[0] == "$900.00"
    assert page.has(**{"class": "segmented"})
    assert figure(look(alice, "?currency=EUR"))[0] == "€70.00"
    assert figure(look(alice, "?currency=none"))[0] == "1.00"
    nothing = look(alice, "?currency=CHF")
    twelve = "in CHF in the twelve months through November 2026"
    assert f"Nothing was earned or spent {twelve}" in text_of(nothing)


def test_the_category_of_the_address_is_opened_and_one_of_no_spending_is_refused(alice, spend):
    spend(*LIFE)
    food = "FOOD_AND_DRINK"
    for code, label in ((food, "Food and drink"), (GROCERIES, "Groceries")):
        page = alice.client.get(f"/finance/spending?category={code}").text
        assert re.findall(r'<details id="spent-(\w+)" open>', page) == [food]
        assert f" on {label} in November so far" in text_of(Page(page))
    assert " on Food and drink in" in text_of(look(alice, f"?category={food}_PIZZA"))
    for code, label in (("PUBS", "Pubs"), ("INCOME", "Income"), ("TRANSFER_OUT", "Transfer out")):
        text = text_of(look(alice, f"?category={code}"))
        refused = f"“{label}” is not a category of spending. Rent and utilities is the largest one."
        assert refused in text
        assert " on Rent and utilities in November so far" in text


@pytest.mark.both_databases
def test_a_detailed_category_has_twelve_months_beside_the_others_of_its_primary_one(
    app, alice, spend
):
    spend(*LIFE, ("2026-10-05", "7", COFFEE))
    with app.test_request_context():
        found = month.of_user(alice.id, Period(date(2026, 11, 1), TODAY), None, GROCERIES)
        twelve = found.twelve_months
        assert twelve.names == ["Groceries", "Coffee"]
        amounts = [[part.amount for part in twelve.parts(each)] for each in twelve.months]
        assert amounts == [[0, 0], [120, 7], [60, Decimal("5.5")]]
        food, coffee, groceries, rent, only_rent = twelve.choices
        assert (food.label, food.is_part, coffee.label, coffee.is_part) == (
            "Food and drink", False, "Coffee", True
        )  # fmt: skip
        assert (groceries.is_chosen, rent.label, only_rent.label) == (
            True, "Rent and utilities", "Rent"
        )  # fmt: skip
    page = look(alice, f"?category={GROCERIES}")
    assert page.find(id="twelve-title")[1] == "Twelve months, Food and drink"
    said = "$60.00 on Groceries in November so far, $60.00 in an average month"
    assert said in text_of(page)
    october = page.find_all(
        href="/finance/explain/spending?month=2026-10&category=FOOD_AND_DRINK&currency=USD"
    )
    assert [text for _, text in october] == ["$127.00"]
    url = f"/finance/explain/average?month=2026-11&currency=USD&category={GROCERIES}"
    assert explained(alice, url) == (60, [0, 120, 120, 60])


def test_pages_without_rows_say_why(alice, charlie, spend):
    assert "Connect a bank" in text_of(look(charlie))
    spend(("2026-11-19", "500", "TRANSFER_OUT_SAVINGS"))
    page = look(alice)
    assert "Transfers between your own accounts don’t count" in text_of(page)
    assert "What came in" not in text_of(page)
    assert figure(page)[0] == "$0.00"
    assert "As much as" not in text_of(page)


def test_a_month_long_ago_adds_one_month_to_the_menu(alice, spend):
    spend(("2026-10-02", "5", "FOOD_AND_DRINK_COFFEE"))
    page = alice.client.get("/finance/spending?month=1900-01").text
    listed = set(re.findall(r"/finance/spending\?month=(\d+-\d+)", page))
    assert listed >= {"2026-11", "2026-10", "1900-01"}
    assert len(listed) < 20


def test_hidden_accounts_and_other_people_are_left_out(app, alice, charlie, spend):
    spend(*LIFE)
    hidden = spend(("2026-11-05", "33", GROCERIES), key="joint")
    assert figure(look(alice))[0] == "$998.50"
    with app.app_context():
        arranged_accounts.hide(db.session.get(Account, hidden), hidden=True)
        db.session.commit()
    assert figure(look(alice))[0] == "$965.50"
    assert "965" not in text_of(look(charlie))


def test_an_open_page_is_updated_in_the_month_that_it_shows(alice, spend):
    spend(*LIFE)
    html = alice.client.get("/finance/spending?month=2026-10&currency=USD").text
    url = re.search(r'hx-get="([^"]*spending/live[^"]*)"', html)[1].replace("&amp;", "&")
    assert "month=2026-10&currency=USD" in url
    assert alice.client.get(url).status_code == 204
    spend(*LIFE, ("2026-10-30", "1", COFFEE))
    live = alice.client.get(url).text
    assert 'hx-target="#spending"' in live
    assert "1,021" in live


def explained(person, url):
    """The figure of an explanation, and the amounts of its lines."""
    answer = person.client.get(url)
    assert answer.status_code == 200, url
    page = Page(answer.text)
    figure, *lines = [Decimal(each["value"]) for tag, each, _ in page.elements if tag == "data"]
    return figure, lines


def test_what_a_month_is_compared_with_is_explained(alice, spend):
    spend(*LIFE)
    url = "/finance/explain/spending-change?month=2026-11&compared=2026-10-20&currency=USD"
    assert explained(alice, url) == (Decimal("-14.5"), [Decimal("965.5"), -980, Decimal("-14.5")])
    food = f"{url}&category={GROCERIES}"
    assert explained(alice, food) == (-20, [60, -80, -20])
    url = "/finance/explain/average?month=2026-11&currency=USD&category=RENT_AND_UTILITIES"
    assert explained(alice, url) == (890, [880, 900, 1780, 890])
    assert (
        "An average needs two whole months"
        in alice.client.get(url.replace("2026-11", "2026-09")).text
    )
    url = "/finance/explain/earned?month=2026-11&currency=USD"
    assert explained(alice, url) == (2000, [2000, 2000])
    both = f"/finance/explain/spending?month=2026-11&currency=USD&category={COFFEE}&category={RENT}"
    assert explained(alice, both) == (Decimal("905.5"), [900, Decimal("5.5"), Decimal("905.5")])


@pytest.mark.parametrize(
    "url",
    [
        "spending-change?month=2026-11&compared=2026-09-20",
        "spending-change?month=2026-11&compared=2026-11-20",
        "average?month=2026-11&category=TRAVEL&category=INCOME",
        "earned?month=2027-01",
        f"earned?category={'X' * 101}",
        "spending?" + "&".join(f"category=A{number}" for number in range(101)),
    ],
)
def test_what_cannot_be_explained_is_not_found(alice, spend, url):
    assert alice.client.get(f"/finance/explain/{url}").status_code == 404


def test_a_month_without_rows_of_a_category_that_plaid_has_added_is_explained(alice, spend):
    """The month after leads to it."""
    spend(("2026-11-03", 5, "SPACE"))
    url = "/finance/explain/spending?month=2026-11&category=SPACE&currency=USD"
    assert explained(alice, url) == (5, [5, 5])
    assert explained(alice, url.replace("2026-11", "2026-10")) == (0, [0])
    assert alice.client.get(url.replace("SPACE", "NOPE")).status_code == 404
