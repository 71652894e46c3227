"""Plaid's endpoints that make and end connections: Link's sessions and Items.

https://plaid.com/docs/link/hosted-link/ and https://plaid.com/docs/api/items/
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from plaid.model.country_code import CountryCode
from plaid.model.institutions_get_by_id_request import InstitutionsGetByIdRequest
from plaid.model.institutions_get_by_id_request_options import InstitutionsGetByIdRequestOptions
from plaid.model.item_get_request import ItemGetRequest
from plaid.model.item_public_token_exchange_request import ItemPublicTokenExchangeRequest
from plaid.model.item_remove_request import ItemRemoveRequest
from plaid.model.link_token_create_hosted_link import LinkTokenCreateHostedLink
from plaid.model.link_token_create_request import LinkTokenCreateRequest
from plaid.model.link_token_create_request_update import LinkTokenCreateRequestUpdate
from plaid.model.link_token_create_request_user import LinkTokenCreateRequestUser
from plaid.model.link_token_get_request import LinkTokenGetRequest
from plaid.model.link_token_transactions import LinkTokenTransactions
from plaid.model.products import Products
from plaid.model.sandbox_public_token_create_request import SandboxPublicTokenCreateRequest
from plaid.model.sandbox_public_token_create_request_options import (
    SandboxPublicTokenCreateRequestOptions,
)
from plaid.model.sandbox_public_token_create_request_options_transactions import (
    SandboxPublicTokenCreateRequestOptionsTransactions,
)
from plaid.model.transactions_refresh_request import TransactionsRefreshRequest

from plaidapp import policy, sealing
from plaidapp.sealing import Cipher, Sealed

from . import errors, link_payloads, payloads
from .errors import BankError
from .plaid_calls import PlaidCalls

CLIENT_NAME = "plaidapp"
DAYS_REQUESTED = 730
"""How far back Plaid is asked to go. Two years are its maximum."""


class Connection(NamedTuple):
    """A new Item: its id at Plaid and its access token, encrypted."""

    plaid_item_id: str
    token: Sealed


class LinkOptions(NamedTuple):
    """What Link offers: countries such as US, a language such as en, and where webhooks go."""

    countries: Sequence[str] = ("US",)
    language: str = "en"
    webhook_url: str | None = None


class HostedLink(NamedTuple):
    """A session of Hosted Link. Both the token and the address are encrypted.

    `token_hash` finds the session that a webhook names: the SHA-256 of the token, in hex.
    """

    sealed_token: bytes
    sealed_url: bytes
    token_hash: str
    expires_at: datetime


class LinkCalls(PlaidCalls):
    """Each method raises BankError and nothing else."""

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        cipher: Cipher,
        timeout: float,
        link: LinkOptions | None = None,
    ) -> None:
        """`timeout` is in seconds and for a whole call."""
        super().__init__(url, client_id, secret, cipher, timeout)
        self._link = link or LinkOptions()

    def create_link(
        self,
        user_id: int,
        opaque_id: str,
        completion_url: str,
        sealed_token: Sealed | None = None,
        *,
        choose_accounts: bool = False,
        deadline: float | None = None,
    ) -> HostedLink:
        """Begin a session of Hosted Link. The browser then goes to its address.

        Plaid knows the person by `opaque_id`. It sends the browser back to `completion_url`. With
        the token of an Item, the person logs in to it again (update mode); `choose_accounts` also
        lets them choose which accounts to share. https://plaid.com/docs/link/update-mode/
        `deadline` replaces the usual one, in seconds.
        """
        fields: dict[str, Any] = {
            "client_name": CLIENT_NAME,
            "language": self._link.language,
            "country_codes": [CountryCode(country) for country in self._link.countries],
            "user": LinkTokenCreateRequestUser(client_user_id=opaque_id),
            "hosted_link": LinkTokenCreateHostedLink(completion_redirect_uri=completion_url),
        }
        if self._link.webhook_url:
            fields["webhook"] = self._link.webhook_url
        if sealed_token is None:
            fields["products"] = [Products("transactions")]
            fields["transactions"] = LinkTokenTransactions(days_requested=DAYS_REQUESTED)
        else:
            fields["access_token"] = self._open(sealed_token)
            fields["update"] = LinkTokenCreateRequestUpdate(
                account_selection_enabled=choose_accounts
            )
        request = LinkTokenCreateRequest(**fields)
        deadline = deadline or policy.LINK_CREATE_DEADLINE
        answer = self._call("/link/token/create", request, link_payloads.LinkToken, deadline)
        token_hash = link_payloads.hash_of(answer.link_token)
        token, address = sealing.link_token, sealing.link_address
        return HostedLink(
            self._cipher.encrypt(token(user_id, token_hash), answer.link_token),
            self._cipher.encrypt(address(user_id, token_hash), answer.hosted_link_url),
            token_hash,
            answer.expiration,
        )

    def link_sessions(self, sealed_token: Sealed) -> link_payloads.LinkState:
        """Return what has happened in the sessions of a link token.

        Plaid keeps a session for six hours after its end.
        https://plaid.com/docs/api/link/#linktokenget
        """
        request = LinkTokenGetRequest(link_token=self._open(sealed_token))
        return self._call("/link/token/get", request, link_payloads.LinkState)

    def sandbox_public_token(self, institution_id: str, username: str, password: str) -> str:
        """Create a public token without Link. This works in Plaid's Sandbox only."""
        options: dict[str, Any] = {
            "transactions": SandboxPublicTokenCreateRequestOptionsTransactions(
                days_requested=DAYS_REQUESTED
            )
        }
        if self._link.webhook_url:
            options["webhook"] = self._link.webhook_url
        if username:
            options |= {"override_username": username, "override_password": password}
        request = SandboxPublicTokenCreateRequest(
            institution_id=institution_id,
            initial_products=[Products("transactions")],
            options=SandboxPublicTokenCreateRequestOptions(**options),
        )
        answer = self._call("/sandbox/public_token/create", request, payloads.PublicToken)
        return answer.public_token

    def exchange(self, user_id: int, public_token: str) -> Connection:
        """Exchange the token for an Item of this person."""
        request = ItemPublicTokenExchangeRequest(public_token=public_token)
        answer = self._call("/item/public_token/exchange", request, payloads.Exchange)
        place = sealing.access_token(user_id, answer.item_id)
        sealed_token = Sealed(place, self._cipher.encrypt(place, answer.access_token))
        return Connection(answer.item_id, sealed_token)

    def exchange_sealed(self, user_id: int, sealed_token: Sealed) -> Connection:
        """Exchange a public token that `seal` has encrypted."""
        return self.exchange(user_id, self._open(sealed_token))

    def seal(self, user_id: int, public_token: str) -> bytes:
        place = sealing.public_token(user_id, link_payloads.hash_of(public_token))
        return self._cipher.encrypt(place, public_token)

    def address_of(self, link: Sealed) -> str:
        """Return Hosted Link's address, for a redirect. It must not be in a page."""
        return self._open(link)

    def item(self, sealed_token: Sealed) -> link_payloads.ItemAnswer:
        """Return the state of an Item at Plaid, and when its bank last delivered data."""
        request = ItemGetRequest(access_token=self._open(sealed_token))
        return self._call("/item/get", request, link_payloads.ItemAnswer)

    def institution_status(self, institution_id: str) -> str | None:
        """Return how connections to a bank work now: HEALTHY, DEGRADED or DOWN; None if unknown.

        https://plaid.com/docs/api/institutions/#institutionsget_by_id
        """
        request = InstitutionsGetByIdRequest(
            institution_id=institution_id,
            country_codes=[CountryCode(country) for country in self._link.countries],
            options=InstitutionsGetByIdRequestOptions(include_status=True),
        )
        answer = self._call("/institutions/get_by_id", request, link_payloads.InstitutionAnswer)
        return answer.institution.worst_status

    def institution_identity(self, institution_id: str) -> link_payloads.Identity:
        """Return a bank's logo and color."""
        request = InstitutionsGetByIdRequest(
            institution_id=institution_id,
            country_codes=[CountryCode(country) for country in self._link.countries],
            options=InstitutionsGetByIdRequestOptions(include_optional_metadata=True),
        )
        answer = self._call("/institutions/get_by_id", request, link_payloads.IdentityAnswer)
        return answer.institution

    def refresh(self, sealed_token: Sealed) -> payloads.Nothing:
        """Have Plaid ask the bank for new transactions now. Plaid bills the call.

        They come with a webhook and a later sync. Plaid answers when the bank has.
        https://plaid.com/docs/api/products/transactions/#transactionsrefresh
        """
        request = TransactionsRefreshRequest(access_token=self._open(sealed_token))
        return self._call(
            "/transactions/refresh", request, payloads.Nothing, policy.REFRESH_DEADLINE
        )

    def remove(self, sealed_token: Sealed) -> None:
        """End the connection at Plaid. It is no error if it has been ended before.

        https://plaid.com/docs/api/items/#itemremove
        """
        request = ItemRemoveRequest(access_token=self._open(sealed_token))
        try:
            self._call("/item/remove", request, payloads.Nothing)
        except BankError as error:
            if error.code not in errors.GONE:
                raise
