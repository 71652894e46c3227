"""The explorer's addresses, page and fragments. tests/e2e tests it in a browser."""

from datetime import date, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import brotli
import pytest
from werkzeug.datastructures import MultiDict

from plaidapp.extensions import db
from plaidapp.finance.transactions import listing
from plaidapp.finance.transactions.filter_form import ExplorerForm
from plaidapp.store import ReceivedPage, Transaction
from plaidapp.store.reports import derived
from plaidapp.store.transactions import item_rows, raw_pages
from tests import stored
from tests.pages import Page

PATH = "/finance/transactions"


def names(page):
    """The names of the rows, in their order."""
    return [
        " ".join("".join(text).split())
        for tag, attributes, text in Page(page.text).elements
        if attributes.get("class") == "name"
    ]


def count(page):
    return Page(page.text).find(**{"class": "count"})[1]


FILTERS = (
    ("q=book", ["Book <b>shop</b>"]),
    ("q=SHOP+b", ["Book <b>shop</b>"]),
    ("q=%22", []),
    ("q=hop", ["Book <b>shop</b>"]),
    ("q=12.50", ["Book <b>shop</b>"]),
    ("q=%E2%88%92$1,000.00", ["Pay"]),
    ("q=99999999999", []),
    ("q=income", ["Pay"]),
    ("q=checking", ["Book <b>shop</b>", "Pay", "Cent"]),
    ("q=checking+12.5", ["Book <b>shop</b>"]),
    ("q=king", []),
    ("direction=in", ["Pay"]),
    ("direction=out", ["Book <b>shop</b>", "Cent"]),
    ("smallest=12.5", ["Book <b>shop</b>", "Pay"]),
    ("largest=0,01", ["Cent"]),
    ("smallest=0.01&largest=12.50", ["Book <b>shop</b>", "Cent"]),
    ("pending=only", []),
    ("hidden=only", []),
    ("sort=oldest", ["Cent", "Pay", "Book <b>shop</b>"]),
    ("sort=largest", ["Pay", "Book <b>shop</b>", "Cent"]),
    ("sort=smallest", ["Cent", "Book <b>shop</b>", "Pay"]),
    ("sort=a-z", ["Book <b>shop</b>", "Cent", "Pay"]),
    ("sort=z-a", ["Pay", "Cent", "Book <b>shop</b>"]),
    ("account=4711", []),
    ("account=99999999999999999999", None),
    ("category=NONE", []),
)


@pytest.mark.both_databases
def test_the_address_filters_and_sorts_the_rows(connected, subtests):
    for query, expected in FILTERS:
        with subtests.test(query):
            page = connected.client.get(f"{PATH}?{query}", follow_redirects=True)
            data = connected.client.get(f"{PATH}.json?{query}")
            if expected is None:
                assert (page.status_code, data.status_code) == (422, 422)
                continue
            assert names(page) == expected
            assert [row["name"] for row in data.json["transactions"]] == expected


def test_another_persons_account_finds_nothing(app, connected, charlie):
    with app.app_context():
        account_id = db.session.scalar(db.select(Transaction.account_id).limit(1))
    assert len(names(connected.client.get(f"{PATH}?account={account_id}"))) == 3
    assert names(charlie.client.get(f"{PATH}?account={account_id}")) == []


BAD = (
    ("q", "a" * 201, "A search can have at most 200 characters."),
    ("q", "é" * 10_000, "A search can have at most 200 characters."),
    ("smallest", "abc", "Enter an amount like 12.50."),
    ("smallest", "NaN", "Enter an amount like 12.50."),
    ("smallest", "-1", "Enter an amount like 12.50."),
    ("smallest", "99999999999", "Enter an amount up to 92,000,000,000."),
    ("largest", "9" * 30, "Enter an amount up to 92,000,000,000."),
    ("largest", "1e999999", "Enter an amount like 12.50."),
    ("largest", "9" * 10_000, "Enter an amount like 12.50."),
    ("largest", "1,23,4", "Enter an amount like 12.50."),
    ("largest", "\0", "Enter an amount like 12.50."),
    ("account", "x", "This account does not exist."),
    ("account", "-1", "This account does not exist."),
    ("category", "A\0", "This category does not exist."),
    ("category", "A" * 101, "This category does not exist."),
    ("direction", "up", "Choose one from the list."),
    ("pending", "\0", "Choose one from the list."),
    ("hidden", "x" * 5000, "Choose one from the list."),
    ("sort", "id;--", "Choose one from the list."),
)


