"""Plaid's answers about Link's sessions and about Items. See payloads.py."""

import base64
import hashlib
import re
from datetime import datetime

import msgspec

from plaidapp import policy

from .payloads import PlaidError

COLOR = re.compile("#[0-9a-f]{6}")


def hash_of(link_token: str) -> str:
    """Return what a link token is known by, in hex: the token itself is a secret."""
    return hashlib.sha256(link_token.encode()).hexdigest()


class LinkToken(msgspec.Struct, frozen=True):
    """/link/token/create, for Hosted Link."""

    link_token: str
    expiration: datetime
    hosted_link_url: str


class Institution(msgspec.Struct, frozen=True):
    institution_id: str | None = None
    name: str | None = None


class LinkedAccount(msgspec.Struct, frozen=True):
    """An account that the person chose in Link."""

    id: str | None = None
    name: str | None = None
    mask: str | None = None
    type: str | None = None
    subtype: str | None = None


class ItemAdded(msgspec.Struct, frozen=True):
    """A connection that the person made. Its public token can be exchanged for 30 minutes."""

    public_token: str | None = None
    accounts: list[LinkedAccount] | None = None
    institution: Institution | None = None


class Results(msgspec.Struct, frozen=True):
    item_add_results: list[ItemAdded] | None = None


class SuccessMetadata(msgspec.Struct, frozen=True):
    accounts: list[LinkedAccount] | None = None
    institution: Institution | None = None


class Success(msgspec.Struct, frozen=True):
    """The older form of a result, which Plaid sends to some apps instead."""

    public_token: str | None = None
    metadata: SuccessMetadata | None = None


class ExitMetadata(msgspec.Struct, frozen=True):
    """`status` says in which step the person left; see Plaid's list of them."""

    institution: Institution | None = None
    status: str | None = None
    link_session_id: str | None = None
    request_id: str | None = None


class ExitError(msgspec.Struct, frozen=True):
    """As PlaidError, but any part may be null."""

    error_type: str | None = None
    error_code: str | None = None
    display_message: str | None = None


class Exit(msgspec.Struct, frozen=True):
    """The person left without finishing. `error` is the last one they met, if any."""

    error: ExitError | None = None
    metadata: ExitMetadata | None = None

    @property
    def met(self) -> PlaidError | None:
        told = self.error or ExitError()
        if not told.error_code:
            return None
        return PlaidError(
            told.error_type or "", told.error_code, display_message=told.display_message
        )


class LinkSession(msgspec.Struct, frozen=True):
    """One time that the link was opened. `finished_at` is null while it is open or abandoned."""

    link_session_id: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit: Exit | None = None
    results: Results | None = None
    on_success: Success | None = None

    @property
    def added(self) -> list[ItemAdded]:
        """Return the connections that the person made, in whichever form Plaid reports them."""
        listed = (self.results and self.results.item_add_results) or []
        if not listed and self.on_success:
            told = self.on_success.metadata or SuccessMetadata()
            listed = [ItemAdded(self.on_success.public_token, told.accounts, told.institution)]
        return [each for each in listed if each.public_token]


class LinkState(msgspec.Struct, frozen=True):
    """/link/token/get"""

    link_sessions: list[LinkSession] = []
    expiration: datetime | None = None
    request_id: str | None = None


class ProductStatus(msgspec.Struct, frozen=True):
    """When the bank last delivered data to Plaid, and when it last failed to."""

    last_successful_update: datetime | None = None
    last_failed_update: datetime | None = None


class ItemStatus(msgspec.Struct, frozen=True):
    transactions: ProductStatus | None = None


class ItemDetails(msgspec.Struct, frozen=True):
    """`error` is the Item's present one. Consent is for a limited time at some banks."""

    item_id: str
    error: PlaidError | None = None
    consent_expiration_time: datetime | None = None
    webhook: str | None = None
    products: list[str] = []
    billed_products: list[str] = []
    available_products: list[str] = []


class ItemAnswer(msgspec.Struct, frozen=True):
    """/item/get"""

    item: ItemDetails
    status: ItemStatus | None = None
    request_id: str | None = None


class Health(msgspec.Struct, frozen=True):
    status: str | None = None


class InstitutionStatus(msgspec.Struct, frozen=True):
    """How log-ins and transactions of a bank work. Plaid leaves out what it can't tell."""

    item_logins: Health | None = None
    transactions_updates: Health | None = None


class InstitutionDetails(msgspec.Struct, frozen=True):
    status: InstitutionStatus | None = None

    @property
    def worst_status(self) -> str | None:
        told = self.status or InstitutionStatus()
        statuses = {each.status for each in (told.item_logins, told.transactions_updates) if each}
        return next((word for word in ("DOWN", "DEGRADED", "HEALTHY") if word in statuses), None)


class InstitutionAnswer(msgspec.Struct, frozen=True):
    """/institutions/get_by_id"""

    institution: InstitutionDetails


class Identity(msgspec.Struct, frozen=True):
    """How a bank looks. `logo` is a PNG file in Base64, and `primary_color` such as "#004966"."""

    logo: str | None = None
    primary_color: str | None = None

    @property
    def known_color(self) -> str | None:
        color = (self.primary_color or "").lower()
        return color if COLOR.fullmatch(color) else None

    @property
    def picture(self) -> bytes | None:
        """The logo as a file, which need not be a picture. None if there is none, or too large."""
        if not self.logo or len(self.logo) > policy.LARGEST_LOGO * 4 / 3:
            return None
        try:
            return base64.b64decode(self.logo, validate=True)
        except ValueError:
            return None


class IdentityAnswer(msgspec.Struct, frozen=True):
    """/institutions/get_by_id with its optional metadata"""

    institution: Identity
