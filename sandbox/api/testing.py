"""The endpoints of Plaid's Sandbox, for testing (https://plaid.com/docs/api/sandbox/)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response
from msgspec import Meta

from sandbox import bank_activity, errors, items, linking, users
from sandbox.api.items import check_url
from sandbox.api.transactions import Days
from sandbox.bank_records import Transaction, from_description
from sandbox.context import Sandbox, current_sandbox
from sandbox.custom_users import is_in_range
from sandbox.fire_webhook import Code, Kind, fire
from sandbox.http_json import Call, ItemCall, Options, read, reply
from sandbox.institutions import Product
from sandbox.transaction_store import Window
from sandbox.webhooks import announce_error

bp = Blueprint("testing", __name__)

MAX_CREATED = 10
CREATED_WITHIN = timedelta(days=14)


class TransactionsOptions(Options):
    start_date: date | None = None
    end_date: date | None = None
    days_requested: Days | None = None


class PublicTokenOptions(Options):
    webhook: str | None = None
    override_username: str | None = None
    override_password: str | None = None
    transactions: TransactionsOptions | None = None
    statements: Any = None
    income_verification: Any = None


class PublicTokenCall(Call, kw_only=True):
    institution_id: str
    initial_products: Annotated[list[Product], Meta(min_length=1)]
    options: PublicTokenOptions = msgspec.field(default_factory=PublicTokenOptions)
    user_token: str | None = None
    user_id: str | None = None


class FireOptions(Options):
    new_transactions: Annotated[int, Meta(ge=0)] = 0


class FireCall(ItemCall, kw_only=True):
    webhook_code: Code
    webhook_type: Kind | None = None
    options: FireOptions = msgspec.field(default_factory=FireOptions)


class CustomTransaction(msgspec.Struct, kw_only=True):
    date_transacted: date
    date_posted: date
    amount: msgspec.Raw
    description: str
    iso_currency_code: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"
    account_id: str | None = None


class CreateTransactionsCall(ItemCall, kw_only=True):
    transactions: Annotated[list[CustomTransaction], Meta(min_length=1)]


@bp.post("/sandbox/public_token/create")
def create_public_token() -> Response:
    call = read(PublicTokenCall)
    sandbox = current_sandbox()
    options = call.options
    check_url("options.webhook", options.webhook)
    username, password = options.override_username, options.override_password
    new = linking.NewItem(
        call.client_id,
        call.institution_id,
        call.initial_products,
        "user_good" if username is None else username,
        "pass_good" if password is None else password,
        options.webhook or None,
        _window(options.transactions, sandbox),
    )
    return reply(public_token=linking.create(sandbox, new))


def _window(options: TransactionsOptions | None, sandbox: Sandbox) -> Window | None:
    """Return the requested dates. Without an end date, the window includes pending transactions."""
    if options is None or options == TransactionsOptions():
        return None
    window = Window.last_days(options.days_requested or linking.DEFAULT_DAYS, sandbox.today())
    window = Window(options.start_date or window.first, options.end_date or window.last)
    if window.first > window.last:
        raise errors.invalid_field("options.transactions.start_date is later than end_date")
    return window


@bp.post("/sandbox/item/fire_webhook")
def fire_webhook() -> Response:
    call = read(FireCall)
    sandbox = current_sandbox()
    with sandbox.store.write() as db:
        item = items.find(db, call.access_token)
        fire(sandbox, db, item, call.webhook_code, call.webhook_type, call.options.new_transactions)
    sandbox.webhook_queue.wake()
    return reply(webhook_fired=True)


@bp.post("/sandbox/item/reset_login")
def reset_login() -> Response:
    call = read(ItemCall)
    sandbox = current_sandbox()
    with sandbox.store.write() as db:
        item = items.find(db, call.access_token)
        items.set_error(db, item, "ITEM_LOGIN_REQUIRED")
        announce_error(sandbox.webhook_queue, db, item, "ITEM_LOGIN_REQUIRED")
    sandbox.webhook_queue.wake()
    return reply(reset_login=True)


@bp.post("/sandbox/transactions/create")
def create_transactions() -> Response:
    call = read(CreateTransactionsCall)
    sandbox = current_sandbox()
    with sandbox.store.read() as db:
        item = items.find_healthy(db, call.access_token)
    if item.username != users.DYNAMIC:
        raise errors.invalid_field(
            f"transactions can be created only for Items of the test user {users.DYNAMIC}"
        )
    if len(call.transactions) > MAX_CREATED:
        message = f"transactions: at most {MAX_CREATED} can be created at once"
        raise errors.invalid_field(message, display=message)
    today = sandbox.today()
    new = [(custom.account_id, _to_transaction(custom, today)) for custom in call.transactions]
    bank_activity.add_transactions(sandbox, call.access_token, new)
    return reply()


def _to_transaction(custom: CustomTransaction, today: date) -> Transaction:
    if not today - CREATED_WITHIN <= custom.date_transacted <= custom.date_posted <= today:
        message = (
            "date_transacted and date_posted must lie within the last 14 days, and date_posted not"
            " before date_transacted"
        )
        raise errors.invalid_field(message, display=message)
    return from_description(
        account=0,  # not used: the transaction is added by account id
        posted=custom.date_posted,
        transacted=custom.date_transacted,
        amount=_amount(custom.amount),
        description=custom.description,
        currency=custom.iso_currency_code,
        today=today,
    )


def _amount(raw: msgspec.Raw) -> Decimal:
    """Return the exact number. Raises PlaidError for anything but a number in range."""
    try:
        amount = Decimal(bytes(raw).decode())
    except ArithmeticError:
        raise errors.invalid_field("transactions: amount must be a number") from None
    if not is_in_range(amount):
        raise errors.invalid_field("transactions: amount must be below 1e15")
    return amount