def test_an_invalid_filter_gets_a_sentence_and_no_rows(connected, subtests):
    for field, value, sentence in BAD:
        with subtests.test(field=field, value=value[:20]):
            query = {field: value}
            page = connected.client.get(PATH, query_string=query)
            fragment = connected.htmx("GET", PATH, query_string=query)
            data = connected.client.get(f"{PATH}.json", query_string=query)
            assert (page.status_code, fragment.status_code, data.status_code) == (422, 422, 422)
            for answer in (page, fragment):
                complaints = Page(answer.text).find(**{"class": "complaints"})[1]
                assert complaints.endswith(f": {sentence}")
            assert fragment.headers["HX-Retarget"] == "#filters"
            assert data.json["fields"] == {field: [sentence]}
            assert names(page) == []


AMOUNTS = (
    ("de-DE", "1.234,56", "1234.56", "1.234,56"),
    ("de-DE", "12,5", "12.5", "12,5"),
    ("de-DE", "1234.56", "1234.56", "1.234,56"),
    ("de-DE", "1.2340", "1.2340", "1,234"),
    ("en", "1,234", "1234", "1,234"),
    ("en", "12,50", "12.5", "12.5"),
    ("en", "1.234", "1.2340", "1.234"),
)


def test_an_amount_is_read_by_locale_and_has_one_spelling_in_addresses(connected, subtests):
    for locale, typed, kept, shown in AMOUNTS:
        with subtests.test(locale=locale, typed=typed):
            headers = {"Accept-Language": locale, "HX-Request": "true"}
            answer = connected.client.get(PATH, query_string={"smallest": typed}, headers=headers)
            assert answer.headers["HX-Push-Url"] == f"{PATH}?smallest={kept}"
            assert f"At least {shown}<" in answer.text
    headers = {"Accept-Language": "de-DE"}
    either = connected.client.get(f"{PATH}?largest=1.000", headers=headers)
    assert either.status_code == 422
    assert Page(either.text).beside("largest") == "Enter 1000 or 1000,00."
    typed = connected.client.get(f"{PATH}?largest=1.234,56", headers=headers)
    assert typed.location == f"{PATH}?largest=1234.56"


def test_every_invalid_field_gets_a_sentence(connected):
    page = Page(connected.client.get(f"{PATH}?sort=foo&direction=zz&smallest=x").text)
    assert page.find(**{"class": "complaints"})[1] == (
        "At least: Enter an amount like 12.50. "
        "Direction: Choose one from the list. Sort by: Choose one from the list."
    )


def test_the_largest_amount_must_not_be_below_the_smallest(connected):
    page = connected.client.get(f"{PATH}?smallest=2&largest=1")
    assert Page(page.text).beside("largest") == (
        "The largest amount is less than the smallest. Swap them."
    )


HOSTILE = ("foo AND (", '"', "'", "a*", "\0", "😀", "<script>x</script>", "%", "\\", "a:b", "NEAR(")


def test_any_search_text_is_answered(connected, subtests):
    for typed in HOSTILE:
        with subtests.test(typed):
            page = connected.client.get(PATH, query_string={"q": typed})
            assert page.status_code == 200
            assert "<script>x" not in page.text


def test_empty_fields_of_a_plain_form_are_removed_from_the_address(connected):
    blank = "q=&start_date=&smallest=&sort=newest&account=&direction=any&hidden=without"
    assert connected.client.get(f"{PATH}?{blank}").location == PATH
    kept = connected.client.get(f"{PATH}?{blank}&q=+pay+&category=INCOME&category=OTHER")
    assert parse_qs(urlsplit(kept.location).query) == {"category": ["INCOME", "OTHER"]}


