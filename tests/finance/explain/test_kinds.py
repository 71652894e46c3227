"""Each kind of figure, and addresses of figures that do not exist."""

from decimal import Decimal

from sqlalchemy import select

from plaidapp.extensions import db
from plaidapp.store import Account, Transaction
from tests.pages import Page

from .test_balances import receipt

NO_FIGURES = [
    "net-worth?currency=USD&day=2999-01-01",
    "net-worth-change?currency=USD&day=yesterday",
    "group?kind=gold&currency=USD",
    "cash-flow?part=sideways&currency=USD",
    "cash-flow?month=2026-13-01&currency=USD",
    "spending?currency=USD&category=%00",
    "spending?currency=USD&category=NOPE",
    "spending?month=0000-00-00",
    "spending?month=2026-10&through=2026-09-30",
    "transactions?part=all&currency=USD",
    "recurring?currency=USD&part=nothing",
    "payment/4711",
    "running/4711",
    "balance/4711",
    "nothing",
]


def test_what_is_no_figure_is_a_404(connected, subtests):
    for path in NO_FIGURES:
        with subtests.test(path):
            assert connected.client.get(f"/finance/explain/{path}").status_code == 404


def test_a_filter_that_is_not_valid_is_refused(connected):
    answer = connected.client.get("/finance/explain/transactions?start_date=soon&currency=USD")

    assert answer.status_code == 422
    assert "From: “soon” is not a date." in answer.text


def test_what_nobody_knows_is_unknown(connected, subtests):
    for path in (
        "net-worth?currency=XXX",
        "net-worth-change?currency=XXX",
        "group?kind=loans&currency=USD",
    ):
        with subtests.test(path):
            page = connected.client.get(f"/finance/explain/{path}").text
            assert "unknown" in page
            assert "No account with a known balance is part of this figure." in page


def test_a_figure_without_a_currency_is_in_the_one_that_leads(connected):
    for path in ("net-worth?", "transactions?part=out&"):
        unnamed, named = (
            receipt(connected, f"/finance/explain/{path}{query}") for query in ("", "currency=USD")
        )
        assert unnamed == named
        assert unnamed[0] != 0


def test_an_explanation_leads_back_to_where_its_figure_stands(app, connected, subtests):
    with app.app_context():
        account_id = db.session.scalars(select(Account.id)).first()
        transaction_id = db.session.scalars(select(Transaction.id)).first()
        item_id = db.session.scalars(select(Account.item_id)).first()
    for path, back, section in (
        ("net-worth", "/finance/", "/finance/"),
        ("spending", "/finance/spending", "/finance/spending"),
        ("due", "/finance/recurring", "/finance/recurring"),
        ("transactions", "/finance/transactions", "/finance/transactions"),
        (f"balance/{account_id}", f"/finance/accounts/{account_id}", "/finance/"),
        (f"compared/{item_id}", f"/finance/items/{item_id}", "/finance/items"),
        (
            f"running/{transaction_id}",
            f"/finance/transactions/{transaction_id}",
            "/finance/transactions",
        ),
    ):
        with subtests.test(path):
            page = Page(connected.client.get(f"/finance/explain/{path}").text)
            assert page.has(**{"aria-current": "true"}, href=section)
            assert page.has(href=back)


def test_a_sum_of_nothing_is_zero(app, connected, subtests):
    with app.app_context():
        account_id = db.session.scalars(select(Account.id)).first()
    for path in (
        "due?currency=USD",
        f"short/{account_id}",
        "recurring?currency=USD",
        "recurring-month?currency=USD",
        "compared",
    ):
        with subtests.test(path):
            assert receipt(connected, f"/finance/explain/{path}")[0] == 0


def test_only_a_sum_with_pending_rows_says_that_they_can_change(app, connected, subtests):
    said = "Pending amounts can change"
    with app.app_context():
        pending, posted = db.session.scalars(select(Account).order_by(Account.id))
        for account in (pending, posted):
            account.current, account.available, account.limit = (
                Decimal(100),
                Decimal(90),
                Decimal(200),
            )
        for row in db.session.scalars(select(Transaction)):
            row.pending = row.account_id == pending.id
        ids = posted.id, pending.id
        db.session.commit()

    for kind in ("available", "expected"):
        for account_id, is_said in zip(ids, (False, True), strict=True):
            with subtests.test(f"{kind} {account_id}"):
                page = connected.client.get(f"/finance/explain/{kind}/{account_id}").text
                assert (said in page) is is_said


def test_too_many_rows_are_not_added_up(connected, monkeypatch, subtests):
    monkeypatch.setattr("plaidapp.finance.explain.tallies.MOST_COUNTED", 1)
    url = "/finance/explain/transactions?smallest=0.01&currency=USD&part="

    for part in ("in", "out", "net"):
        with subtests.test(part):
            assert "too many to add up" in connected.client.get(url + part).text


def test_without_htmx_it_is_a_page_and_with_it_a_part_of_one(connected):
    url = "/finance/explain/net-worth?currency=USD"

    assert "<title>" in connected.client.get(url).text
    assert "<title>" not in connected.htmx("GET", url).text


def test_a_balance_shows_what_plaid_sent(app, connected):
    with app.app_context():
        account = db.session.scalars(select(Account)).first()
        url, plaid_id = f"/finance/explain/balance/{account.id}", account.plaid_account_id

    assert plaid_id in connected.client.get(url).text


def test_a_description_is_escaped(connected):
    """The custom user's book shop has a tag in its name."""
    url = "/finance/explain/transactions?currency=USD&part=out"
    answer = connected.client.get(url)

    assert "Book <b>shop</b>" in Page(answer.text).text
    assert receipt(connected, url)[0] > 12


def test_hidden_accounts_are_left_out_of_net_worth_and_still_explained(app, connected):
    with app.app_context():
        account_id = db.session.scalars(select(Account.id).order_by(Account.id)).first()
    whole, _ = receipt(connected, "/finance/explain/net-worth?currency=USD")
    one, _ = receipt(connected, f"/finance/explain/balance/{account_id}")

    connected.client.post(f"/finance/accounts/{account_id}/hide")
    left, (*lines, _) = receipt(connected, "/finance/explain/net-worth?currency=USD")

    assert left == whole - one == sum(lines)
    assert receipt(connected, f"/finance/explain/balance/{account_id}")[0] == one


def test_what_totals_leave_out_leads_to_the_rows_of_a_hidden_account_too(app, connected):
    with app.app_context():
        hidden, *_ = found = db.session.scalars(select(Account).order_by(Account.id)).all()
        for account in found:
            account.type = "loan"
        db.session.commit()
    connected.client.post(f"/finance/accounts/{hidden.id}/hide")
    url = "/finance/explain/transactions?hidden=any&currency=USD&part=out&left_out=1"
    figure, _ = receipt(connected, url)
    page = Page(connected.client.get(url).text)
    links = {attributes.get("href") or "" for tag, attributes, _ in page.elements if tag == "a"}

    rows = []
    for address in links:
        if address.startswith("/finance/transactions?"):
            address = address.replace("?", ".json?", 1)
            rows += connected.client.get(address).json["transactions"]
    assert sum(Decimal(row["amount"]) for row in rows) == figure
    assert hidden.public_id in {row["account_id"] for row in rows}
