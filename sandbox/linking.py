"""Linking: create Items, exchange public tokens and start transaction updates."""

import sqlite3
from collections.abc import Sequence

from sandbox import account_access, errors, transaction_store, users
from sandbox.bank_records import Account, Transaction
from sandbox.context import Sandbox
from sandbox.http_json import encode
from sandbox.institution_health import check_is_up
from sandbox.institutions import BY_ID
from sandbox.items import Item, by_number, find_healthy
from sandbox.store import next_number
from sandbox.transaction_store import Window

PUBLIC_TOKEN_SECONDS = 30 * 60
DEFAULT_DAYS = 90
_TRANSACTIONS = "transactions"


def create(
    sandbox: Sandbox,
    client_id: str,
    institution_id: str,
    products: Sequence[str],
    username: str,
    password: str,
    webhook: str | None,
    window: Window | None,
) -> str:
    """Create an Item of this client and return its public token.

    If `products` includes transactions, this also stores them; their updates start at the
    exchange.
    """
    with sandbox.store.read() as db:
        check_is_up(db, institution_id)
    data = users.log_in(username, password, sandbox.seed, sandbox.today())
    with sandbox.store.write() as db:
        number = next_number(db, "item")
    public_token = sandbox.ids.token("public", number)
    account_ids = [sandbox.ids.opaque("account", number, n) for n in range(len(data.accounts))]
    history = None
    if _TRANSACTIONS in products:
        history = _prepare_history(sandbox, number, account_ids, data.transactions, window)
    with sandbox.store.write() as db:
        db.execute(
            "INSERT INTO item (number, item_id, client_id, public_token, institution_id, products,"
            " username, webhook, created, first_date, last_date)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                sandbox.ids.opaque("item", number),
                client_id,
                public_token,
                institution_id,
                encode(sorted(set(products) - {"balance"})).decode(),
                username,
                webhook,
                sandbox.now(),
                window.first.isoformat() if window else None,
                window.last.isoformat() if window else None,
            ),
        )
        db.executemany(
            "INSERT INTO account (item, ordinal, account_id, body) VALUES (?, ?, ?, ?)",
            [
                (number, n, account_ids[n], account.to_json(account_ids[n], persistent))
                for n, account in enumerate(data.accounts)
                for persistent in [persistent_id(sandbox, institution_id, username, account)]
            ],
        )
        if history:
            transaction_store.save_history(db, number, history)
        else:
            db.execute("INSERT INTO password VALUES (?, ?)", (number, password))
    return public_token


def persistent_id(
    sandbox: Sandbox, institution_id: str, username: str, account: Account
) -> str | None:
    """Return the id that an account has in every Item of a login; None if not tokenized."""
    if not BY_ID[institution_id].tokenized:
        return None
    return sandbox.ids.opaque("persistent", institution_id, username, account.subtype, account.mask)


def exchange(sandbox: Sandbox, client_id: str, public_token: str) -> Item:
    """Give the Item an access token and start its updates.

    Raises PlaidError for a used or expired public token, and for one that isn't this client's.
    """
    with sandbox.store.write() as db:
        query = "SELECT * FROM item WHERE public_token = ? AND client_id = ?"
        row = db.execute(query, (public_token, client_id)).fetchone()
        if row is None:
            raise errors.invalid_public_token()
        item = Item(**row)
        if item.access_token:
            raise errors.invalid_public_token("provided public token has already been exchanged")
        if sandbox.now() > item.created + PUBLIC_TOKEN_SECONDS:
            raise errors.invalid_public_token(
                "provided public token is expired. Public tokens expire 30 minutes after creation"
                " at which point they can no longer be exchanged"
            )
        token = sandbox.ids.token("access", item.number)
        db.execute("UPDATE item SET access_token = ? WHERE number = ?", (token, item.number))
        if _TRANSACTIONS in item.product_list:
            _start_updates(sandbox, db, item.number)
        item = by_number(db, item.number)
    sandbox.webhook_queue.wake()
    return item


def ensure_transactions(
    sandbox: Sandbox, access_token: str, days: int | None, *, sync: bool = False
) -> None:
    """Add the Transactions product at the first call that needs it, and note the first sync."""
    with sandbox.store.read() as db:
        item = find_healthy(db, access_token)
    if item.started is None:
        _add_transactions(sandbox, item, days)
    if sync and not item.synced:
        with sandbox.store.write() as db:
            db.execute("UPDATE item SET synced = 1 WHERE number = ?", (item.number,))


def _add_transactions(sandbox: Sandbox, item: Item, days: int | None) -> None:
    with sandbox.store.read() as db:
        account_ids = [row["account_id"] for row in account_access.all_rows(db, item)]
        password = db.execute("SELECT text FROM password WHERE item = ?", (item.number,)).fetchone()
    if password is None:
        return  # another thread has added them
    data = users.log_in(item.username, password["text"], sandbox.seed, sandbox.today())
    window = _window(sandbox, item, days)
    history = _prepare_history(sandbox, item.number, account_ids, data.transactions, window)
    products = encode(sorted({*item.product_list, _TRANSACTIONS})).decode()
    with sandbox.store.write() as db:
        if by_number(db, item.number).started is not None:
            return  # another thread has added them
        db.execute("UPDATE item SET products = ? WHERE number = ?", (products, item.number))
        transaction_store.save_history(db, item.number, history)
        db.execute("DELETE FROM password WHERE item = ?", (item.number,))
        _start_updates(sandbox, db, item.number)
    sandbox.webhook_queue.wake()


def _window(sandbox: Sandbox, item: Item, days: int | None) -> Window | None:
    if days is not None:
        return Window.last_days(days, sandbox.today())
    if item.first_date and item.last_date:
        return Window.parse(item.first_date, item.last_date)
    return None


def _prepare_history(
    sandbox: Sandbox,
    number: int,
    account_ids: Sequence[str],
    transactions: Sequence[Transaction],
    window: Window | None,
) -> transaction_store.NewHistory:
    today = sandbox.today()
    window = window or Window.last_days(DEFAULT_DAYS, today)
    return transaction_store.prepare_history(
        sandbox.ids, number, account_ids, transactions, window, today
    )


def _start_updates(sandbox: Sandbox, db: sqlite3.Connection, number: int) -> None:
    now = sandbox.now()
    db.execute("UPDATE item SET started = ? WHERE number = ?", (now, number))
    later = now + max(sandbox.initial_delay, sandbox.historical_delay)
    sandbox.webhook_queue.schedule(db, number, "INITIAL_UPDATE", now + sandbox.initial_delay)
    sandbox.webhook_queue.schedule(db, number, "HISTORICAL_UPDATE", later)