def test_each_part_of_the_filter_can_be_removed(connected):
    query = "q=pay&category=INCOME&category=TRAVEL&smallest=1&hidden=any"
    page = Page(connected.client.get(f"{PATH}?{query}").text)
    links = {
        " ".join("".join(text).split()): attributes["href"]
        for tag, attributes, text in page.elements
        if attributes.get("class") == "chip"
    }
    assert list(links) == [
        *("Remove “pay”", "Remove Income", "Remove Travel"),
        *("Remove At least 1", "Remove Including hidden"),
    ]
    asked = parse_qs(urlsplit(links["Remove Income"]).query)
    assert asked == {"q": ["pay"], "category": ["TRAVEL"], "smallest": ["1"], "hidden": ["any"]}
    assert Page(connected.client.get(PATH).text).has(**{"class": "chip"}) is False


def test_without_a_match_the_page_offers_to_loosen_the_filter(connected):
    page = connected.client.get(f"{PATH}?q=pay&direction=out")
    assert "“pay”: 2 transactions" in page.text
    assert "Money out: 1 transaction" in page.text


def test_a_misspelled_merchant_is_only_offered(connected):
    page = connected.client.get(f"{PATH}?q=book+shap&direction=out")
    assert names(page) == []
    link = f'href="{PATH}?q=Book+%3Cb%3Eshop%3C%2Fb%3E&amp;direction=out"'
    assert link in page.text
    assert "Did you mean Book &lt;b&gt;shop&lt;/b&gt;?" in page.text
    for nothing in ("q=book+shap&direction=in", "q=qwertz", "q=boo&direction=in"):
        assert "Did you mean" not in connected.client.get(f"{PATH}?{nothing}").text


def test_an_empty_list_explains_why_it_is_empty(app, connected):
    past = connected.client.get(f"{PATH}?after=1999-01-01_1").text
    assert "No older transactions" in past
    assert f'href="{PATH}" hx-get' in past.split("No older transactions")[1]
    assert "No transactions yet" not in past
    connected.client.post(f"{PATH}/edit", data={"all": "y", "do": "hide"})
    for path in (PATH, "/finance/"):
        page = connected.client.get(path).text
        assert "No transactions yet" not in page
        assert f'href="{PATH}?hidden=any"' in page.split("All your transactions are hidden")[1]
    assert len(names(connected.client.get(f"{PATH}?hidden=any"))) == 3


def test_totals_and_day_sums_follow_the_filter(app, connected):
    page = connected.client.get(f"{PATH}?direction=out").text
    assert count(connected.client.get(f"{PATH}?direction=out")) == "2 transactions"
    assert "$12.51" in page
    assert "−$12.50" not in page  # the book shop is the only row of its day, so the day has no sum
    with app.app_context():
        db.session.execute(db.update(Transaction).values(date=date(2026, 3, 1)))
        db.session.commit()
    sums = Page(connected.client.get(f"{PATH}?direction=out").text).find(**{"class": "sums-of-day"})
    assert sums[1] == "−$12.51"


def test_the_style_sheet_marks_a_menu_only_if_a_choice_is_not_the_default(app):
    style = Path(app.static_folder, "app.css").read_text()
    with app.test_request_context():
        form = ExplorerForm(MultiDict())
    choices = {name: form[name].default for name in ("direction", "pending", "hidden", "scope")}
    assert choices == {"direction": "any", "pending": "any", "hidden": "without", "scope": "listed"}
    for name in ("hidden", "scope"):
        assert f'[name="{name}"][value="{choices[name]}"]' in style


@pytest.fixture
def with_a_transfer(app, connected):
    """The book shop's row is a transfer."""
    with app.app_context():
        row = db.session.get(Transaction, ids_of(app)["Book <b>shop</b>"])
        row.category_primary, row.category_detailed = "TRANSFER_OUT", "TRANSFER_OUT_SAVINGS"
        derived.rebuild([row.account_id])
        db.session.commit()
    return connected


