"""The transactions endpoints, called through plaid-python's typed models."""

from datetime import date, datetime

from plaid.model.transactions_get_request import TransactionsGetRequest
from plaid.model.transactions_get_request_options import TransactionsGetRequestOptions
from plaid.model.transactions_recurring_get_request import TransactionsRecurringGetRequest
from plaid.model.transactions_recurring_get_request_options import (
    TransactionsRecurringGetRequestOptions,
)
from plaid.model.transactions_refresh_request import TransactionsRefreshRequest
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from plaid.model.transactions_sync_request_options import TransactionsSyncRequestOptions

from tests.sandbox.conftest import api_error

DYNAMIC = "user_transactions_dynamic"


def test_transactions_sync(live):
    token = live.link_ready()
    request = TransactionsSyncRequest(
        access_token=token,
        count=500,
        options=TransactionsSyncRequestOptions(include_original_description=True),
    )
    answer = live.api.transactions_sync(request)
    assert len(answer["added"]) == 500
    assert answer["has_more"] is True
    assert str(answer["transactions_update_status"]) == "HISTORICAL_UPDATE_COMPLETE"
    assert {str(account["type"]) for account in answer["accounts"]} == {
        "depository",
        "credit",
        "loan",
    }
    first = answer["added"][0]
    assert isinstance(first["date"], date)
    assert first["original_description"] == first["name"]
    assert first["personal_finance_category"]["detailed"].startswith(
        first["personal_finance_category"]["primary"]
    )


def test_transactions_get(live):
    token = live.link_ready()
    request = TransactionsGetRequest(
        access_token=token,
        start_date=date(2026, 1, 1),
        end_date=date(2026, 1, 31),
        options=TransactionsGetRequestOptions(count=10, offset=5),
    )
    answer = live.api.transactions_get(request)
    dates = [transaction["date"] for transaction in answer["transactions"]]
    assert len(dates) == 10
    assert dates == sorted(dates, reverse=True)
    assert date(2026, 1, 1) <= min(dates) <= max(dates) <= date(2026, 1, 31)
    assert answer["total_transactions"] > 30
    assert len(answer["accounts"]) == 9


def test_transactions_recurring_get(live):
    token = live.link_ready()
    answer = live.api.transactions_recurring_get(
        TransactionsRecurringGetRequest(
            access_token=token,
            options=TransactionsRecurringGetRequestOptions(include_personal_finance_category=True),
        )
    )
    assert isinstance(answer["updated_datetime"], datetime)
    (pay,) = [s for s in answer["inflow_streams"] if "PAYROLL" in s["description"]]
    assert (str(pay["frequency"]), str(pay["status"])) == ("SEMI_MONTHLY", "MATURE")
    assert pay["average_amount"]["amount"] < 0
    assert isinstance(pay["predicted_next_date"], date)
    assert pay["personal_finance_category"]["detailed"] == "INCOME_WAGES"
    (netflix,) = [s for s in answer["outflow_streams"] if s["merchant_name"] == "Netflix"]
    assert netflix["last_amount"]["amount"] == 15.49
    assert (netflix["is_active"], netflix["is_user_modified"]) == (True, False)
    assert len(netflix["transaction_ids"]) == 24
    some = TransactionsRecurringGetRequest(access_token=token, account_ids=[pay["account_id"]])
    chosen = live.api.transactions_recurring_get(some)
    assert 0 < len(chosen["outflow_streams"]) < len(answer["outflow_streams"])


def test_transactions_recurring_get_errors(live):
    def ask(token, **fields):
        request = TransactionsRecurringGetRequest(access_token=token, **fields)
        return api_error(lambda: live.api.transactions_recurring_get(request))

    assert ask("access-sandbox-none")[2] == "INVALID_ACCESS_TOKEN"
    assert ask(live.link())[1:] == ("ITEM_ERROR", "PRODUCT_NOT_READY")
    assert ask(live.link(("auth",)))[1:] == ("ITEM_ERROR", "PRODUCT_NOT_ENABLED")
    assert ask(live.link_ready(), account_ids=["unknown"])[2] == "INVALID_ACCOUNT_ID"


def test_transactions_refresh(live):
    token = live.link_ready(override_username=DYNAMIC)
    before = live.sync_all(token)[1]["next_cursor"]
    live.api.transactions_refresh(TransactionsRefreshRequest(access_token=token))
    answer = live.api.transactions_sync(TransactionsSyncRequest(access_token=token, cursor=before))
    removed = {transaction["transaction_id"] for transaction in answer["removed"]}
    posted = {
        transaction["pending_transaction_id"]
        for transaction in answer["added"]
        if transaction["pending_transaction_id"]
    }
    assert removed
    assert removed == posted
    assert len(answer["added"]) > len(removed)
    assert len(answer["modified"]) == 2


def test_categories_get(live):
    categories = live.api.categories_get({})["categories"]
    assert ["Food and Drink", "Restaurants", "Coffee Shop"] in [c["hierarchy"] for c in categories]
