"""Link tokens (https://plaid.com/docs/api/link/), and the key that signs webhooks."""

from typing import Any

import flask
from flask import Blueprint, Response

from sandbox import errors, items, link_request, link_tokens
from sandbox.context import current_sandbox, timestamp
from sandbox.hosted_link.results import listed_sessions
from sandbox.http_json import Call, read, reply
from sandbox.link_request import LinkRequest

bp = Blueprint("link", __name__)

PLAIDS_TEST_KEY_ID = "6c5516e1-92dc-479e-a8ff-5a51992e0001"
"""The tests of Plaid's libraries ask for this key. No webhook names it."""


class GetCall(Call, kw_only=True):
    link_token: str


class KeyCall(Call, kw_only=True):
    key_id: str


@bp.post("/link/token/create")
def create() -> Response:
    request = read(LinkRequest)
    link_request.check(request)
    sandbox = current_sandbox()
    with sandbox.store.write() as db:
        item = items.find(db, request.access_token).number if request.access_token else None
        link = link_tokens.create(sandbox, db, request, item)
    hosted = {}
    if link.hosted_id:
        hosted["hosted_link_url"] = f"{flask.request.host_url}hl/{link.hosted_id}"
    return reply(expiration=timestamp(link.expires), link_token=link.token, **hosted)


@bp.post("/link/token/get")
def get() -> Response:
    """Return a link token with its sessions. Each is listed until six hours after its end."""
    call = read(GetCall)
    sandbox = current_sandbox()
    with sandbox.store.read() as db:
        link = link_tokens.find(db, call.client_id, call.link_token)
        sessions = listed_sessions(sandbox, db, link)
    return reply(
        created_at=timestamp(link.created),
        expiration=timestamp(link.expires),
        link_sessions=sessions,
        link_token=link.token,
        metadata=_metadata(link.request),
    )


def _metadata(request: LinkRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "client_name": request.client_name,
        "country_codes": request.country_codes,
        "initial_products": request.products or [],
        "language": request.language,
        "redirect_uri": request.redirect_uri,
        "webhook": request.webhook,
    }
    if request.institution_data:
        fields["institution_data"] = request.institution_data
    if request.account_filters:
        fields["account_filters"] = {
            kind: {"account_subtypes": wanted.account_subtypes}
            for kind, wanted in request.account_filters.items()
        }
    return fields


@bp.post("/webhook_verification_key/get")
def get_key() -> Response:
    call = read(KeyCall)
    key = current_sandbox().webhook_queue.key
    if call.key_id not in (key.kid, PLAIDS_TEST_KEY_ID):
        raise errors.invalid_key_id()
    return reply(key=key.public_jwk() | {"kid": call.key_id})
