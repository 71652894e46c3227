"""The only module that calls Plaid, through plaid-python.

plaid-python builds and sends each request. msgspec decodes the response: plaid-python's typed
models need about a second for a page of 500 transactions, msgspec needs milliseconds. plaid.api,
its table of all endpoints, is not used: it imports every model, some 25 MB per process.
"""

from datetime import date, datetime
from typing import Any

from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.accounts_balance_get_request_options import AccountsBalanceGetRequestOptions
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.personal_finance_category_version import PersonalFinanceCategoryVersion
from plaid.model.sandbox_public_token_create_request import SandboxPublicTokenCreateRequest
from plaid.model.sandbox_public_token_create_request_options import (
    SandboxPublicTokenCreateRequestOptions,
)
from plaid.model.sandbox_public_token_create_request_options_transactions import (
    SandboxPublicTokenCreateRequestOptionsTransactions,
)
from plaid.model.transactions_get_request import TransactionsGetRequest
from plaid.model.transactions_get_request_options import TransactionsGetRequestOptions
from plaid.model.transactions_recurring_get_request import TransactionsRecurringGetRequest
from plaid.model.transactions_recurring_get_request_options import (
    TransactionsRecurringGetRequestOptions,
)
from plaid.model.transactions_refresh_request import TransactionsRefreshRequest
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from plaid.model.transactions_sync_request_options import TransactionsSyncRequestOptions
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest

from plaidapp import policy
from plaidapp.sealing import Sealed

from . import payloads
from .link_calls import DAYS_REQUESTED, LinkCalls
from .probes import Probes

PAGE_SIZE = 500
"""Transactions in one page of a sync. This is Plaid's maximum."""
CATEGORIES = PersonalFinanceCategoryVersion("v2")
"""The taxonomy of categories to ask for. By default it depends on when an app began to use Plaid:
https://plaid.com/docs/transactions/pfc-migration/"""
ROW_OPTIONS = {
    "include_original_description": True,
    "personal_finance_category_version": CATEGORIES,
}
JOB_REQUESTS = (
    AccountsBalanceGetRequest,
    AccountsBalanceGetRequestOptions,
    AccountsGetRequest,
    ItemPublicTokenExchangeRequest,
    ItemRemoveRequest,
    SandboxPublicTokenCreateRequest,
    SandboxPublicTokenCreateRequestOptions,
    SandboxPublicTokenCreateRequestOptionsTransactions,
    TransactionsGetRequest,
    TransactionsGetRequestOptions,
    TransactionsRecurringGetRequest,
    TransactionsRecurringGetRequestOptions,
    TransactionsRefreshRequest,
    TransactionsSyncRequest,
    TransactionsSyncRequestOptions,
)


class Bank(LinkCalls, Probes):
    """Plaid's endpoints as methods. Each raises BankError and nothing else."""

    def accounts(self, sealed_token: Sealed) -> payloads.Accounts:
        """Return the accounts with the balances that Plaid has stored."""
        request = AccountsGetRequest(access_token=self._open(sealed_token))
        return self._call("/accounts/get", request, payloads.Accounts)

    def balances(self, sealed_token: Sealed, moment: datetime) -> payloads.Accounts:
        """Return the accounts with balances that Plaid asks the bank for now. Plaid bills the call.

        `moment` is the current time. Without the option, Capital One refuses for cards. Plaid
        ignores it elsewhere.
        https://plaid.com/docs/api/products/balance/#accountsbalanceget
        """
        oldest = moment.replace(microsecond=0) - policy.OLDEST_BALANCE
        options = AccountsBalanceGetRequestOptions(min_last_updated_datetime=oldest)
        request = AccountsBalanceGetRequest(access_token=self._open(sealed_token), options=options)
        return self._call("/accounts/balance/get", request, payloads.Accounts)

    def sync_page(self, sealed_token: Sealed, cursor: str, *, patient: bool = False) -> bytes:
        """Return the page after `cursor` ("" is the beginning) as bytes, for `decode_page`.

        `patient`: Plaid's limits may delay it for long, as in the middle of an update.
        """
        request = TransactionsSyncRequest(
            access_token=self._open(sealed_token),
            cursor=cursor,
            count=PAGE_SIZE,
            options=TransactionsSyncRequestOptions(days_requested=DAYS_REQUESTED, **ROW_OPTIONS),
        )
        return self._bytes("/transactions/sync", request, patient=patient)

    def transactions_page(
        self, sealed_token: Sealed, start: date, end: date, offset: int
    ) -> payloads.TransactionsPage:
        """Return what Plaid has from `start` to `end`, both included, newest first."""
        request = TransactionsGetRequest(
            access_token=self._open(sealed_token),
            start_date=start,
            end_date=end,
            options=TransactionsGetRequestOptions(count=PAGE_SIZE, offset=offset, **ROW_OPTIONS),
        )
        return self._call("/transactions/get", request, payloads.TransactionsPage)

    def recurring(self, sealed_token: Sealed) -> payloads.Recurring:
        """Return the recurring payments of the Item's accounts: subscriptions, bills and income.

        This is a product of its own. Plaid answers PRODUCT_NOT_READY until the history is complete,
        and refuses if the bank or the app's contract does not include it.
        https://plaid.com/docs/api/products/transactions/#transactionsrecurringget
        """
        request = TransactionsRecurringGetRequest(
            access_token=self._open(sealed_token),
            options=TransactionsRecurringGetRequestOptions(
                personal_finance_category_version=CATEGORIES
            ),
        )
        return self._call("/transactions/recurring/get", request, payloads.Recurring)

    def webhook_key(self, key_id: str) -> dict[str, Any]:
        """Return the JWK that signs webhooks with this key id."""
        request = WebhookVerificationKeyGetRequest(key_id=key_id)
        return self._call("/webhook_verification_key/get", request, payloads.VerificationKey).key


def warm_up() -> None:
    """Import now what plaid-python would import with a job's first request of each type."""
    "localhost".encode("idna")
    for request in JOB_REQUESTS:
        _ = request.openapi_types
