"""The only module that calls Plaid, through plaid-python.

plaid-python builds and sends each request. msgspec decodes the response: plaid-python's typed
models need about a second for a page of 500 transactions, msgspec needs milliseconds. plaid.api,
its table of all endpoints, is not used: it imports every model, some 25 MB per process.
"""

from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec
import plaid
import urllib3
from cryptography.fernet import InvalidToken, MultiFernet
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.accounts_balance_get_request_options import AccountsBalanceGetRequestOptions
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.personal_finance_category_version import PersonalFinanceCategoryVersion
from plaid.model.products import Products
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
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from plaid.model.transactions_sync_request_options import TransactionsSyncRequestOptions
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest

from plaidapp import policy
from plaidapp.texts import gettext_noop

from . import errors, payloads
from .errors import BankError
from .responses import decode, refusal
from .transport import BoundedPool

Answer = TypeVar("Answer", bound=msgspec.Struct)
DAYS_REQUESTED = 730
"""How far back Plaid is asked to go. Two years are its maximum."""
PAGE_SIZE = 500
"""Transactions in one page of a sync. This is Plaid's maximum."""
CATEGORIES = PersonalFinanceCategoryVersion("v2")
"""The taxonomy of categories to ask for. By default it depends on when an app began to use Plaid:
https://plaid.com/docs/transactions/pfc-migration/"""
ROW_OPTIONS = {
    "include_original_description": True,
    "personal_finance_category_version": CATEGORIES,
}
JSON = {"Accept": "application/json", "Content-Type": "application/json"}
KEYS = ("clientId", "secret")
"""plaid-python's names for the API keys in each request's headers."""
JOB_REQUESTS = (
    AccountsBalanceGetRequest,
    AccountsBalanceGetRequestOptions,
    AccountsGetRequest,
    ItemPublicTokenExchangeRequest,
    ItemRemoveRequest,
    SandboxPublicTokenCreateRequest,
    SandboxPublicTokenCreateRequestOptions,
    SandboxPublicTokenCreateRequestOptionsTransactions,
    TransactionsRecurringGetRequest,
    TransactionsRecurringGetRequestOptions,
    TransactionsSyncRequest,
    TransactionsSyncRequestOptions,
)


class Connection(NamedTuple):
    """A new Item: its id at Plaid and its access token, encrypted."""

    plaid_item_id: str
    sealed_token: bytes


