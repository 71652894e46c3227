"""Every endpoint, called through plaid-python: its typed models check all types of a response."""

from datetime import date, datetime

import pytest
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.accounts_get_request_options import AccountsGetRequestOptions
from plaid.model.country_code import CountryCode
from plaid.model.custom_sandbox_transaction import CustomSandboxTransaction
from plaid.model.institutions_get_by_id_request import InstitutionsGetByIdRequest
from plaid.model.institutions_get_by_id_request_options import InstitutionsGetByIdRequestOptions
from plaid.model.institutions_get_request import InstitutionsGetRequest
from plaid.model.institutions_get_request_options import InstitutionsGetRequestOptions
from plaid.model.institutions_search_request import InstitutionsSearchRequest
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.item_webhook_update_request import ItemWebhookUpdateRequest
from plaid.model.link_token_create_request import LinkTokenCreateRequest
from plaid.model.link_token_create_request_user import LinkTokenCreateRequestUser
from plaid.model.link_token_get_request import LinkTokenGetRequest
from plaid.model.link_token_transactions import LinkTokenTransactions
from plaid.model.products import Products
from plaid.model.sandbox_item_fire_webhook_request import SandboxItemFireWebhookRequest
from plaid.model.sandbox_item_reset_login_request import SandboxItemResetLoginRequest
from plaid.model.sandbox_transactions_create_request import SandboxTransactionsCreateRequest
from plaid.model.transactions_recurring_get_request import TransactionsRecurringGetRequest
from plaid.model.transactions_refresh_request import TransactionsRefreshRequest
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest

from sandbox.control.guard import PREFIX
from tests.sandbox.conftest import LINK_REQUEST, api_error

US = [CountryCode("US")]
DYNAMIC = "user_transactions_dynamic"


# --- Items


def test_public_token_and_exchange(live):
    public_token = live.public_token()
    answer = live.api.item_public_token_exchange(
        ItemPublicTokenExchangeRequest(public_token=public_token)
    )
    assert public_token.startswith("public-sandbox-")
    assert answer["access_token"].startswith("access-sandbox-")
    assert len(answer["item_id"]) == 37


def test_item_get(live):
    token = live.link_ready(webhook="http://127.0.0.1:9/hook")
    answer = live.api.item_get(ItemGetRequest(access_token=token))
    item = answer["item"]
    assert item["institution_id"] == "ins_109508"
    assert item["institution_name"] == "First Platypus Bank"
    assert item["webhook"] == "http://127.0.0.1:9/hook"
    assert [str(product) for product in item["billed_products"]] == ["transactions"]
    assert isinstance(item["created_at"], datetime)
    assert isinstance(answer["status"]["transactions"]["last_successful_update"], datetime)


def test_item_remove(live):
    token = live.link()
    assert len(live.api.item_remove(ItemRemoveRequest(access_token=token))["request_id"]) == 15
    not_found = (400, "ITEM_ERROR", "ITEM_NOT_FOUND")
    assert api_error(lambda: live.api.item_get(ItemGetRequest(access_token=token))) == not_found
    assert (
        api_error(lambda: live.api.item_remove(ItemRemoveRequest(access_token=token))) == not_found
    )


def test_item_webhook_update(live):
    token = live.link()
    url = "http://127.0.0.1:9/new"
    update = ItemWebhookUpdateRequest(access_token=token, webhook=url)
    assert live.api.item_webhook_update(update)["item"]["webhook"] == url
    update = ItemWebhookUpdateRequest(access_token=token, webhook=None)
    assert live.api.item_webhook_update(update)["item"]["webhook"] is None


# --- Accounts


