"""Store transactions for a test in the same way as a sync does."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from sqlalchemy import Insert, insert, literal, select

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.store import Account, Stream, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.transactions import ingest


def rows_of(sent: Iterable[payloads.PlaidTransaction]) -> list[ingest.Row]:
    return [ingest.row_of(transaction, 0) for transaction in sent]


def save(
    user_id: int,
    item_id: int,
    account_ids: Mapping[str, int],
    sent: Iterable[payloads.PlaidTransaction],
) -> None:
    rows = rows_of(sent)
    ingest.save(user_id, item_id, account_ids, [None], rows, from_start=False, new=False)


def stream_of(account: Account) -> Stream:
    """Return a recurring payment of a stored account. The caller adds it."""
    return Stream(
        user_id=account.user_id,
        item_id=account.item_id,
        account_id=account.id,
        plaid_stream_id="stream",
        direction="out",
        description="Rent of Platypus",
        frequency="MONTHLY",
        first_date=date(2026, 1, 1),
        last_date=date(2026, 2, 1),
        average_amount=Decimal(1),
        last_amount=Decimal(1),
        status="MATURE",
        is_active=True,
        updated_at=now(),
    )


def delete_everything() -> None:
    """Delete all rows. The caller commits."""
    for table in reversed(db.metadata.sorted_tables):
        db.session.execute(table.delete())


def empty_postgresql() -> None:
    """Delete all rows and restart ids at 1, in one call. TRUNCATE takes a tenth of a second.

    As on a replica, no foreign key is checked: that takes longer than to delete the rows.

    A table that was looked at while it was empty counts as empty until PostgreSQL looks again, and
    queries of many rows get the plans of none. So tables count as new.
    """
    tables = [table.fullname for table in reversed(db.metadata.sorted_tables)]
    statements = ["SET LOCAL session_replication_role = replica"]
    statements += [f'DELETE FROM "{table}"' for table in tables]  # noqa: S608 our own names
    statements += ["SELECT setval(seqrelid::regclass, 1, false) FROM pg_sequence"]
    looked_at = "relnamespace = 'public'::regnamespace AND relkind = 'r' AND reltuples >= 0"
    statements += [f"UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE {looked_at}"]  # noqa: S608
    with db.engine.begin() as connection:
        connection.exec_driver_sql("; ".join(statements))


def copy_of(row_id: int, **changes: object) -> Insert:
    """Return the statement that adds a copy of a stored row, with some of its columns changed."""
    columns = Transaction.__table__.columns
    copied = {each.name: each for each in columns if each.name != "id" and not each.computed}
    given = {name: literal(value, columns[name].type) for name, value in changes.items()}
    rows = select(*(copied | given).values()).where(Transaction.id == row_id)
    return insert(Transaction).from_select(list(copied), rows)
