"""The question *Is this the same account?*, its two answers, merging and separating by hand."""

from datetime import timedelta

import pytest

from plaidapp.store import Account
from tests.scripted_bank import scripted_bank  # noqa: F401 a fixture

ITEMS = "/finance/items"


@pytest.fixture
def bank(scripted_bank, today):  # noqa: F811
    """Two log-ins at different banks that list the same account, and one that is another's."""
    for name in ("old", "new"):
        login = scripted_bank.login(name)
        key = login.account(name=f"{name.title()} Checking")
        login.row(key, today - timedelta(days=3), "10", "Coffee & cake")
        login.row(key, today - timedelta(days=9 if name == "old" else 1), "7", name)
    login = scripted_bank.login("other")
    login.account(name="Other", mask="1234")
    return scripted_bank


@pytest.fixture
def asked(bank, alice, connect):
    """Alice has connected both banks, the old one first."""
    for name, institution_id in (("old", "ins_109508"), ("new", "ins_109509")):
        connect(
            alice,
            override_username=name,
            override_password="any",
            institution_id=institution_id,
        )
    return alice


@pytest.fixture
def ids(ask, asked):
    """The ids of Alice's accounts: the old bank's and the new one's."""
    return [account.id for account in ask(Account)]


def path_of(account_id, action):
    return f"/finance/accounts/{account_id}/{action}"


def accounts_of(ask):
    return [(account.id, account.name) for account in ask(Account)]


def test_the_question_shows_both_sides(asked, today):
    page = asked.client.get(ITEMS).text
    assert "Is this the same account?" in page
    for text in ("Old Checking", "New Checking", "ins_109508", "ins_109509", "$1,000.00"):
        assert text in page
    assert "1 transaction in common." in page
    assert "Same account</button>" in page
    assert "Different accounts</button>" in page


def test_the_overview_asks_quietly(asked):
    page = asked.client.get("/finance/").text
    assert f'<a href="{ITEMS}#questions">Is this the same account?</a>' in page
    assert "Is this the same account?" in asked.htmx("GET", "/finance/live?revision=0").text


@pytest.mark.parametrize("htmx", [False, True])
def test_the_same_account(asked, ask, ids, htmx):
    old, new = ids
    exported = {row["transaction_id"] for row in listed(asked)}
    if htmx:
        answer = asked.htmx("POST", path_of(old, "same"), data={"other": new})
        assert answer.headers["HX-Redirect"] == ITEMS
    else:
        answer = asked.client.post(path_of(old, "same"), data={"other": new})
        assert (answer.status_code, answer.location) == (302, ITEMS)
    assert accounts_of(ask) == [(old, "New Checking")]
    page = asked.client.get(ITEMS).text
    assert "Is this the same account?" not in page
    assert "shared, counted once" in page
    assert "$1,000.00" in asked.client.get("/finance/").text
    assert len(listed(asked)) == 3
    assert {row["transaction_id"] for row in listed(asked)} < exported


def listed(person):
    return person.client.get("/finance/transactions.json").json["transactions"]


def test_different_accounts(asked, ask, work, ids):
    old, new = ids
    answer = asked.client.post(path_of(old, "different"), data={"other": new})
    assert answer.status_code == 302
    page = asked.client.get(ITEMS).text
    assert "They stay two accounts." in page
    assert "Is this the same account?" not in page
    assert len(ask(Account)) == 2
    asked.client.post("/finance/items/2/sync")
    work()
    assert "Is this the same account?" not in asked.client.get(ITEMS).text


def test_merging_and_separating_by_hand(asked, ask, ids):
    old, new = ids
    asked.client.post(path_of(old, "different"), data={"other": new})
    before = listed(asked)
    page = asked.client.get("/finance/items/1").text
    assert f'href="{path_of(old, "same")}"' in page
    page = asked.client.get(path_of(old, "same")).text
    assert f'href="{path_of(old, "same")}?other={new}"' in page
    assert "Separate" not in page
    page = asked.client.get(f"{path_of(old, 'same')}?other={new}").text
    assert "1 transaction in common." in page
    asked.client.post(path_of(old, "same"), data={"other": new})
    assert "Separate</button>" in asked.client.get(path_of(old, "same")).text
    assert asked.client.post(path_of(old, "separate")).status_code == 302
    assert accounts_of(ask) == [(old, "Old Checking"), (new, "New Checking")]
    assert sorted(map(str, listed(asked))) == sorted(map(str, before))
    assert "Is this the same account?" not in asked.client.get(ITEMS).text


REFUSED = {
    "no other": ("same", lambda ids: {}, 422),
    "nonsense": ("same", lambda ids: {"other": "x"}, 422),
    "missing": ("same", lambda ids: {"other": "4711"}, 404),
    "too large": ("different", lambda ids: {"other": "9" * 30}, 404),
    "itself": ("same", lambda ids: {"other": ids[0]}, 422),
    "itself again": ("different", lambda ids: {"other": ids[0]}, 422),
    "never merged": ("separate", lambda ids: {}, 422),
}


def test_what_cannot_be_done_changes_nothing(asked, dump, ids, subtests):
    before = dump()
    for case, (action, data, status) in REFUSED.items():
        with subtests.test(case):
            path = path_of(ids[0], action)
            assert asked.client.post(path, data=data(ids)).status_code == status
            assert asked.htmx("POST", path, data=data(ids)).status_code == status
            assert dump() == before


def test_accounts_of_one_connection_are_different(alice, bank, connect, dump, ask):
    bank.login("old").account(name="Second", mask="4321")
    connect(alice, override_username="old", override_password="any")
    before, (one, other) = dump(), (account.id for account in ask(Account))
    answer = alice.client.post(path_of(one, "same"), data={"other": other})
    assert answer.status_code == 422
    assert "One connection lists both accounts" in answer.text
    assert dump() == before


def test_another_persons_account_is_not_found(asked, charlie, connect, dump, ask):
    connect(charlie, override_username="other", override_password="any")
    before = dump()
    old, new, own = (account.id for account in ask(Account))
    for action in ("same", "different"):
        for one, other in ((old, new), (own, old), (old, own)):
            answer = charlie.client.post(path_of(one, action), data={"other": other})
            assert answer.status_code == 404
    assert charlie.client.post(path_of(old, "separate")).status_code == 404
    assert charlie.client.get(path_of(old, "same")).status_code == 404
    assert charlie.client.get(f"{path_of(own, 'same')}?other={old}").status_code == 404
    assert dump() == before
    assert "Is this the same account?" not in charlie.client.get(ITEMS).text


def test_ids_in_exports_stay_when_a_bank_is_connected_again(connected, connect, small_user):
    """Programs recognize transactions and accounts by them."""

    def exported():
        accounts = connected.client.get("/finance/accounts.json").json["accounts"]
        rows = sorted(row["transaction_id"] for row in listed(connected))
        return [account["account_id"] for account in accounts], rows

    def fitids():
        text = connected.client.get("/finance/export/transactions.ofx").text
        return sorted(part.split("<")[0] for part in text.split("<FITID>")[1:])

    def names():
        text = connected.client.get("/finance/export/transactions.beancount").text
        return sorted({word for word in text.split() if word.startswith("Assets:")})

    before = exported(), fitids(), names()
    connect(connected, **small_user)
    assert (exported(), fitids(), names()) == before