@pytest.mark.parametrize("endpoint", ["accounts_get", "accounts_balance_get"])
def test_accounts(live, endpoint):
    request = {
        "accounts_get": AccountsGetRequest,
        "accounts_balance_get": AccountsBalanceGetRequest,
    }
    token = live.link()
    answer = getattr(live.api, endpoint)(request[endpoint](access_token=token))
    accounts = [
        (a["name"], a["mask"], f"{a['type']}/{a['subtype']}", a["balances"]["available"],
         a["balances"]["current"], a["balances"]["limit"])
        for a in answer["accounts"]
    ]  # fmt: skip
    assert accounts == [
        ("Plaid Checking", "0000", "depository/checking", 100, 110, None),
        ("Plaid Saving", "1111", "depository/savings", 200, 210, None),
        ("Plaid CD", "2222", "depository/cd", None, 1000, None),
        ("Plaid Credit Card", "3333", "credit/credit card", None, 410, 2000),
        ("Plaid Money Market", "4444", "depository/money market", 43200, 43200, None),
        ("Plaid IRA", "5555", "investment/ira", None, 320.76, None),
        ("Plaid 401k", "6666", "investment/401k", None, 23631.9805, None),
        ("Plaid Student Loan", "7777", "loan/student", None, 65262, None),
        ("Plaid Mortgage", "8888", "loan/mortgage", None, 56302.06, None),
    ]
    assert answer["item"]["item_id"]


def test_accounts_by_id(live):
    token = live.link()
    wanted = live.api.accounts_get(AccountsGetRequest(access_token=token))["accounts"][3]
    options = AccountsGetRequestOptions(account_ids=[wanted["account_id"]])
    answer = live.api.accounts_get(AccountsGetRequest(access_token=token, options=options))
    assert [account["name"] for account in answer["accounts"]] == ["Plaid Credit Card"]


# --- Institutions


def test_institutions_get(live):
    def names(count, offset):
        request = InstitutionsGetRequest(
            count=count,
            offset=offset,
            country_codes=US,
            options=InstitutionsGetRequestOptions(include_optional_metadata=True),
        )
        answer = live.api.institutions_get(request)
        return [institution["name"] for institution in answer["institutions"]], answer["total"]

    first, total = names(5, 0)
    rest, _ = names(500, 5)
    assert len(first) == 5
    assert len({*first, *rest}) == total >= 12
    assert {"First Platypus Bank", "Houndstooth Bank", "Bank of America"} <= {*first, *rest}
    assert "RBC Royal Bank" not in {*first, *rest}


def test_institutions_get_by_id(live):
    request = InstitutionsGetByIdRequest(
        institution_id="ins_109511",
        country_codes=US,
        options=InstitutionsGetByIdRequestOptions(
            include_optional_metadata=True, include_status=True, include_auth_metadata=True
        ),
    )
    institution = live.api.institutions_get_by_id(request)["institution"]
    assert institution["name"] == "Tartan Bank"
    assert institution["status"]["transactions_updates"]["status"] == "HEALTHY"


def test_institutions_search(live):
    def names(**fields):
        request = InstitutionsSearchRequest(country_codes=US, **fields)
        return [one["name"] for one in live.api.institutions_search(request)["institutions"]]

    assert names(query="gingham") == ["First Gingham Credit Union"]
    assert names(query="american", products=[Products("auth")]) == []
    assert names(query="american", products=[Products("transactions")]) == ["American Express"]


# --- Link and webhooks


def test_link_token(live):
    request = LinkTokenCreateRequest(
        client_name="Tests",
        language="en",
        country_codes=US,
        products=[Products("transactions")],
        user=LinkTokenCreateRequestUser(client_user_id="1"),
        webhook="https://example.com/hook",
        transactions=LinkTokenTransactions(days_requested=365),
    )
    created = live.api.link_token_create(request)
    assert created["link_token"].startswith("link-sandbox-")
    got = live.api.link_token_get(LinkTokenGetRequest(link_token=created["link_token"]))
    assert got["expiration"] == created["expiration"]
    assert (got["expiration"] - got["created_at"]).total_seconds() == 4 * 60 * 60
    assert got["metadata"]["client_name"] == "Tests"
    assert got["metadata"]["webhook"] == "https://example.com/hook"
    assert [str(product) for product in got["metadata"]["initial_products"]] == ["transactions"]


def test_webhook_verification_key(live):
    kid = live.app.extensions["sandbox"].webhook_queue.key.kid
    key = live.api.webhook_verification_key_get(WebhookVerificationKeyGetRequest(key_id=kid))["key"]
    assert (key["kid"], key["alg"], key["crv"], key["use"]) == (kid, "ES256", "P-256", "sig")
    assert key["expired_at"] is None


# --- Plaid's Sandbox endpoints


def test_fire_webhook(live):
    token = live.link(webhook="http://127.0.0.1:9/hook")
    request = SandboxItemFireWebhookRequest(
        access_token=token, webhook_code="NEW_ACCOUNTS_AVAILABLE"
    )
    assert live.api.sandbox_item_fire_webhook(request)["webhook_fired"] is True