class Bank:
    """Plaid's endpoints as methods. Each raises BankError and nothing else.

    Access tokens are encrypted by `cipher` outside of this class, and plain only during a call. The
    class is thread-safe: it uses one pool of connections, which stay open.
    """

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        cipher: MultiFernet,
        timeout: float,
        webhook_url: str | None = None,
    ) -> None:
        """`timeout` is in seconds and for a whole call. Plaid sends webhooks to `webhook_url`."""
        configuration = plaid.Configuration(
            host=url, api_key={"clientId": client_id, "secret": secret}
        )
        self._client = plaid.ApiClient(configuration)
        self._client.rest_client.pool_manager = BoundedPool(
            timeout, maxsize=16, ca_certs=configuration.ssl_ca_cert
        )
        self._cipher = cipher
        self._webhook_url = webhook_url

    def sandbox_public_token(self, institution_id: str, username: str, password: str) -> str:
        """Create a public token without Link. This works in Plaid's Sandbox only."""
        options: dict[str, Any] = {
            "transactions": SandboxPublicTokenCreateRequestOptionsTransactions(
                days_requested=DAYS_REQUESTED
            )
        }
        if self._webhook_url:
            options["webhook"] = self._webhook_url
        if username:
            options |= {"override_username": username, "override_password": password}
        request = SandboxPublicTokenCreateRequest(
            institution_id=institution_id,
            initial_products=[Products("transactions")],
            options=SandboxPublicTokenCreateRequestOptions(**options),
        )
        answer = self._call("/sandbox/public_token/create", request, payloads.PublicToken)
        return answer.public_token

    def exchange(self, public_token: str) -> Connection:
        request = ItemPublicTokenExchangeRequest(public_token=public_token)
        answer = self._call("/item/public_token/exchange", request, payloads.Exchange)
        return Connection(answer.item_id, self._cipher.encrypt(answer.access_token.encode()))

    def accounts(self, sealed_token: bytes) -> payloads.Accounts:
        """Return the accounts with the balances that Plaid has stored."""
        request = AccountsGetRequest(access_token=self._open(sealed_token))
        return self._call("/accounts/get", request, payloads.Accounts)

    def balances(self, sealed_token: bytes) -> payloads.Accounts:
        """Return the accounts with balances that Plaid asks the bank for now. Plaid bills the call.

        Without the option, Capital One refuses for cards. Plaid ignores it elsewhere.
        https://plaid.com/docs/api/products/balance/#accountsbalanceget
        """
        oldest = datetime.now(UTC).replace(microsecond=0) - policy.OLDEST_BALANCE
        options = AccountsBalanceGetRequestOptions(min_last_updated_datetime=oldest)
        request = AccountsBalanceGetRequest(access_token=self._open(sealed_token), options=options)
        return self._call("/accounts/balance/get", request, payloads.Accounts)

    def sync_page(self, sealed_token: bytes, cursor: str) -> bytes:
        """Return the page after `cursor` ("" is the beginning) as bytes, for `decode_page`."""
        request = TransactionsSyncRequest(
            access_token=self._open(sealed_token),
            cursor=cursor,
            count=PAGE_SIZE,
            options=TransactionsSyncRequestOptions(days_requested=DAYS_REQUESTED, **ROW_OPTIONS),
        )
        return self._bytes("/transactions/sync", request)

    def transactions_page(
        self, sealed_token: bytes, start: date, end: date, offset: int
    ) -> payloads.TransactionsPage:
        """Return what Plaid has from `start` to `end`, both included, newest first."""
        request = TransactionsGetRequest(
            access_token=self._open(sealed_token),
            start_date=start,
            end_date=end,
            options=TransactionsGetRequestOptions(count=PAGE_SIZE, offset=offset, **ROW_OPTIONS),
        )
        return self._call("/transactions/get", request, payloads.TransactionsPage)

    def remove(self, sealed_token: bytes) -> None:
        """End the connection at Plaid. It is no error if it has been ended before.

        https://plaid.com/docs/api/items/#itemremove
        """
        request = ItemRemoveRequest(access_token=self._open(sealed_token))
        try:
            self._call("/item/remove", request, payloads.Nothing)
        except BankError as error:
            if error.code not in errors.GONE:
                raise

    def recurring(self, sealed_token: bytes) -> payloads.Recurring:
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

    def _open(self, sealed_token: bytes) -> str:
        try:
            return self._cipher.decrypt(sealed_token).decode()
        except InvalidToken:
            raise BankError(
                "TOKEN_UNREADABLE",
                gettext_noop(
                    "This connection was encrypted with a key that the app no longer has. "
                    "Connect the bank again."
                ),
                retryable=False,
            ) from None

    def _call(self, path: str, request: Any, kind: type[Answer]) -> Answer:
        return decode(self._bytes(path, request), kind)

    def _bytes(self, path: str, request: Any) -> bytes:
        try:
            response = self._client.call_api(
                path,
                "POST",
                header_params=dict(JSON),
                body=request,
                auth_settings=KEYS,
                _preload_content=False,
            )
        except plaid.ApiException as error:
            raise refusal(error) from None
        except urllib3.exceptions.NewConnectionError:  # a subclass of urllib3's TimeoutError
            raise errors.transport_error(errors.UNREACHABLE) from None
        except urllib3.exceptions.TimeoutError:
            raise errors.transport_error(errors.TIMEOUT) from None
        except (urllib3.exceptions.HTTPError, OSError):
            raise errors.transport_error(errors.UNREACHABLE) from None
        except (plaid.OpenApiException, TypeError, ValueError, AttributeError):
            # plaid-python itself fails on some responses, such as an error body it can't decode.
            raise errors.transport_error(errors.NONSENSE) from None
        return bytes(response.data)


def warm_up() -> None:
    """Import now what plaid-python would import with a job's first request of each type."""
    "localhost".encode("idna")
    for request in JOB_REQUESTS:
        _ = request.openapi_types
