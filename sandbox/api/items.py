"""Items (https://plaid.com/docs/api/items/)."""

from typing import Annotated, Literal

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from sandbox import errors, items, linking
from sandbox.context import Sandbox, current_sandbox, optional_timestamp, timestamp
from sandbox.http_json import Call, ItemCall, Options, read, reply
from sandbox.institutions import Product
from sandbox.public_tokens import find_item
from sandbox.store import next_number
from sandbox.webhooks import send

bp = Blueprint("items", __name__)

DEFAULT_INSTITUTION = "ins_109508"
RemoveReason = Literal[
    "FRAUD_FIRST_PARTY",
    "FRAUD_FALSE_IDENTITY",
    "FRAUD_ABUSE",
    "FRAUD_OTHER",
    "CONNECTION_IS_NON_FUNCTIONAL",
    "OTHER",
]


class ExchangeCall(Call, kw_only=True):
    public_token: str


class UserAuth(msgspec.Struct, forbid_unknown_fields=True):
    user_id: str
    auth_token: str


class ImportOptions(Options):
    webhook: str | None = None


class ImportCall(Call, kw_only=True):
    products: Annotated[list[Product], Meta(min_length=1)]
    user_auth: UserAuth
    institution_id: str = DEFAULT_INSTITUTION
    options: ImportOptions = msgspec.field(default_factory=ImportOptions)


class RemoveCall(ItemCall, kw_only=True):
    reason_code: RemoveReason | None = None
    reason_note: Annotated[str, Meta(max_length=512)] | None = None


class WebhookCall(ItemCall, kw_only=True):
    webhook: str | None = None


@bp.post("/item/public_token/exchange")
def exchange() -> Response:
    """Exchange a public token, once or again: it is the same Item and access token each time.

    Plaid documents 30 minutes as the life of a public token and no error for one that has been
    exchanged already (https://plaid.com/docs/api/items/#itempublic_tokenexchange).
    """
    call = read(ExchangeCall)
    item = _exchange(call.client_id, call.public_token)
    return reply(access_token=item.access_token, item_id=item.item_id)


def _exchange(client_id: str, public_token: str) -> items.Item:
    sandbox = current_sandbox()
    with sandbox.store.write() as db:
        item = find_item(sandbox, db, client_id, public_token)
        item = linking.exchange(sandbox, db, item)
    sandbox.webhook_queue.wake()
    return item


@bp.post("/item/import")
def import_item() -> Response:
    """Create an Item of a client that has the user's log-in, without Link."""
    call = read(ImportCall)
    sandbox = current_sandbox()
    check_url("options.webhook", call.options.webhook)
    new = linking.NewItem(
        call.client_id,
        call.institution_id,
        call.products,
        call.user_auth.user_id,
        call.user_auth.auth_token,
        call.options.webhook or None,
        window=None,
    )
    item = _exchange(call.client_id, linking.create(sandbox, new))
    return reply(access_token=item.access_token)


@bp.post("/item/get")
def get() -> Response:
    call = read(ItemCall)
    sandbox = current_sandbox()
    with sandbox.store.read() as db:
        item = items.find(db, call.access_token)
    return reply(item=item.to_dict(with_consent=True), status=_status(sandbox, item))


def _status(sandbox: Sandbox, item: items.Item) -> dict[str, object]:
    """Return when each product was updated; null for a product that the Item doesn't have.

    The bank sends investments while the Item is created, and again with each later update.
    """
    sent = item.webhook_sent
    investments, transactions = (
        {"last_failed_update": optional_timestamp(item.failed), "last_successful_update": updated}
        for updated in (timestamp(item.updated or item.created), items.last_update(sandbox, item))
    )
    return {
        "investments": investments if "investments" in item.product_list else None,
        "last_webhook": {"code_sent": item.webhook_code, "sent_at": timestamp(sent)}
        if sent is not None
        else None,
        "transactions": transactions if "transactions" in item.product_list else None,
    }


@bp.post("/item/access_token/invalidate")
def invalidate_access_token() -> Response:
    call = read(ItemCall)
    sandbox = current_sandbox()
    with sandbox.store.write() as db:
        item = items.find(db, call.access_token)
        token = sandbox.ids.token("access", item.number, next_number(db, "access token"))
        db.execute("UPDATE item SET access_token = ? WHERE number = ?", (token, item.number))
    return reply(new_access_token=token)


@bp.post("/item/remove")
def remove() -> Response:
    """Remove the Item. From then on, every call with its token is answered ITEM_NOT_FOUND."""
    call = read(RemoveCall)
    with current_sandbox().store.write() as db:
        item = items.find(db, call.access_token)
        items.remove(db, item)
    return reply()


@bp.post("/item/webhook/update")
def update_webhook() -> Response:
    call = read(WebhookCall)
    sandbox = current_sandbox()
    check_url("webhook", call.webhook)
    with sandbox.store.write() as db:
        item = items.find(db, call.access_token)
        db.execute(
            "UPDATE item SET webhook = ? WHERE number = ?", (call.webhook or None, item.number)
        )
        item = items.by_number(db, item.number)
        send(sandbox.webhook_queue, db, item, "ITEM", "WEBHOOK_UPDATE_ACKNOWLEDGED", error=None,
             new_webhook_url=item.webhook)  # fmt: skip
    sandbox.webhook_queue.wake()
    return reply(item=item.to_dict())


def check_url(field: str, url: str | None) -> None:
    """Raise PlaidError unless the URL is empty or starts with http:// or https://."""
    if url and not url.startswith(("http://", "https://")):
        raise errors.invalid_field(f"{field} must be a valid http or https URL")
