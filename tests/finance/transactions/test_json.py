"""accounts.json and transactions.json, compared with what the sandbox itself reports."""

from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from plaidapp.extensions import db
from plaidapp.store import Transaction
from tests.pages import Page

ACCOUNTS = {
    # mask: name, available, current, limit; from Plaid's documentation of user_good
    "0000": ("Plaid Checking", "100", "110", None),
    "1111": ("Plaid Saving", "200", "210", None),
    "2222": ("Plaid CD", None, "1000", None),
    "3333": ("Plaid Credit Card", None, "410", "2000"),
    "4444": ("Plaid Money Market", "43200", "43200", None),
    "5555": ("Plaid IRA", None, "320.76", None),
    "6666": ("Plaid 401k", None, "23631.9805", None),
    "7777": ("Plaid Student Loan", None, "65262", None),
    "8888": ("Plaid Mortgage", None, "56302.06", None),
}


@pytest.fixture
def walk():
    """Return every page of transactions.json from `path` on, following `next`."""

    def through(client, path="/finance/transactions.json", **query):
        pages = [client.get(path, query_string=query).json]
        while pages[-1]["next"]:
            assert len(pages) < 20
            pages.append(client.get(pages[-1]["next"]).json)
        return pages

    return through


def test_accounts_json_has_plaids_accounts_with_exact_amounts(alice, connect, ask_sandbox):
    connect(alice)

    ours = alice.client.get("/finance/accounts.json").json["accounts"]

    assert {
        account["mask"]: (
            account["name"],
            account["balances"]["available"],
            account["balances"]["current"],
            account["balances"]["limit"],
        )
        for account in ours
    } == ACCOUNTS
    theirs = ask_sandbox("/accounts/get")["accounts"]
    fields = ("account_id", "name", "official_name", "mask", "type", "subtype")
    assert [tuple(row[field] for field in fields) for row in ours] == [
        tuple(row[field] for field in fields) for row in theirs
    ]
    assert {row["balances"]["iso_currency_code"] for row in ours} == {"USD"}


def test_every_transaction_is_on_exactly_one_page_as_the_bank_has_it(
    alice, connect, ask_sandbox, walk, today
):
    connect(alice)

    pages = walk(alice.client)

    rows = [row for page in pages for row in page["transactions"]]
    assert [len(page["transactions"]) for page in pages[:-1]] == [500] * (len(pages) - 1)
    assert len(pages) >= 3
    assert {page["total_transactions"] for page in pages} == {len(rows)}
    assert [row["date"] for row in rows] == sorted((row["date"] for row in rows), reverse=True)
    theirs, total = {}, None
    while total is None or len(theirs) < total:
        answer = ask_sandbox(
            "/transactions/get",
            start_date=str(today - timedelta(days=730)),
            end_date=str(today),
            options={
                "count": 500,
                "offset": len(theirs),
                "personal_finance_category_version": "v2",
            },
        )
        total = int(answer["total_transactions"])
        theirs |= {row["transaction_id"]: row for row in answer["transactions"]}
    assert len(rows) == total
    assert {row["transaction_id"]: comparable(row) for row in rows} == {
        number: comparable(row) for number, row in theirs.items()
    }


def comparable(row):
    """The fields that both sides have. Another test checks the digits of amounts."""
    category = row["personal_finance_category"]
    return (
        Decimal(row["amount"]),
        *(
            row[name]
            for name in (
                "account_id",
                "iso_currency_code",
                "unofficial_currency_code",
                "date",
                "authorized_date",
                "name",
                "merchant_name",
                "payment_channel",
                "pending",
                "pending_transaction_id",
            )
        ),
        category and (category["primary"], category["detailed"], category["version"]),
    )


def test_amounts_are_plain_decimal_strings(connected):
    rows = connected.client.get("/finance/transactions.json").json["transactions"]

    assert [row["amount"] for row in rows] == ["12.5", "-1000", "0.01"]


RANGES = (
    (None, None, ["Book <b>shop</b>", "Pay", "Cent"]),
    (2, None, ["Book <b>shop</b>", "Pay"]),
    (None, 2, ["Pay", "Cent"]),
    (2, 2, ["Pay"]),
    (39, 3, []),
)


def test_a_range_of_dates_limits_transactions_and_total(connected, today, subtests):
    for start, end, names in RANGES:
        query = {
            name: str(today - timedelta(days=days))
            for name, days in (("start_date", start), ("end_date", end))
            if days is not None
        }
        with subtests.test(**query):
            answer = connected.client.get("/finance/transactions.json", query_string=query).json
            assert [row["name"] for row in answer["transactions"]] == names
            assert answer["total_transactions"] == len(names)
            assert answer["next"] is None


def test_the_next_page_has_the_same_filter(alice, connect, walk, today):
    connect(alice)
    end = today - timedelta(days=400)

    pages = walk(alice.client, end_date=str(end))

    rows = [row for page in pages for row in page["transactions"]]
    assert len(pages) == 2
    assert len({row["transaction_id"] for row in rows}) == pages[0]["total_transactions"]
    assert max(date.fromisoformat(row["date"]) for row in rows) <= end


