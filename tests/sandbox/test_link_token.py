"""/link/token/create and /link/token/get."""

from plaid.model.link_token_get_request import LinkTokenGetRequest

from tests.link_walker import walk
from tests.sandbox.conftest import LINK_REQUEST, OAUTH_BANK

HOUR = 60 * 60
STATEMENTS = {"start_date": "2025-01-01", "end_date": "2026-01-01"}


REFUSED = [
    ("UNKNOWN_FIELDS", "colour", {"colour": "red"}),
    ("UNKNOWN_FIELDS", "user.age", {"user": {"client_user_id": "7", "age": 7}}),
    ("UNKNOWN_FIELDS", "hosted_link.url", {"hosted_link": {"url": "https://x.test"}}),
    ("INVALID_FIELD", "products", {"products": ["money"]}),
    ("INVALID_FIELD", "products", {"products": ["transactions", "balance"]}),
    ("INVALID_FIELD", "listed twice", {"optional_products": ["transactions"]}),
    ("INVALID_FIELD", "optional_products", {"optional_products": ["balance"]}),
    ("INVALID_FIELD", "additional_consented_products",
     {"additional_consented_products": ["money"]}),
    ("MISSING_FIELDS", "products", {"products": []}),
    ("INVALID_FIELD", "language", {"language": "xx"}),
    ("INVALID_FIELD", "country_codes", {"country_codes": ["US", "ZZ"]}),
    ("INVALID_FIELD", "country_codes", {"country_codes": []}),
    ("INVALID_FIELD", "client_name", {"client_name": ""}),
    ("INVALID_FIELD", "user.client_user_id", {"user": {"client_user_id": ""}}),
    ("INVALID_FIELD", "webhook", {"webhook": ""}),
    ("INVALID_FIELD", "webhook", {"webhook": "/webhooks/plaid"}),
    ("INVALID_FIELD", "redirect_uri", {"redirect_uri": "ftp://app.test/"}),
    ("INVALID_FIELD", "redirect_uri", {"redirect_uri": "http://app.test/"}),
    ("INVALID_FIELD", "redirect_uri", {"redirect_uri": "https://app.test/?a=1"}),
    ("INVALID_FIELD", "days_requested", {"transactions": {"days_requested": 0}}),
    ("INVALID_FIELD", "days_requested", {"transactions": {"days_requested": 731}}),
    ("MISSING_FIELDS", "statements.start_date", {"products": ["statements"]}),
    ("MISSING_FIELDS", "end_date",
     {"products": ["statements"], "statements": {"start_date": "2025-01-01"}}),
    ("INVALID_FIELD", "statements",
     {"products": ["statements"],
      "statements": {"start_date": "2020-01-01", "end_date": "2026-01-01"}}),
    ("INVALID_FIELD", "url_lifetime_seconds", {"hosted_link": {"url_lifetime_seconds": 0}}),
    ("INVALID_FIELD", "url_lifetime_seconds",
     {"hosted_link": {"url_lifetime_seconds": 21 * 24 * HOUR + 1}}),
    ("INVALID_FIELD", "delivery_method", {"hosted_link": {"delivery_method": "pigeon"}}),
    ("INVALID_FIELD", "completion_redirect_uri",
     {"hosted_link": {"completion_redirect_uri": "javascript:alert(1)"}}),
    ("INVALID_FIELD", "completion_redirect_uri",
     {"hosted_link": {"completion_redirect_uri": "javascript:alert(1)",
                      "is_mobile_app": True}}),
    ("INVALID_FIELD", "completion_redirect_uri",
     {"hosted_link": {"completion_redirect_uri": "myapp://done"}}),
    ("INVALID_FIELD", "account_filters",
     {"account_filters": {"gold": {"account_subtypes": ["all"]}}}),
    ("INVALID_FIELD", "account_filters.credit",
     {"account_filters": {"credit": {"account_subtypes": ["checking"]}}}),
    ("INVALID_FIELD", "update", {"update": {"account_selection_enabled": True}}),
    ("INVALID_ACCESS_TOKEN", "access token", {"access_token": "access-sandbox-0"}),
]  # fmt: skip
ACCEPTED = [
    {"client_name": "A name that is longer than thirty characters"},
    {"redirect_uri": "http://localhost:3000/oauth"},
    {"hosted_link": {"completion_redirect_uri": "myapp://done", "is_mobile_app": True}},
    {"hosted_link": {"delivery_method": "sms", "url_lifetime_seconds": 21 * 24 * HOUR}},
    {"products": ["statements"], "statements": STATEMENTS},
    {"user": None, "user_id": "usr_1"},
    {"auth": {"instant_match_enabled": True}, "products": ["auth"]},
    {"account_filters": {"loan": {"account_subtypes": ["student", "mortgage"]}}},
]


