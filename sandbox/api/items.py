"""Items (https://plaid.com/docs/api/items/)."""

from flask import Blueprint, Response

from sandbox import errors, items, linking
from sandbox.context import Sandbox, current_sandbox, optional_timestamp, timestamp
from sandbox.http_json import Call, ItemCall, read, reply
from sandbox.public_tokens import find_item
from sandbox.webhooks import send

bp = Blueprint("items", __name__)


class ExchangeCall(Call, kw_only=True):
    public_token: str


class RemoveCall(ItemCall, kw_only=True):
    reason_code: str | None = None
    reason_note: str | None = None


class WebhookCall(ItemCall, kw_only=True):
    webhook: str | None = None


@bp.post("/item/public_token/exchange")
def exchange() -> Response:
    """Exchange a public token, once or again: it is the same Item and access token each time.

    Plaid documents 30 minutes as the life of a public token and no error for one that has been
    exchanged already (https://plaid.com/docs/api/items/#itempublic_tokenexchange).
    """
    call = read(ExchangeCall)
    sandbox = current_sandbox()
    with sandbox.store.write() as db:
        item = find_item(sandbox, db, call.client_id, call.public_token)
        item = linking.exchange(sandbox, db, item)
    sandbox.webhook_queue.wake()
    return reply(access_token=item.access_token, item_id=item.item_id)


@bp.post("/item/get")
def get() -> Response:
    call = read(ItemCall)
    sandbox = current_sandbox()
    with sandbox.store.read() as db:
        item = items.find(db, call.access_token)
    return reply(item=item.to_dict(with_consent=True), status=_status(sandbox, item))


def _status(sandbox: Sandbox, item: items.Item) -> dict[str, object]:
    sent = item.webhook_sent
    return {
        "investments": None,
        "last_webhook": {"code_sent": item.webhook_code, "sent_at": timestamp(sent)}
        if sent is not None
        else None,
        "transactions": {
            "last_failed_update": optional_timestamp(item.failed),
            "last_successful_update": items.last_update(sandbox, item),
        },
    }


@bp.post("/item/remove")
def remove() -> Response:
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
