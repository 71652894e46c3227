"""Custom test users: what is accepted, and what is refused before anything is stored."""

import json

import pytest

from plaidapp.extensions import db
from plaidapp.store import Account, Transaction
from plaidapp.store.transactions import monthly_refresh, monthly_totals
from tests.pages import Page

USER, PASSWORD = "override_username", "override_password"
NEEDS_LIST = "A custom user needs a list named override_accounts."

BAD = {
    "empty": ("", "This is not valid JSON. The error is at line 1, column 1"),
    "not JSON": (
        "{override_accounts: []}",
        "This is not valid JSON. The error is at line 1, column 2",
    ),
    "half of it": (
        '{"override_accounts": [',
        "This is not valid JSON. The error is at line 1, column",
    ),
    "a list": ("[]", NEEDS_LIST),
    "a number": ("12", NEEDS_LIST),
    "null": ("null", NEEDS_LIST),
    "a string": ('"override_accounts"', NEEDS_LIST),
    "no override_accounts": ('{"accounts": []}', NEEDS_LIST),
    "override_accounts is null": ('{"override_accounts": null}', "must be a list of accounts."),
    "override_accounts is no list": ('{"override_accounts": {}}', "must be a list of accounts."),
    "a bomb of lists": ("[" * 100_000, "This is not valid JSON."),
    "a bomb of objects": ('{"a":' * 50_000, "This is not valid JSON."),
    "a number of 5,000 digits": ("1" * 5000, "This is not valid JSON."),
    "600,000 characters": ('"' + "x" * 600_000 + '"', "at most 500,000 characters"),
    "HTML": ("<script>x</script>", "This is not valid JSON. The error is at line 1, column 1"),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_bad_custom_user_gets_a_sentence_beside_the_field(alice, dump, subtests):
    before = dump()

    for case, (typed, sentence) in BAD.items():
        form = {"institution_id": "ins_109508", USER: "user_custom", PASSWORD: typed}
        for answer in (
            alice.client.post("/finance/items/sandbox", data=form),
            alice.htmx("POST", "/finance/items/sandbox", data=form),
        ):
            with subtests.test(case):
                page = Page(answer.text)
                assert answer.status_code == 422
                assert sentence in page.beside(PASSWORD)
                assert page.complaints() == {PASSWORD}
                assert page.value(USER) == "user_custom"
                assert "<script>x" not in answer.text

    assert dump() == before


@pytest.mark.parametrize(
    ("form", "field", "sentence"),
    [
        ({"institution_id": ""}, "institution_id", "Choose a bank."),
        ({}, "institution_id", "Choose a bank."),
        ({"institution_id": "nonsense"}, "institution_id", "A bank ID looks like ins_109508."),
        ({"institution_id": "ins_1\0"}, "institution_id", "A bank ID looks like ins_109508."),
        ({"institution_id": "ins_1\n"}, "institution_id", "A bank ID looks like ins_109508."),
        ({"institution_id": "ins_" + "1" * 99}, "institution_id", "A bank ID looks like"),
        ({PASSWORD: "secret"}, USER, "Enter the test user that this password belongs to."),
        ({USER: "u" * 129}, USER, "at most 128 characters."),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_bad_field_gets_a_sentence_beside_it(alice, dump, form, field, sentence):
    before = dump()
    if field != "institution_id":
        form = {"institution_id": "ins_109508", **form}

    answer = alice.client.post("/finance/items/sandbox", data=form)

    page = Page(answer.text)
    assert answer.status_code == 422
    assert sentence in page.beside(field)
    assert page.complaints() == {field}
    assert "secret" not in answer.text
    assert dump() == before


def test_the_amounts_of_a_custom_user_are_stored_exactly(app, connected):
    with app.app_context():
        assert db.session.query(Account).count() == 2
        rows = db.session.scalars(db.select(Transaction).order_by(Transaction.date.desc())).all()
        assert [str(row.amount.normalize()) for row in rows] == ["12.5", "-1E+3", "0.01"]

    dashboard = connected.client.get("/finance/").text
    assert "<b>shop</b>" not in dashboard
    assert "&lt;b&gt;shop&lt;/b&gt;" in dashboard


def test_an_error_that_only_the_bank_finds_is_in_the_panel(alice, work, panel):
    unknown = "The bank did not accept this username and password."
    cases = (
        ({"institution_id": "ins_999999"}, "There is no bank with this ID."),
        ({USER: "user_good", PASSWORD: "wrong"}, unknown),
        ({USER: "nobody", PASSWORD: "pass_good"}, unknown),
    )
    for form, _ in cases:
        form = {"institution_id": "ins_109508", **form}
        assert panel(alice.htmx("POST", "/finance/items/sandbox", data=form)).state == "queued"
    work()

    for number, (_, sentence) in enumerate(cases, start=1):
        shown = panel(alice.htmx("GET", f"/finance/pulls/{number}"))
        assert shown.state == "failed"
        assert sentence in shown.text
    assert alice.client.get("/finance/accounts.json").json == {"accounts": []}


def test_a_custom_user_that_plaid_refuses_gets_a_sentence(alice, work, panel):
    accounts = {"override_accounts": [{"type": "depository", "subtype": "nonsense"}]}
    form = {"institution_id": "ins_109508", USER: "user_custom", PASSWORD: json.dumps(accounts)}
    alice.client.post("/finance/items/sandbox", data=form)
    work()

    shown = panel(alice.htmx("GET", "/finance/pulls/1"))

    assert shown.state == "failed"
    assert "Plaid could not use what was entered." in shown.text


DAYS = ("9999-12-01", "9999-12-31")
"""Python has no later day and no later month."""
EXPORTS = ("csv", "json", "ofx", "qif", "beancount", "journal")


def test_the_last_day_that_python_has_breaks_no_sync_and_no_page(app, alice, connect):
    rows = [
        {"date_transacted": day, "date_posted": day, "amount": 1, "description": day}
        for day in DAYS
    ]
    account = {"type": "depository", "subtype": "checking", "starting_balance": 10}
    user = {"override_accounts": [account | {"transactions": rows}]}
    connect(alice, **{USER: "user_custom", PASSWORD: json.dumps(user)})

    with app.app_context():
        account_ids = db.session.scalars(db.select(Account.id)).all()
        stored = db.session.scalars(db.select(Transaction).order_by(Transaction.date)).all()
        assert [str(row.date) for row in stored] == list(DAYS)
        assert monthly_totals.count(alice.id).shown == len(DAYS)
        assert monthly_refresh.wrong(account_ids) == set()
        paths = [f"/finance/transactions/{row.id}" for row in stored]
    paths += [f"/finance/transactions?start_date={day}&end_date={day}" for day in DAYS]
    paths += [f"/finance/export/transactions.{kind}" for kind in EXPORTS]
    for path in (*paths, "/finance/?period=all", "/finance/recurring", "/finance/items/1"):
        answer = alice.client.get(path)
        assert answer.status_code in (200, 422), path
        assert answer.data
