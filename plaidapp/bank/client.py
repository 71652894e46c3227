"""The only module that speaks to Plaid, through plaid-python.

plaid-python builds and sends each request; the answer stays bytes and msgspec decodes it: its typed
models take about a second for a page of 500 transactions, this takes milliseconds. Its table of all
the endpoints, plaid.api, stays out: it imports every model there is, some 25 MB a process, to say
little more of an endpoint than its path.
"""

from datetime import date
from typing import Any, NamedTuple, TypeVar

import msgspec
import plaid
import urllib3
from cryptography.fernet import InvalidToken, MultiFernet
from plaid.model.accounts_balance_get_request import AccountsBalanceGetRequest
from plaid.model.accounts_get_request import AccountsGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
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
from plaid.model.transactions_sync_request import TransactionsSyncRequest
from plaid.model.transactions_sync_request_options import TransactionsSyncRequestOptions
from plaid.model.webhook_verification_key_get_request import WebhookVerificationKeyGetRequest

from plaidapp.texts import gettext_noop

from . import errors, payloads
from .errors import BankError
from .transport import BoundedPool

Answer = TypeVar("Answer")
DAYS_REQUESTED = 730
"""How far back Plaid is asked to go; two years is the most it gives."""
PAGE_SIZE = 500
"""Transactions in one page of a sync; the most Plaid gives."""
JSON = {"Accept": "application/json", "Content-Type": "application/json"}
KEYS = ("clientId", "secret")
"""What plaid-python calls the keys that go into each request's headers."""
OF_JOBS = (
    AccountsBalanceGetRequest,
    AccountsGetRequest,
    ItemPublicTokenExchangeRequest,
    ItemRemoveRequest,
    SandboxPublicTokenCreateRequest,
    SandboxPublicTokenCreateRequestOptions,
    SandboxPublicTokenCreateRequestOptionsTransactions,
    TransactionsRecurringGetRequest,
    TransactionsSyncRequest,
    TransactionsSyncRequestOptions,
)


class Connection(NamedTuple):
    """A new Item: its id at Plaid and its access token, encrypted."""

    plaid_item_id: str
    sealed_token: bytes


class Bank:
    """Plaid's endpoints as methods. Every one raises BankError and nothing else.

    Access tokens come in and go out encrypted by `cipher`; they are plain only inside a call.
    Thread-safe: connections come from one pool, kept alive.
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
        """`timeout` is seconds for a whole exchange; new Items report to `webhook_url`."""
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
        """A public token without Link; in Plaid's Sandbox only."""
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
        """The accounts with the balances Plaid has at hand."""
        request = AccountsGetRequest(access_token=self._open(sealed_token))
        return self._call("/accounts/get", request, payloads.Accounts)

    def balances(self, sealed_token: bytes) -> payloads.Accounts:
        """The accounts with balances that Plaid asks the bank for now."""
        request = AccountsBalanceGetRequest(access_token=self._open(sealed_token))
        return self._call("/accounts/balance/get", request, payloads.Accounts)

    def sync_page(self, sealed_token: bytes, cursor: str) -> bytes:
        """The next page after `cursor` ("" is the beginning), as it came; see `decode_page`."""
        request = TransactionsSyncRequest(
            access_token=self._open(sealed_token),
            cursor=cursor,
            count=PAGE_SIZE,
            options=TransactionsSyncRequestOptions(days_requested=DAYS_REQUESTED),
        )
        return self._bytes("/transactions/sync", request)

    def transactions_page(
        self, sealed_token: bytes, start: date, end: date, offset: int
    ) -> payloads.TransactionsPage:
        """What Plaid holds from `start` to `end`, both included, newest first; for comparing."""
        request = TransactionsGetRequest(
            access_token=self._open(sealed_token),
            start_date=start,
            end_date=end,
            options=TransactionsGetRequestOptions(count=PAGE_SIZE, offset=offset),
        )
        return self._call("/transactions/get", request, payloads.TransactionsPage)

    def remove(self, sealed_token: bytes) -> None:
        """Ends the connection at Plaid. One that is not there any more has been ended.

        https://plaid.com/docs/api/items/#itemremove
        """
        request = ItemRemoveRequest(access_token=self._open(sealed_token))
        try:
            self._call("/item/remove", request, payloads.Nothing)
        except BankError as error:
            if error.code not in errors.GONE:
                raise

    def recurring(self, sealed_token: bytes) -> payloads.Recurring:
        """What recurs on the Item's accounts: subscriptions, bills and pay.

        An add-on of Plaid's: PRODUCT_NOT_READY until the whole history is there, and refused for
        good where the bank or the app's contract does not include it.
        https://plaid.com/docs/api/products/transactions/#transactionsrecurringget
        """
        request = TransactionsRecurringGetRequest(access_token=self._open(sealed_token))
        return self._call("/transactions/recurring/get", request, payloads.Recurring)

    def webhook_key(self, key_id: str) -> dict[str, Any]:
        """The JWK that webhooks with this key id are signed with."""
        request = WebhookVerificationKeyGetRequest(key_id=key_id)
        answer = self._call("/webhook_verification_key/get", request, payloads.VerificationKey)
        return answer.key

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
        return _decode(self._bytes(path, request), kind)

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
            raise _refusal(error) from None
        except urllib3.exceptions.NewConnectionError:  # one of urllib3's TimeoutErrors
            raise errors.transport_error(errors.UNREACHABLE) from None
        except urllib3.exceptions.TimeoutError:
            raise errors.transport_error(errors.TIMEOUT) from None
        except (urllib3.exceptions.HTTPError, OSError):
            raise errors.transport_error(errors.UNREACHABLE) from None
        except (plaid.OpenApiException, TypeError, ValueError, AttributeError):
            # plaid-python itself stumbles over some answers, such as an error body it can't decode.
            raise errors.transport_error(errors.NONSENSE) from None
        return bytes(response.data)


def warm_up() -> None:
    """Imports now what would be imported with the first request of each kind that jobs make."""
    "localhost".encode("idna")
    for request in OF_JOBS:
        _ = request.openapi_types


def decode_page(body: bytes) -> payloads.SyncPage:
    """Raises BankError when the page is not what Plaid would send."""
    return _decode(body, payloads.SyncPage)


def _decode(body: bytes, kind: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise errors.transport_error(errors.NONSENSE) from None


def _refusal(error: plaid.ApiException) -> BankError:
    """Plaid's error object if the body is one; otherwise the HTTP status has to do."""
    status = error.status or 0
    try:
        refusal = msgspec.json.decode(error.body or "", type=payloads.PlaidError)
    except (msgspec.DecodeError, RecursionError):
        return errors.transport_error(errors.UNREACHABLE if status >= 500 else errors.NONSENSE)
    return errors.from_plaid(refusal, status, _retry_after(error))


def _retry_after(error: plaid.ApiException) -> float | None:
    """In seconds; a date, which the header may hold too, is not waited for."""
    value = (error.headers or {}).get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None
