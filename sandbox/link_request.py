"""The request of /link/token/create, and what Plaid refuses in it.

https://plaid.com/docs/api/link/#linktokencreate. Objects of products that the sandbox doesn't have
are accepted and not read.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from msgspec import Meta

from sandbox import errors
from sandbox.account_subtypes import SUBTYPES
from sandbox.http_json import Call, Options
from sandbox.institutions import Country, Product

MAX_NAME = 30
"""Longer names of a client are not shown."""
MAX_URL_LIFETIME = 21 * 24 * 60 * 60
_MAX_STATEMENTS_DAYS = 2 * 366
_LOOPBACK = ("localhost", "127.0.0.1", "::1")

Language = Literal[
    "da", "de", "en", "es", "et", "fr", "hi", "it", "lt", "lv", "nl", "no", "pl", "pt", "ro", "sv",
    "vi",
]  # fmt: skip
Text = Annotated[str, Meta(min_length=1)]
Products = list[Product]


class User(Options):
    """The person. Of these fields the sandbox only checks that they exist: nothing is prefilled."""

    client_user_id: Text
    legal_name: str | None = None
    name: Any = None
    phone_number: str | None = None
    phone_number_verified_time: str | None = None
    email_address: str | None = None
    email_address_verified_time: str | None = None
    ssn: str | None = None
    date_of_birth: date | None = None
    address: Any = None
    id_number: Any = None


class Update(Options):
    account_selection_enabled: bool = False
    reauthorization_enabled: bool = False
    user: bool = False
    item_ids: list[str] | None = None


class TransactionsOptions(Options):
    days_requested: Annotated[int, Meta(ge=1, le=730)] = 90


class StatementsOptions(Options):
    start_date: date
    end_date: date


class HostedLink(Options):
    """`delivery_method` is ignored, as in Plaid's Sandbox."""

    delivery_method: Literal["sms", "email"] | None = None
    completion_redirect_uri: Text | None = None
    url_lifetime_seconds: Annotated[int, Meta(ge=1, le=MAX_URL_LIFETIME)] | None = None
    is_mobile_app: bool = False


class InstitutionData(Options):
    routing_number: str | None = None


class AccountFilter(Options):
    account_subtypes: Annotated[list[str], Meta(min_length=1)]
    limited_purpose_types: list[str] | None = None


class LinkRequest(Call, kw_only=True):
    client_name: Text
    language: Language
    country_codes: Annotated[list[Country], Meta(min_length=1)]
    user: User | None = None
    user_id: str | None = None
    user_token: str | None = None
    products: Products | None = None
    required_if_supported_products: Products | None = None
    optional_products: Products | None = None
    additional_consented_products: Products | None = None
    webhook: str | None = None
    access_token: Text | None = None
    update: Update | None = None
    link_customization_name: str | None = None
    redirect_uri: str | None = None
    institution_data: InstitutionData | None = None
    account_filters: dict[str, AccountFilter] | None = None
    transactions: TransactionsOptions | None = None
    statements: StatementsOptions | None = None
    hosted_link: HostedLink | None = None
    enable_multi_item_link: bool = False
    # Not read.
    access_tokens: list[str] | None = None
    android_package_name: str | None = None
    appearance_mode: Literal["LIGHT", "DARK", "SYSTEM"] | None = None
    auth: Any = None
    base_report: Any = None
    card_switch: Any = None
    cashflow_report: Any = None
    consumer_report_permissible_purpose: str | None = None
    cra_enabled: bool = False
    cra_options: Any = None
    cra_report_parameter: Any = None
    credit_partner_insights: Any = None
    employment: Any = None
    eu_config: Any = None
    financekit_supported: bool = False
    identity: Any = None
    identity_verification: Any = None
    income_verification: Any = None
    institution_id: str | None = None
    investments: Any = None
    investments_auth: Any = None
    payment_configuration: Any = None
    payment_initiation: Any = None
    third_party_user_token: str | None = None
    transfer: Any = None

    @property
    def shown_name(self) -> str:
        """The client's name as Link shows it."""
        return self.client_name if len(self.client_name) <= MAX_NAME else "This Application"

    @property
    def consented(self) -> list[str]:
        """The products beyond `products` that the person agrees to."""
        return [
            *(self.required_if_supported_products or ()),
            *(self.optional_products or ()),
            *(self.additional_consented_products or ()),
        ]


def check(request: LinkRequest) -> None:
    """Raise PlaidError for what Plaid refuses beyond the types of single fields."""
    if request.user is None and request.user_id is None:
        raise errors.missing_fields(["user"])
    if not request.products and request.access_token is None:
        raise errors.missing_fields(["products"])
    _check_products(request)
    _check_addresses(request)
    _check_filters(request.account_filters or {})
    _check_statements(request)
    if request.access_token is None and request.update is not None:
        raise errors.invalid_field("update: only allowed with an access_token")
    if request.access_token and request.enable_multi_item_link:
        raise errors.invalid_field("enable_multi_item_link: not allowed with an access_token")


def _check_products(request: LinkRequest) -> None:
    fields = ("products", "required_if_supported_products", "optional_products",
              "additional_consented_products")  # fmt: skip
    seen: set[str] = set()
    for field in fields:
        products: Iterable[str] = getattr(request, field) or ()
        if "balance" in products:
            raise errors.invalid_field(
                f"{field}: balance is not a valid product here. It is enabled with any other"
                " product"
            )
        if seen & set(products):
            raise errors.invalid_field(f"{field}: {min(seen & set(products))} is listed twice")
        seen |= set(products)


def _check_addresses(request: LinkRequest) -> None:
    if request.webhook is not None:
        _check_address("webhook", request.webhook)
    if request.redirect_uri is not None:
        _check_address("redirect_uri", request.redirect_uri)
        parts = urlsplit(request.redirect_uri)
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise errors.invalid_field("redirect_uri must use https, except for localhost")
        if parts.query or parts.fragment:
            raise errors.invalid_field("redirect_uri must not contain query parameters")
    hosted = request.hosted_link
    if hosted and hosted.completion_redirect_uri is not None:
        app_scheme = r"(?!javascript:|data:)[a-z][a-z0-9+.-]*:." if hosted.is_mobile_app else "(?!)"
        if not re.match(app_scheme, hosted.completion_redirect_uri.lower()):
            _check_address("hosted_link.completion_redirect_uri", hosted.completion_redirect_uri)


def _check_address(field: str, address: str) -> None:
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise errors.invalid_field(f"{field} must be a non-empty string URL with http or https")


def _check_filters(filters: dict[str, AccountFilter]) -> None:
    for kind, wanted in filters.items():
        if kind not in SUBTYPES:
            raise errors.invalid_field(f"account_filters: {kind} is not an account type")
        for subtype in wanted.account_subtypes:
            if subtype != "all" and subtype not in SUBTYPES[kind]:
                raise errors.invalid_field(
                    f"account_filters.{kind}.account_subtypes: {subtype} is not one of its subtypes"
                )


def _check_statements(request: LinkRequest) -> None:
    if "statements" in (request.products or ()) and request.statements is None:
        raise errors.missing_fields(["statements.start_date", "statements.end_date"])
    if request.statements is None:
        return
    days = (request.statements.end_date - request.statements.start_date).days
    if not 0 <= days <= _MAX_STATEMENTS_DAYS:
        raise errors.invalid_field("statements: the dates must span at most two years")
