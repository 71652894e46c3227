"""Link tokens (https://plaid.com/docs/api/link/), and the key that signs webhooks."""

from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from sandbox import errors, items
from sandbox.api.items import check_url
from sandbox.context import current_sandbox, timestamp
from sandbox.http_json import Call, encode, read, reply
from sandbox.store import next_number

bp = Blueprint("link", __name__)

# Tokens for update mode expire sooner, because they are meant for immediate use.
NEW_ITEM_SECONDS = 4 * 60 * 60
UPDATE_MODE_SECONDS = 30 * 60


class User(msgspec.Struct):
    """The one field that matters here. Others prefill Link's forms, and Link is not simulated."""

    client_user_id: Annotated[str, Meta(min_length=1)]


class CreateCall(Call, kw_only=True, forbid_unknown_fields=False):
    """The fields that matter without Link. All other fields are accepted and ignored."""

    client_name: Annotated[str, Meta(min_length=1, max_length=30)]
    language: Annotated[str, Meta(min_length=2)]
    country_codes: Annotated[list[str], Meta(min_length=1)]
    user: User | None = None
    user_id: str | None = None
    products: list[str] = msgspec.field(default_factory=list)
    webhook: str | None = None
    redirect_uri: str | None = None
    access_token: str | None = None
    institution_data: dict[str, Any] | None = None
    account_filters: dict[str, Any] | None = None


class GetCall(Call, kw_only=True):
    link_token: str


class KeyCall(Call, kw_only=True):
    key_id: str


@bp.post("/link/token/create")
def create() -> Response:
    call = read(CreateCall)
    sandbox = current_sandbox()
    if call.user is None and call.user_id is None:
        raise errors.missing_fields(["user"])
    if not call.products and call.access_token is None:
        raise errors.missing_fields(["products"])
    check_url("webhook", call.webhook)
    now = sandbox.now()
    expires = now + (UPDATE_MODE_SECONDS if call.access_token else NEW_ITEM_SECONDS)
    with sandbox.store.write() as db:
        if call.access_token:
            items.find(db, call.access_token)
        token = sandbox.ids.token("link", next_number(db, "link"))
        row = (token, encode(_metadata(call)).decode(), now, expires)
        db.execute("INSERT INTO link_token VALUES (?, ?, ?, ?)", row)
    return reply(expiration=timestamp(expires), link_token=token)


def _metadata(call: CreateCall) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "client_name": call.client_name,
        "country_codes": call.country_codes,
        "initial_products": call.products,
        "language": call.language,
        "redirect_uri": call.redirect_uri,
        "webhook": call.webhook,
    }
    optional = {"account_filters": call.account_filters, "institution_data": call.institution_data}
    return fields | {name: value for name, value in optional.items() if value is not None}


@bp.post("/link/token/get")
def get() -> Response:
    """Return a link token without sessions: Link runs on Plaid's own pages and is not simulated."""
    call = read(GetCall)
    with current_sandbox().store.read() as db:
        row = db.execute("SELECT * FROM link_token WHERE token = ?", (call.link_token,)).fetchone()
    if row is None:
        raise errors.invalid_link_token()
    return reply(
        created_at=timestamp(row["created"]),
        expiration=timestamp(row["expires"]),
        link_sessions=[],
        link_token=row["token"],
        metadata=msgspec.Raw(row["metadata"].encode()),
    )


@bp.post("/webhook_verification_key/get")
def get_key() -> Response:
    call = read(KeyCall)
    key = current_sandbox().webhook_queue.key
    if call.key_id != key.kid:
        raise errors.invalid_key_id()
    return reply(key=key.public_jwk())
