"""Linking: create Items with their accounts and history, and start transaction updates."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sandbox import account_access, errors, transaction_store, users
from sandbox.bank_records import Account, Transaction
from sandbox.context import Sandbox
from sandbox.http_json import encode
from sandbox.institution_health import check_is_up
from sandbox.institutions import BY_ID
from sandbox.items import Item, by_number, find_healthy
from sandbox.public_tokens import issue_public_token
from sandbox.store import next_number
from sandbox.transaction_store import Window

DEFAULT_DAYS = 90
_TRANSACTIONS = "transactions"


@dataclass(frozen=True)
class NewItem:
    """What to link. `consented` lists products that the person agreed to beyond `products`.

    `shared` lists the ordinals of the accounts to share; None means all of them.
    """

    client_id: str
    institution_id: str
    products: Sequence[str]
    username: str
    password: str
    webhook: str | None
    window: Window | None
    consented: Sequence[str] = ()
    shared: Collection[int] | None = None


@dataclass(frozen=True)
class PreparedItem:
    """A new Item's number, the rows of its accounts and its history, ready to be saved."""

    number: int
    new: NewItem
    accounts: list[tuple[object, ...]]
    history: transaction_store.NewHistory | None


def create(sandbox: Sandbox, new: NewItem) -> str:
    """Create an Item and return its public token.

    Raises PlaidError for an unknown bank, for one that is down or doesn't support the products, and
    for wrong credentials.
    """
    institution = BY_ID.get(new.institution_id)
    if institution is None:
        raise errors.invalid_institution()
    if unsupported := set(new.products) - institution.products:
        raise errors.products_not_supported(unsupported)
    with sandbox.store.read() as db:
        check_is_up(db, new.institution_id)
    prepared = prepare(sandbox, new, reserve_number(sandbox))
    with sandbox.store.write() as db:
        return save(sandbox, db, prepared)


def reserve_number(sandbox: Sandbox) -> int:
    """Return the number of the next Item, which determines the ids of its accounts."""
    with sandbox.store.write() as db:
        return next_number(db, "item")


def account_id(sandbox: Sandbox, number: int, ordinal: int) -> str:
    """Return the id of an account of Item `number`."""
    return sandbox.ids.opaque("account", number, ordinal)


def prepare(sandbox: Sandbox, new: NewItem, number: int) -> PreparedItem:
    """Prepare an Item and, if it has the Transactions product, its history.

    This is slow: call it outside a transaction. Raises PlaidError for wrong credentials.
    """
    data = users.log_in(new.username, new.password, sandbox.seed, sandbox.today())
    ordinals = range(len(data.accounts))
    shared = ordinals if new.shared is None else new.shared
    account_ids = [account_id(sandbox, number, ordinal) for ordinal in ordinals]
    history = None
    if _TRANSACTIONS in new.products:
        history = _prepare_history(sandbox, number, account_ids, data.transactions, new.window)
    rows: list[tuple[object, ...]] = [
        (number, n, account_ids[n], account.to_json(account_ids[n], persistent), access)
        for n, account in enumerate(data.accounts)
        for persistent in [persistent_id(sandbox, new.institution_id, new.username, account)]
        for access in ["shared" if n in shared else "available"]
    ]
    return PreparedItem(number, new, rows, history)


def save(sandbox: Sandbox, db: sqlite3.Connection, prepared: PreparedItem) -> str:
    """Save an Item and return its public token. Its updates start at the exchange."""
    number, new, window = prepared.number, prepared.new, prepared.new.window
    products = set(new.products) - {"balance"}
    db.execute(
        "INSERT INTO item (number, item_id, client_id, institution_id, products, consented,"
        " username, webhook, created, first_date, last_date)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number,
            sandbox.ids.opaque("item", number),
            new.client_id,
            new.institution_id,
            encode(sorted(products)).decode(),
            encode(sorted({*products, *new.consented})).decode(),
            new.username,
            new.webhook,
            sandbox.now(),
            window.first.isoformat() if window else None,
            window.last.isoformat() if window else None,
        ),
    )
    db.executemany(
        "INSERT INTO account (item, ordinal, account_id, body, access) VALUES (?, ?, ?, ?, ?)",
        prepared.accounts,
    )
    if prepared.history:
        transaction_store.save_history(db, number, prepared.history)
    else:
        db.execute("INSERT INTO password VALUES (?, ?)", (number, new.password))
    return issue_public_token(sandbox, db, number)


def persistent_id(
    sandbox: Sandbox, institution_id: str, username: str, account: Account
) -> str | None:
    """Return the id that an account has in every Item of a login; None if not tokenized."""
    if not BY_ID[institution_id].tokenized:
        return None
    return sandbox.ids.opaque("persistent", institution_id, username, account.subtype, account.mask)


def exchange(sandbox: Sandbox, db: sqlite3.Connection, item: Item) -> Item:
    """Give the Item its access token and start its updates, unless that has happened already."""
    if item.access_token:
        return item
    token = sandbox.ids.token("access", item.number)
    db.execute("UPDATE item SET access_token = ? WHERE number = ?", (token, item.number))
    if _TRANSACTIONS in item.product_list:
        _start_updates(sandbox, db, item.number)
    return by_number(db, item.number)


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
    products, consented = (
        encode(sorted({*listed, _TRANSACTIONS})).decode()
        for listed in (item.product_list, item.consented_list)
    )
    with sandbox.store.write() as db:
        if by_number(db, item.number).started is not None:
            return  # another thread has added them
        db.execute(
            "UPDATE item SET products = ?, consented = ? WHERE number = ?",
            (products, consented, item.number),
        )
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
