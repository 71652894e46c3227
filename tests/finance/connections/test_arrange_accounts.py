"""Renaming, hiding and moving accounts, on their own page and on the connection's."""

import csv
import io

import pytest

from plaidapp.store import Account
from tests.pages import Page

PAGE = "/finance/accounts"
ITEM = "/finance/items/1"


@pytest.fixture
def act(connected):
    """Press a button as HTMX does, or as a plain form; returns the sentence on the page."""

    def press(account_id, action, htmx=True, **form):
        path = f"{PAGE}/{account_id}/{action}"
        if htmx:
            answer = connected.htmx("POST", path, data=form)
            assert answer.headers["HX-Trigger"] == "ledger-changed"
            assert answer.headers["HX-Retarget"] == "#notice"
            return answer.status_code, answer.text
        answer = connected.client.post(path, data=form, follow_redirects=True)
        return answer.status_code, Page(answer.text).find(id="notice")[1]

    return press


def listed(person, path):
    """The ids of the accounts on a page that arranges them, in their order."""
    page = Page(person.client.get(path).text)
    return [
        int(attributes["id"].removeprefix("account-"))
        for tag, attributes, _ in page.elements
        if tag == "li" and (attributes.get("id") or "").startswith("account-")
    ]


def test_an_account_has_the_persons_name_everywhere_and_the_banks_in_its_details(
    connected, act, ask, work
):
    first = ask(Account)[0]

    status, sentence = act(first.id, "rename", name="  Rent & <food> ")

    assert status == 200
    assert "This account is now called Rent &amp; &lt;food&gt;." in sentence
    for path in (
        "/finance/",
        "/finance/transactions",
        "/finance/transactions/1",
        "/finance/items",
        ITEM,
        PAGE,
        f"{PAGE}/{first.id}/same",
        f"/finance/transactions?account={first.id}",
    ):
        assert "Rent & <food>" in Page(connected.client.get(path).text).text, path
    _, details = Page(connected.client.get(ITEM).text).find(id=f"account-{first.id}")
    assert f"Name at the bank{first.name}" in details
    exported = connected.client.get("/finance/export/transactions.csv").text
    assert {line["account_name"] for line in csv.DictReader(io.StringIO(exported))} == {
        "Rent & <food>"
    }
    (sent, _) = connected.client.get("/finance/accounts.json").json["accounts"]
    assert (sent["nickname"], sent["name"]) == ("Rent & <food>", first.name)

    connected.client.post("/finance/pulls/accounts")
    work()
    assert ask(Account)[0].title == "Rent & <food>"
    assert connected.client.get("/finance/transactions?q=rent").text.count("Rent &amp;") >= 3

    assert "has its bank’s name" in act(first.id, "rename", name=" ")[1]
    assert ask(Account)[0].nickname is None