@pytest.fixture
def hide(app):
    """Hide a transaction as a person does."""

    def post(person, plaid_transaction_id):
        query = db.select(Transaction.id)
        with app.app_context():
            row_id = db.session.scalars(
                query.where(Transaction.plaid_transaction_id == plaid_transaction_id)
            ).one()
        answer = person.client.post(f"/finance/transactions/{row_id}", data={"hidden": "y"})
        assert answer.status_code == 302

    return post


def test_a_page_continues_after_the_last_row_even_if_rows_change(alice, connect, hide):
    connect(alice)
    first = alice.client.get("/finance/transactions.json").json
    hide(alice, first["transactions"][0]["transaction_id"])

    second = alice.client.get(first["next"]).json

    assert second["total_transactions"] == first["total_transactions"] - 1
    assert second["transactions"][0]["date"] <= first["transactions"][-1]["date"]
    assert not {row["transaction_id"] for row in first["transactions"]} & {
        row["transaction_id"] for row in second["transactions"]
    }


@pytest.mark.parametrize("query", ["", "?sort=a-z", "?start_date=2000-01-02"])
def test_the_second_page_does_not_count_again(alice, connect, statements, query):
    connect(alice)
    first = alice.client.get(f"/finance/transactions.json{query}").json
    statements.clear()

    second = alice.client.get(first["next"]).json

    assert second["total_transactions"] == first["total_transactions"]
    assert second["transactions"]
    assert not [each for each in statements if "count(" in each.lower()]
    assert not [each for each in statements if "monthly_total" in each and "sum(" in each.lower()]


def test_a_total_that_is_made_up_is_counted_instead(alice, charlie, connect, subtests):
    connect(alice)
    first = alice.client.get("/finance/transactions.json").json
    total = first["total_transactions"]
    signed = dict(parse_qsl(urlsplit(first["next"]).query))["total"]
    signature = signed.partition(".")[2]
    made_up = {
        "a number": "7",
        "another number under the signature": f"7.{signature}",
        "a huge number": f"{'9' * 400}.{signature}",
        "no number": f"many.{signature}",
        "no signature": f"{total}.",
        "not ASCII": "７.é\0",
        "nothing": "",
    }
    for case, value in made_up.items():
        with subtests.test(case):
            answer = alice.client.get("/finance/transactions.json", query_string={"total": value})
            assert answer.status_code == 200
            assert answer.json["total_transactions"] == total
    with subtests.test("another filter"):
        query = {"q": "no such transaction", "total": signed}
        answer = alice.client.get("/finance/transactions.json", query_string=query)
        assert answer.json["total_transactions"] == 0
    with subtests.test("another person"):
        answer = charlie.client.get("/finance/transactions.json", query_string={"total": signed})
        assert answer.json["total_transactions"] == 0


BAD_PLACES = (
    "x",
    "_",
    "2026-01-01",
    "2026-01-01_",
    "_5",
    "2026-13-01_5",
    "2026-01-01_x",
    "2026-01-01_-1",
    f"2026-01-01_{2**63}",
    "2026-W01-1_5",
    "20260101_5",
    "2026-01-01_" + "9" * 5000,
    "2026-01-01_5_6",
    "2026-01-01_1.5",
    "\0",
)


@pytest.mark.parametrize("path", ["/finance/transactions.json", "/finance/transactions"])
@pytest.mark.both_databases
def test_a_bad_place_to_continue_from_is_a_400(alice, path, subtests):
    places = [("newest", place) for place in BAD_PLACES]
    for sort, after in (*places, ("largest", "99999999999_1")):
        with subtests.test(after[:30]):
            answer = alice.client.get(path, query_string={"sort": sort, "after": after})
            assert answer.status_code == 400
            assert answer.is_json == path.endswith(".json")
            if answer.is_json:
                assert answer.json["error"].endswith(".")


@pytest.mark.parametrize("path", ["/finance/transactions.json", "/finance/transactions"])
@pytest.mark.both_databases
def test_the_largest_and_smallest_places_are_accepted(alice, path):
    for after in (f"9999-12-31_{10**18 - 1}", "0001-01-01_0"):
        assert alice.client.get(path, query_string={"after": after}).status_code == 200


def test_the_explorer_shows_the_same_rows_fifty_a_page(alice, connect, today):
    connect(alice)
    query = {"start_date": str(today - timedelta(days=60)), "end_date": str(today)}
    rows = alice.client.get("/finance/transactions.json", query_string=query).json["transactions"]
    ends = [row["date"] for row in rows[49:-1:50]]
    assert len(ends) >= 2

    path, seen = f"/finance/transactions?{urlencode(query)}", []
    while path:
        page = Page(alice.client.get(path).text)
        links = [attributes.get("href") or "" for tag, attributes, _ in page.elements if tag == "a"]
        path = next((link for link in links if "after=" in link), None)
        if path:
            assert query.items() <= dict(parse_qsl(urlsplit(path).query)).items()
            seen.append(dict(parse_qsl(urlsplit(path).query))["after"].split("_")[0])

    assert seen == ends