@pytest.mark.both_databases
def test_totals_leave_out_transfers_and_say_how_much_that_is(with_a_transfer):
    def tally(query=""):
        text = Page(with_a_transfer.client.get(f"{PATH}{query}").text).find(id="tally")[1]
        return " ".join("".join(text).split()).split(" Export")[0]

    without = "In$1,000.00 Out$0.01 Net+$999.99"
    assert tally() == (
        f"3 transactions {without} Without transfers: $0.00 in, $12.50 out Include them"
    )
    assert tally("?scope=flow") == f"2 transactions {without}"
    assert tally("?scope=all") == "3 transactions In$1,000.00 Out$12.51 Net+$987.49"
    assert tally("?q=book") == (
        "1 transaction Without transfers: $0.00 in, $12.50 out Include them"
    )
    page = with_a_transfer.client.get(f"{PATH}?q=book").text
    assert f'href="{PATH}?q=book&amp;scope=all"' in page
    chips = with_a_transfer.client.get(f"{PATH}?q=book&scope=all").text.split('id="chips"')[1]
    assert "Totals with transfers" in chips


def test_the_sum_of_a_day_leaves_out_transfers_too(app, with_a_transfer):
    with app.app_context():
        db.session.execute(db.update(Transaction).values(date=date(2026, 3, 1)))
        db.session.commit()
    client = with_a_transfer.client
    for query, expected in (("", "+$999.99"), ("?scope=all", "+$987.49")):
        page = Page(client.get(f"{PATH}{query}").text)
        assert page.find(**{"class": "sums-of-day"})[1] == expected


@pytest.mark.both_databases
def test_a_category_that_plaid_adds_has_a_label_a_filter_and_an_edit_form(app, connected):
    with app.app_context():
        row = db.session.get(Transaction, ids_of(app)["Pay"])
        row.category_primary, row.category_detailed = "SPACE_TRAVEL", "SPACE_TRAVEL_THE_MOON"
        derived.rebuild([row.account_id])
        db.session.commit()
        row_id = row.id
    page = connected.client.get(PATH).text
    assert page.count("Space travel") == 3  # the row, the filter, and the form for many rows
    assert names(connected.client.get(f"{PATH}?category=SPACE_TRAVEL")) == ["Pay"]
    assert "Space travel · The moon" in connected.client.get(f"{PATH}/{row_id}").text
    other = ids_of(app)["Cent"]
    chosen = connected.client.post(f"{PATH}/{other}", data={"category": "SPACE_TRAVEL"})
    many = {"row": other, "do": "category", "category": "SPACE_TRAVEL"}
    assert (chosen.status_code, connected.client.post(f"{PATH}/edit", data=many).status_code) == (
        302,
        302,
    )
    for suffix in ("csv", "json", "ofx", "qif", "beancount", "journal"):
        export = connected.client.get(f"/finance/export/transactions.{suffix}")
        assert export.status_code == 200
        assert export.data
    assert connected.client.get("/finance/").status_code == 200


def test_the_original_description_is_shown_where_it_differs(app, connected):
    with app.app_context():
        page = db.session.scalars(db.select(ReceivedPage)).one()
        body = brotli.decompress(page.body)
        differs = body.replace(b'"original_description":"Pay"', b'"original_description":"PAY 7"')
        page.body = raw_pages.compressed(differs)
        db.session.commit()
    assert body != differs
    ids = ids_of(app)
    shown = connected.client.get(f"{PATH}/{ids['Pay']}").text
    assert "<dt>Original description</dt><dd>PAY 7</dd>" in shown
    assert "Original description" not in connected.client.get(f"{PATH}/{ids['Cent']}").text


def test_the_sum_of_a_day_includes_its_rows_on_the_next_page(app, connected):
    copied = ids_of(app)["Pay"]
    with app.app_context():
        for number in range(listing.PAGE_SIZE):
            db.session.execute(stored.copy_of(copied, plaid_transaction_id=str(number), amount=-1))
        db.session.execute(db.update(Transaction).values(date=date(2026, 3, 1)))
        db.session.commit()
    page = connected.client.get(PATH)
    assert len(names(page)) == listing.PAGE_SIZE
    assert Page(page.text).find(**{"class": "sums-of-day"})[1] == "+$1,037.49"


def test_htmx_gets_the_results_and_their_address(connected):
    first = connected.htmx("GET", f"{PATH}?q=&direction=in")
    assert "<html" not in first.text
    assert names(first) == ["Pay"]
    assert first.headers["HX-Push-Url"] == f"{PATH}?direction=in"