def test_a_hidden_account_is_left_out_and_shown_again_with_one_click(connected, act, ask, subtests):
    first, second = ask(Account)
    count = "3 transactions"
    assert count in Page(connected.client.get("/finance/").text).find(id="summary")[1]

    assert "is hidden: lists and totals leave it out" in act(first.id, "hide")[1]

    dashboard = Page(connected.client.get("/finance/").text)
    counts = "1 connection, 1 account, 0 transactions."
    assert dashboard.find(id="summary")[1].endswith(counts)
    assert not dashboard.has(id=f"account-{first.id}")
    for path in ("/finance/", "/finance/transactions", "/finance/transactions?q=book"):
        with subtests.test(path):
            assert "Book &lt;b&gt;shop" not in connected.client.get(path).text
    page = Page(connected.client.get("/finance/transactions").text)
    assert not page.has(name="account", value=str(first.id))
    assert "Book" in connected.client.get(f"/finance/transactions?account={first.id}").text
    assert "1 account is hidden." in Page(connected.client.get("/finance/items").text).text
    for path in (ITEM, PAGE):
        assert listed(connected, path) == [second.id, first.id]
        assert Page(connected.client.get(path).text).has(action=f"{PAGE}/{first.id}/show")

    with subtests.test("files and JSON keep its rows and say so"):
        sent = connected.client.get("/finance/transactions.json").json
        assert sent["total_transactions"] == 3
        assert {row["hidden"] for row in sent["transactions"]} == {True}
        lines = csv.DictReader(
            io.StringIO(connected.client.get("/finance/export/transactions.csv").text)
        )
        assert [line["hidden"] for line in lines] == ["true"] * 3
        sent = connected.client.get("/finance/accounts.json").json["accounts"]
        assert [account["hidden"] for account in sent] == [True, False]
        assert (
            "Your hidden accounts are in the file"
            in connected.client.get("/finance/transactions").text
        )
        book = connected.client.get("/finance/export/transactions.beancount").text
        assert book.count(" balance ") == 2

    act(second.id, "hide", htmx=False, page="accounts")
    assert "Your accounts are hidden." in connected.client.get("/finance/").text

    assert "is shown again" in act(first.id, "show", htmx=False, page="item")[1]
    assert count in Page(connected.client.get("/finance/").text).find(id="summary")[1]
    assert "Book &lt;b&gt;shop" in connected.client.get("/finance/").text


def test_accounts_move_up_and_down_on_both_pages(connected, act, ask, subtests):
    first, second = ask(Account)
    for page in (ITEM, PAGE):
        with subtests.test(page):
            assert listed(connected, page) == [first.id, second.id]
            up = Page(connected.client.get(page).text).find(id=f"up-{second.id}")[0]
            assert (up["name"], up["value"]) == ("before", str(first.id))

            assert "comes before" in act(second.id, "move", before=first.id)[1]
            assert listed(connected, page) == [second.id, first.id]
            top = Page(connected.client.get(page).text).find(id=f"up-{second.id}")[0]
            assert top["value"] == ""
            assert "It is the first one already." in act(second.id, "move", before="")[1]

            sentence = act(second.id, "move", htmx=False, after=first.id, page="item")[1]
            assert "comes after" in sentence
            assert "It is the last one already." in act(second.id, "move", after="")[1]


def test_a_plain_form_goes_back_to_its_page_with_the_account_open(connected, ask):
    account = ask(Account)[0]
    for page, address in (("item", ITEM), ("accounts", PAGE)):
        answer = connected.client.post(
            f"{PAGE}/{account.id}/rename", data={"name": "x", "page": page}
        )
        assert answer.location == f"{address}?open={account.id}#account-{account.id}"
        opened = [
            attributes
            for tag, attributes, _ in Page(connected.client.get(answer.location).text).elements
            if tag == "details" and attributes.get("class") == "arrange" and "open" in attributes
        ]
        assert len(opened) == 1


def test_a_bad_name_or_neighbor_changes_nothing(connected, charlie, ask, dump, subtests):
    account = ask(Account)[0]
    before = dump()
    cases = (
        ("rename", {"name": "x" * 101}, "at most 100 characters"),
        ("rename", {"name": "a\nb"}, "one line"),
        ("rename", {"name": "a\0b"}, "one line"),
        ("move", {"before": account.id}, "Choose two accounts"),
    )
    for action, form, sentence in cases:
        with subtests.test(form):
            path = f"{PAGE}/{account.id}/{action}"
            htmx = connected.htmx("POST", path, data=form)
            plain = connected.client.post(path, data=form)
            assert (htmx.status_code, plain.status_code) == (422, 422)
            assert sentence in htmx.text
            assert sentence in plain.text
    for action in ("rename", "hide", "show", "move"):
        assert charlie.client.post(f"{PAGE}/{account.id}/{action}").status_code == 404
    path = f"{PAGE}/{account.id}/move"
    for nobody in (10**6, 10**30, "x"):
        assert connected.client.post(path, data={"before": nobody}).status_code == 404
    assert dump() == before