def test_what_is_refused(error_of, subtests):
    for code, named, fields in REFUSED:
        with subtests.test(str(fields)):
            _, error_code, message = error_of("/link/token/create", **(LINK_REQUEST | fields))
            assert error_code == code
            assert named in message


def test_what_is_accepted(live, subtests):
    for fields in ACCEPTED:
        with subtests.test(str(fields)):
            link = live.call("/link/token/create", **(LINK_REQUEST | fields))
            assert link["hosted_link_url"]


def test_how_long_a_token_is_valid(live, connect):
    def seconds(**fields):
        link = live.call("/link/token/create", **(LINK_REQUEST | fields))
        answer = live.api.link_token_get(LinkTokenGetRequest(link_token=link["link_token"]))
        assert ("hosted_link_url" in link) == (fields.get("hosted_link", "") is not None)
        return (answer["expiration"] - answer["created_at"]).total_seconds()

    update = {"access_token": connect(), "products": None}
    assert seconds(hosted_link=None) == 4 * HOUR
    assert seconds(hosted_link=None, **update) == HOUR / 2
    assert seconds() == seconds(**update) == HOUR / 2
    assert seconds(hosted_link={"url_lifetime_seconds": 90}) == 90


def test_another_client_cannot_read_a_token(live, hosted_link, error_of):
    stranger = {"client_id": "stranger", "secret": "theirs"}
    link = hosted_link()
    error = error_of("/link/token/get", link_token=link["link_token"], **stranger)
    assert error[:2] == ("INVALID_INPUT", "INVALID_LINK_TOKEN")


def test_the_link_has_the_host_that_the_client_called(live):
    url = live.url.replace("127.0.0.1", "localhost") + "/link/token/create"
    keys = {"client_id": "me", "secret": "mine"}
    link = live.session.post(url, json=LINK_REQUEST | keys, timeout=10).json()
    assert link["hosted_link_url"].startswith(url.removesuffix("link/token/create") + "hl/")


WALKS = [
    {},
    {"cancel_at": "credentials"},
    {"cancel_at": "institution"},
    {"stop_at": "accounts"},
    {"password": "error_ITEM_LOCKED"},
    {"password": "mfa_selections_1_1_2"},
    {"bank": OAUTH_BANK},
]


def test_sessions_match_the_models_of_plaid_python(live, hosted_link, subtests):
    for steps in WALKS:
        with subtests.test(str(steps)):
            link = hosted_link(institution_data={"routing_number": "021000021"})
            walk(link["hosted_link_url"], **steps)
            answer = live.api.link_token_get(LinkTokenGetRequest(link_token=link["link_token"]))
            (session,) = answer["link_sessions"]
            assert all(event["event_metadata"]["request_id"] for event in session["events"])
            if not steps:
                assert session["on_success"]["metadata"]["accounts"][0]["mask"] == "0000"
                assert session["results"]["item_add_results"][0]["public_token"]


def test_sessions_are_listed_for_six_hours_after_their_end(live, hosted_link, sessions_of):
    link = hosted_link()
    walk(link["hosted_link_url"], stop_at="credentials")
    walk(link["hosted_link_url"])
    live.clock.advance(6 * HOUR - 1)
    assert len(sessions_of(link)) == 2
    live.clock.advance(1)
    assert len(sessions_of(link)) == 1  # until six hours after the link has expired
    live.clock.advance(HOUR / 2)
    assert sessions_of(link) == []