@pytest.mark.parametrize(
    ("before", "after", "header"),
    [
        ("", "q=p", "HX-Push-Url"),
        ("q=p", "q=pa", "HX-Replace-Url"),
        ("q=p", "", "HX-Push-Url"),
        ("q=p", "q=p&direction=in", "HX-Push-Url"),
        ("direction=in&q=p", "q=pa&direction=in", "HX-Replace-Url"),
    ],
)
def test_typing_a_search_is_one_step_of_the_history(connected, before, after, header):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{PATH}?{before}"}
    answer = connected.client.get(f"{PATH}?{after}", headers=headers)
    assert header in answer.headers


def test_htmx_gets_only_the_rows_of_the_next_page(alice, connect, today):
    connect(alice)
    page = Page(alice.client.get(PATH).text)
    more, _ = page.find(**{"class": "more"})
    days = [attributes["datetime"] for tag, attributes, _ in page.elements if tag == "time"]
    rows = alice.htmx("GET", more["hx-get"])
    assert len(names(rows)) == 50
    assert 'id="results"' not in rows.text
    assert f'id="day-{days[-1]}"' not in rows.text  # a day that continues has no second heading


def test_the_live_list_is_sent_when_the_revision_changes(app, connected):
    def ask(**query):
        return connected.htmx("GET", f"{PATH}/live", query_string=query)

    page = Page(connected.client.get(PATH).text)
    revision = page.value("revision")
    assert ask(revision=revision, rows=3).status_code == 204
    row_id = ids_of(app)["Pay"]
    connected.client.post(f"{PATH}/{row_id}", data={"note": "Zoë"})
    whole_list = ask(revision=revision, rows=3)
    assert 'hx-target="#results"' in whole_list.text
    update = ask(revision=revision, rows=2, hold=1)
    assert 'hx-target="#results"' not in update.text
    assert "1 new transaction." in update.text
    assert "Some transactions have changed." in ask(revision=revision, rows=3, hold=1).text
    assert Page(update.text).value("rows") == "2"
    assert ask(revision=Page(update.text).value("revision"), rows=2).status_code == 204
    assert ask(revision=revision, sort="id").status_code == 422


def ids_of(app):
    with app.app_context():
        return dict(db.session.execute(db.select(Transaction.name, Transaction.id)).all())


def test_the_page_of_a_transaction_shows_all_that_is_known(app, connected):
    row_id = ids_of(app)["Book <b>shop</b>"]
    page = connected.client.get(f"{PATH}/{row_id}?q=book")
    fragment = connected.htmx("GET", f"{PATH}/{row_id}?q=book")
    assert "<html" in page.text
    assert "<html" not in fragment.text
    for answer in (page, fragment):
        assert "&#34;amount&#34;: 12.5," in answer.text  # as Plaid sent it
        assert "<b>shop" not in answer.text
    assert f'href="{PATH}?q=book"' in page.text


def test_a_pending_row_and_its_posted_row_link_to_each_other(app, connected, today):
    with app.app_context():
        (row, other) = db.session.scalars(db.select(Transaction).limit(2)).all()
        pending, posted = (one.id for one in (row, other))
        row.pending = True
        other.pending_transaction_id = row.plaid_transaction_id
        other.account_id, other.date = row.account_id, row.date + timedelta(days=2)
        db.session.commit()
        item_rows.mark_removed(row.item_id, [row.plaid_transaction_id])
        db.session.commit()
    old = connected.client.get(f"{PATH}/{pending}").text
    assert "This pending transaction was replaced when it posted" in old
    assert f'href="{PATH}/{posted}"' in old
    assert 'name="note"' not in old
    assert "It replaced a pending transaction of" in connected.client.get(f"{PATH}/{posted}").text


def test_a_row_without_a_description_says_so(app, connected):
    with app.app_context():
        row_id = db.session.scalar(db.select(Transaction.id).limit(1))
        db.session.execute(db.update(Transaction).values(name=" ", merchant_name=None))
        db.session.commit()
    for path in ("/finance/", PATH):
        assert "No description" in names(connected.client.get(path))
    page = Page(connected.client.get(f"{PATH}/{row_id}").text)
    assert page.texts_of("h1") == ["No description"]