def test_reset_login(live):
    token = live.link_ready()
    request = SandboxItemResetLoginRequest(access_token=token)
    assert live.api.sandbox_item_reset_login(request)["reset_login"] is True
    item = live.api.item_get(ItemGetRequest(access_token=token))["item"]
    assert item["error"]["error_code"] == "ITEM_LOGIN_REQUIRED"
    for call in (
        lambda: live.api.accounts_get(AccountsGetRequest(access_token=token)),
        lambda: live.api.accounts_balance_get(AccountsBalanceGetRequest(access_token=token)),
        lambda: live.api.transactions_sync(TransactionsSyncRequest(access_token=token)),
        lambda: live.api.transactions_refresh(TransactionsRefreshRequest(access_token=token)),
        lambda: live.api.transactions_recurring_get(
            TransactionsRecurringGetRequest(access_token=token)
        ),
    ):
        assert api_error(call) == (400, "ITEM_ERROR", "ITEM_LOGIN_REQUIRED")


def test_transactions_create(live):
    token = live.link_ready(override_username=DYNAMIC)
    before = live.sync_all(token)[1]["next_cursor"]
    transaction = CustomSandboxTransaction(
        date_transacted=date(2026, 3, 10),
        date_posted=date(2026, 3, 12),
        amount=12.34,
        description="Lunch at Chipotle",
    )
    live.api.sandbox_transactions_create(
        SandboxTransactionsCreateRequest(access_token=token, transactions=[transaction])
    )
    answer = live.api.transactions_sync(TransactionsSyncRequest(access_token=token, cursor=before))
    (added,) = answer["added"]
    assert (added["name"], added["amount"], added["date"], added["authorized_date"]) == (
        "Lunch at Chipotle",
        12.34,
        date(2026, 3, 12),
        date(2026, 3, 10),
    )
    assert added["merchant_name"] == "Chipotle Mexican Grill"


# --- Request models: the sandbox knows every field that plaid-python can send


def test_every_field_that_plaid_python_can_send_is_known(live):
    paths = {rule.rule for rule in live.app.url_map.iter_rules()}
    paths = {path for path in paths if not path.startswith((PREFIX, "/hl/"))}
    assert len(paths) == 23
    for name, endpoint in vars(live.api).items():
        path = name.endswith("_endpoint") and endpoint.settings["endpoint_path"]
        model = path in paths and next(iter(endpoint.openapi_types.values()))[0]
        if not isinstance(model, type):
            continue
        for field in model.openapi_types:
            if field not in ("client_id", "secret"):
                answer = live.session.post(
                    live.url + path,
                    json={
                        "client_id": "me",
                        "secret": "mine",
                        **SAMPLES.get(path, {}),
                        field: None,
                    },
                    timeout=10,
                ).json()
                assert answer.get("error_code") != "UNKNOWN_FIELDS", (path, field)


# Values for the required fields, without which the sandbox checks nothing else.
SAMPLES = {
    "/link/token/create": LINK_REQUEST,
    "/link/token/get": {"link_token": "x"},
    "/item/access_token/invalidate": {"access_token": "x"},
    "/item/import": {
        "products": ["auth"],
        "user_auth": {"user_id": "user_good", "auth_token": "pass_good"},
    },
    "/item/remove": {"access_token": "x"},
    "/item/webhook/update": {"access_token": "x"},
    "/accounts/get": {"access_token": "x"},
    "/accounts/balance/get": {"access_token": "x"},
    "/transactions/get": {
        "access_token": "x",
        "start_date": "2026-01-01",
        "end_date": "2026-01-01",
    },
    "/transactions/sync": {"access_token": "x"},
    "/transactions/recurring/get": {"access_token": "x"},
    "/institutions/get": {"count": 1, "offset": 0, "country_codes": ["US"]},
    "/institutions/get_by_id": {"institution_id": "x", "country_codes": ["US"]},
    "/institutions/search": {"query": "x", "country_codes": ["US"]},
    "/sandbox/public_token/create": {
        "institution_id": "x",
        "initial_products": ["transactions"],
    },
    "/sandbox/item/fire_webhook": {"access_token": "x", "webhook_code": "ERROR"},
}
