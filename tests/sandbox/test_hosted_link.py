"""Hosted Link, walked through over HTTP: every step, and what comes of it at the client."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from sandbox.error_catalog import INSTITUTION, ITEM
from tests.link_walker import Person, walk
from tests.sandbox.conftest import BACK, FIRST_BANK, OAUTH_BANK
from tests.sandbox_control import Control

DYNAMIC = "user_transactions_dynamic"


def event_names(session):
    """Return the events, oldest first; of a transition the name of the view."""
    return [
        event["event_metadata"].get("view_name", event["event_name"])
        for event in reversed(session["events"])
    ]


def test_a_bank_is_connected(live, hosted_link, sessions_of, connect):
    link = hosted_link()
    assert link["hosted_link_url"].startswith(live.url + "/hl/")
    assert link["link_token"] not in link["hosted_link_url"]
    assert walk(link["hosted_link_url"]) == BACK
    (session,) = sessions_of(link)
    (result,) = session["results"]["item_add_results"]
    assert result["institution"] == {"institution_id": FIRST_BANK, "name": "First Platypus Bank"}
    exchanged = live.call("/item/public_token/exchange", public_token=result["public_token"])
    accounts = live.call("/accounts/get", access_token=exchanged["access_token"])["accounts"]
    assert [a["account_id"] for a in accounts] == [a["id"] for a in result["accounts"]]
    assert len(accounts) == 9
    assert event_names(session) == [
        "OPEN", "CONSENT", "SELECT_INSTITUTION", "SELECT_INSTITUTION", "CREDENTIAL",
        "SUBMIT_CREDENTIALS", "LOADING", "SELECT_ACCOUNT", "CONNECTED", "HANDOFF",
    ]  # fmt: skip


def test_what_the_token_carries_reaches_the_item(live, connect):
    token = connect(
        products=["transactions"],
        required_if_supported_products=["liabilities"],
        optional_products=["statements"],
        additional_consented_products=["investments"],
        transactions={"days_requested": 40},
        webhook="http://127.0.0.1:9/hook",
        account_filters={"depository": {"account_subtypes": ["checking", "savings"]}},
        bank="ins_9",  # which has no statements
    )
    item = live.call("/item/get", access_token=token)["item"]
    assert item["webhook"] == "http://127.0.0.1:9/hook"
    assert item["products"] == ["liabilities", "transactions"]
    assert item["consented_products"] == [
        "investments", "liabilities", "statements", "transactions",
    ]  # fmt: skip
    accounts = live.call("/accounts/get", access_token=token)["accounts"]
    assert [account["subtype"] for account in accounts] == ["checking", "savings"]
    live.clock.advance(60)
    rows = live.sync_all(token)[0]["added"]
    assert {row["account_id"] for row in rows} <= {a["account_id"] for a in accounts}
    assert min(row["date"] for row in rows) >= "2026-02-03"


@pytest.mark.parametrize(
    ("password", "steps"),
    [
        ("mfa_device", ["device", "code"]),
        ("mfa_questions_2_3", ["questions", "questions"]),
        ("mfa_selections", ["selections"]),
        ("mfa_selections_2_1_3", ["selections", "selections"]),
        ("microdeposits_good", []),
    ],
)
def test_second_steps(hosted_link, sessions_of, password, steps):
    link = hosted_link()
    assert walk(link["hosted_link_url"], password=password) == BACK
    (session,) = sessions_of(link)
    assert session["results"]
    events = [
        event for event in reversed(session["events"]) if "mfa_type" in event["event_metadata"]
    ]
    shown = [e["event_metadata"]["mfa_type"] for e in events if e["event_name"] != "SUBMIT_MFA"]
    sent = [e["event_metadata"]["mfa_type"] for e in events if e["event_name"] == "SUBMIT_MFA"]
    assert shown == sent == steps


def test_the_documented_answers_are_right(hosted_link, sessions_of):
    link = hosted_link()
    answers = ["answer_0_0", "answer_0_1", "answer_1_0", "answer_1_1"]
    walk(link["hosted_link_url"], password="mfa_questions_2_2", answers=answers)
    assert sessions_of(link)[0]["results"]


@pytest.mark.parametrize("password", ["mfa_device", "mfa_questions_1_2", "mfa_selections"])
def test_a_wrong_answer_goes_back_to_the_log_in(hosted_link, sessions_of, password):
    link = hosted_link()
    wrong = ["0000", "0000"]
    assert walk(link["hosted_link_url"], password=[password, "pass_good"], answers=wrong) == BACK
    (session,) = sessions_of(link)
    assert session["results"]
    (error,) = [e["event_metadata"] for e in session["events"] if e["event_name"] == "ERROR"]
    assert error["error_code"] == "INVALID_MFA"


def test_recaptcha(hosted_link, sessions_of):
    good, bad = hosted_link(), hosted_link()
    walk(good["hosted_link_url"], password='{"recaptcha":"good"}')
    assert "RECAPTCHA" in event_names(sessions_of(good)[0])
    assert sessions_of(good)[0]["results"]
    walk(bad["hosted_link_url"], password='{"recaptcha": "bad"}')
    error = sessions_of(bad)[0]["exit"]["error"]
    assert (error["error_type"], error["error_code"]) == ("RECAPTCHA_ERROR", "RECAPTCHA_BAD")


def test_a_wrong_password_can_be_corrected(hosted_link, sessions_of):
    link = hosted_link()
    person = Person(link["hosted_link_url"])
    person.send(institution_id=[FIRST_BANK])
    person.send(username=["user_good"], password=["wrong"])
    assert person.step == "credentials"
    assert person.page.find(role="alert")[1] == (
        "The provided credentials were not correct. Please try again."
    )
    person.send(password=["pass_good"])
    assert person.step == "accounts"


ERRORS = sorted({*ITEM, *INSTITUTION, "INTERNAL_SERVER_ERROR", "COUNTRY_NOT_SUPPORTED"})


def test_every_error_password(hosted_link, sessions_of, subtests):
    for code in ERRORS:
        with subtests.test(code):
            link = hosted_link()
            assert walk(link["hosted_link_url"], password=f"error_{code}") == BACK
            (session,) = sessions_of(link)
            assert session["exit"]["error"]["error_code"] == code
            assert session["exit"]["metadata"]["institution"]["institution_id"] == FIRST_BANK
            assert "results" not in session


EXITS = [
    ("institution", "pass_good", "requires_credentials"),
    ("credentials", "pass_good", "requires_credentials"),
    ("device", "mfa_device", "choose_device"),
    ("code", "mfa_device", "requires_code"),
    ("questions", "mfa_questions_1_1", "requires_questions"),
    ("selections", "mfa_selections", "requires_selections"),
    ("recaptcha", '{"recaptcha":"good"}', "requires_recaptcha"),
    ("accounts", "pass_good", "requires_account_selection"),
    ("error", "error_ITEM_LOCKED", "requires_credentials"),
    ("error", "error_INSTITUTION_NO_LONGER_SUPPORTED", "institution_not_supported"),
]
"""A step at which the person leaves, the password that leads there, and the status of the exit."""


def test_leaving_at_every_step(hosted_link, sessions_of, subtests):
    for step, password, status in EXITS:
        with subtests.test(f"{step}, {password}"):
            link = hosted_link()
            assert walk(link["hosted_link_url"], password=password, cancel_at=step) == BACK
            (session,) = sessions_of(link)
            assert session["exit"]["metadata"]["status"] == status
            assert session["exit"] == session["on_exit"]
            assert session["finished_at"]
            assert event_names(session)[-2:] == ["EXIT", "EXIT"]
            assert (session["exit"]["error"] is None) == (step != "error")


def test_staying_after_all(hosted_link, sessions_of):
    link = hosted_link()
    person = Person(link["hosted_link_url"])
    person.press("cancel")
    assert person.step == "leave"
    person.press("stay")
    assert person.step == "institution"
    assert sessions_of(link)[0]["finished_at"] is None


def test_searching_for_a_bank(hosted_link, sessions_of):
    link = hosted_link()
    person = Person(link["hosted_link_url"])
    person.search("tartan")
    assert person.values("institution_id") == ["ins_109511"]
    person.search("no such bank")
    assert person.values("institution_id") == []
    person.give_up()
    (session,) = sessions_of(link)
    assert session["exit"]["metadata"]["status"] == "institution_not_found"
    queries = [e["event_metadata"].get("institution_search_query") for e in session["events"]]
    assert [query for query in queries if query] == ["no such bank", "tartan"]


def test_banks_are_filtered_by_products_and_countries(hosted_link, sessions_of):
    def offered(**fields):
        return Person(hosted_link(**fields)["hosted_link_url"]).values("institution_id")

    assert "ins_10" in offered()
    assert "ins_10" not in offered(products=["auth"])  # American Express has no auth
    assert offered(country_codes=["CA"]) == ["ins_39", "ins_43"]
    assert offered(institution_data={"routing_number": "021000021"})[0] == "ins_3"

    link = hosted_link(products=["auth"])
    person = Person(link["hosted_link_url"])
    person.send(institution_id=["ins_39"])  # not in the country
    assert person.step == "institution"
    person.send(institution_id=["ins_10"])
    assert person.step == "error"
    person.give_up()
    (session,) = sessions_of(link)
    assert session["exit"]["error"]["error_code"] == "PRODUCTS_NOT_SUPPORTED"
    assert "SELECT_FILTERED_INSTITUTION" in event_names(session)


def test_a_bank_that_is_down_says_so(live, hosted_link, sessions_of):
    link = hosted_link()
    with Control(live.url).bank(FIRST_BANK, "DOWN"):
        assert "Not available at the moment." in Person(link["hosted_link_url"]).text
        walk(link["hosted_link_url"])
    session = sessions_of(link)[-1]
    assert session["exit"]["error"]["error_code"] == "INSTITUTION_DOWN"
    assert "SELECT_DOWN_INSTITUTION" in event_names(session)
    assert walk(link["hosted_link_url"]) == BACK
    assert sessions_of(link)[-1]["results"]


def test_a_bank_that_is_not_supported_anymore(hosted_link, sessions_of):
    link = hosted_link()
    assert "Not supported anymore." in Person(link["hosted_link_url"]).text
    walk(link["hosted_link_url"], bank="ins_133402")
    exit_ = sessions_of(link)[-1]["exit"]
    assert exit_["error"]["error_code"] == "INSTITUTION_NO_LONGER_SUPPORTED"
    assert exit_["metadata"]["status"] == "institution_not_supported"


def test_a_slow_bank_says_so(hosted_link, sessions_of):
    link = hosted_link()
    walk(link["hosted_link_url"], bank="ins_132363")
    assert "SELECT_DEGRADED_INSTITUTION" in event_names(sessions_of(link)[0])


def test_accounts_are_chosen(live, connect):
    token = connect(accounts=["0000", "Plaid Credit Card"])
    accounts = live.call("/accounts/get", access_token=token)["accounts"]
    assert [account["mask"] for account in accounts] == ["0000", "3333"]
    live.clock.advance(60)
    rows = live.sync_all(token)[0]["added"]
    assert {row["account_id"] for row in rows} == {a["account_id"] for a in accounts}


def test_a_customization_says_how_many_accounts_are_chosen(live, hosted_link, connect):
    link = hosted_link(link_customization_name="single_account")
    person = Person(link["hosted_link_url"])
    person.send(institution_id=[FIRST_BANK])
    person.send(username=["user_good"], password=["pass_good"])
    both = person.account_ids(["0000", "1111"])
    for chosen, complaint in ((both, "Choose only one account."), ([], "Choose an account.")):
        person.send(account_id=chosen)
        assert complaint in person.text
    person.send(account_id=both[:1])
    assert person.step == "connected"

    link = hosted_link(link_customization_name="all_accounts")
    walk(link["hosted_link_url"], accounts=["not asked"])


def test_no_account_fits_the_filters(hosted_link, sessions_of):
    link = hosted_link(account_filters={"loan": {"account_subtypes": ["auto"]}})
    walk(link["hosted_link_url"])
    assert sessions_of(link)[0]["exit"]["error"]["error_code"] == "NO_ACCOUNTS"


def test_a_bank_with_oauth(live, connect):
    token = connect(bank=OAUTH_BANK, accounts=["1111", "0000"], username=DYNAMIC)
    accounts = live.call("/accounts/get", access_token=token)["accounts"]
    assert [account["mask"] for account in accounts] == ["0000", "1111"]
    assert all("persistent_account_id" in account for account in accounts)


@pytest.mark.parametrize(
    ("oauth", "event", "code"),
    [
        ("deny", "CLOSE_OAUTH", "ACCESS_NOT_GRANTED"),
        ("fail", "FAIL_OAUTH", "INSTITUTION_NOT_RESPONDING"),
    ],
)
def test_oauth_that_is_denied_or_fails(hosted_link, sessions_of, oauth, event, code):
    link = hosted_link()
    assert walk(link["hosted_link_url"], bank=OAUTH_BANK, oauth=oauth) == BACK
    (session,) = sessions_of(link)
    assert session["exit"]["error"]["error_code"] == code
    assert session["exit"]["metadata"]["status"] == "requires_oauth"
    assert {"OPEN_OAUTH", event} <= set(event_names(session))


def test_leaving_before_the_page_of_the_bank(hosted_link, sessions_of):
    link = hosted_link()
    assert walk(link["hosted_link_url"], bank=OAUTH_BANK, cancel_at="oauth") == BACK
    assert sessions_of(link)[0]["exit"]["metadata"]["status"] == "requires_oauth"


def test_several_banks_in_one_session(hosted_link, sessions_of):
    link = hosted_link(enable_multi_item_link=True)
    assert walk(link["hosted_link_url"], bank=[FIRST_BANK, "ins_109511"],
                password=["pass_good", "mfa_device"]) == BACK  # fmt: skip
    (session,) = sessions_of(link)
    added = [r["institution"]["institution_id"] for r in session["results"]["item_add_results"]]
    assert added == [FIRST_BANK, "ins_109511"]
    assert session["finished_at"]


def test_leaving_after_the_first_of_several_banks(hosted_link, sessions_of):
    link = hosted_link(enable_multi_item_link=True)
    banks = [FIRST_BANK, "ins_109511"]
    assert walk(link["hosted_link_url"], bank=banks, password=["pass_good", "wrong"]) == BACK
    (session,) = sessions_of(link)
    assert len(session["results"]["item_add_results"]) == 1
    assert "exit" not in session


def test_each_opening_is_a_session_and_a_closed_tab_has_no_end(live, hosted_link, sessions_of):
    link = hosted_link()
    assert walk(link["hosted_link_url"], stop_at="accounts") is None
    assert walk(link["hosted_link_url"]) == BACK
    first, second = sessions_of(link)
    assert first["finished_at"] is None
    assert not {"exit", "on_exit", "on_success", "results"} & set(first)
    assert second["finished_at"]
    assert first["link_session_id"] != second["link_session_id"]


def test_reloading_and_sending_twice_change_nothing(hosted_link, sessions_of):
    link = hosted_link()
    person = Person(link["hosted_link_url"])
    page = person.url
    twice = {"turn": "0", "institution_id": FIRST_BANK, "action": "continue"}
    for _ in range(2):
        answer = requests.post(page, data=twice, timeout=10)
        assert 'data-step="credentials"' in answer.text
    assert event_names(sessions_of(link)[0]).count("CREDENTIAL") == 1
    walk(link["hosted_link_url"])
    finished = sessions_of(link)[-1]
    again = Person(page)
    assert (again.step, again.status) == ("refused", 410)  # the other tab was faster
    assert sessions_of(link)[-1] == finished


def test_links_that_are_over(live, hosted_link):
    def said(url):
        person = Person(url)
        return person.status, person.heading

    used, expired = hosted_link(), hosted_link(hosted_link={"url_lifetime_seconds": 60})
    walk(used["hosted_link_url"])
    assert said(used["hosted_link_url"]) == (410, "This link has been used")
    assert said(expired["hosted_link_url"])[0] == 200
    live.clock.advance(61)
    assert said(expired["hosted_link_url"]) == (410, "This link has expired")
    assert said(live.url + "/hl/unknown") == (404, "Unknown link")
    assert said(live.url + "/hl/unknown/unknown") == (404, "Unknown link")


def test_only_one_of_sixteen_tabs_completes_a_link(hosted_link, sessions_of):
    link = hosted_link()
    people = [Person(link["hosted_link_url"]) for _ in range(16)]
    for person in people:
        person.send(institution_id=[FIRST_BANK])
        person.send(username=["user_good"], password=["pass_good"])
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(Person.send, people))
    assert sorted(person.step for person in people) == ["connected"] + ["refused"] * 15
    assert sum("results" in session for session in sessions_of(link)) == 1


def test_the_pages_need_no_scripts_and_are_not_cached(live, hosted_link):
    answer = requests.get(hosted_link()["hosted_link_url"], timeout=10)
    assert "default-src 'none'; style-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text
    assert (
        requests.get(live.url + "/hl/link.css", timeout=10)
        .headers["Content-Type"]
        .startswith("text/css")
    )


def test_a_long_custom_user_fits_into_the_form(live, connect):
    transaction = {
        "date_transacted": "2026-03-01",
        "date_posted": "2026-03-01",
        "amount": 1,
        "description": "x" * 900,
    }
    accounts = [{"type": "depository", "subtype": "checking", "transactions": [transaction] * 700}]
    user = json.dumps({"override_accounts": accounts})
    token = connect(username="user_custom", password=user)
    live.clock.advance(60)
    assert len(live.sync_all(token)[0]["added"]) == 700


def test_a_custom_user_that_is_wrong_is_explained(hosted_link, sessions_of):
    link = hosted_link()
    walk(link["hosted_link_url"], username="user_custom", password="{}")
    error = sessions_of(link)[0]["exit"]["error"]
    assert error["error_code"] == "INVALID_FIELD"
    assert "override_accounts" in error["error_message"]
