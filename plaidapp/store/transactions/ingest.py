"""Store the transactions that the bank sends, as flat rows that the database driver takes as is.

A payload becomes such a row when it arrives, and the spool holds it. What searches and sorting
need is added last, row by row: PostgreSQL stores the rows before in the meantime.
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Table

from plaidapp.bank import payloads

from ..base.search_terms import pairs_of, sort_key
from ..base.types import units
from ..base.upsert import upsert_many
from .transactions import Transaction


class Row(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A transaction in the order of its columns, with Plaid's id of the account.

    `amount` is in units of 10^-8 with Plaid's sign, and the dates are in ISO format. `page` is the
    number of the page of the update that it came in.
    """

    plaid_account_id: str
    plaid_transaction_id: str
    pending_transaction_id: str | None
    date: str
    authorized_date: str | None
    amount: int
    iso_currency_code: str | None
    unofficial_currency_code: str | None
    name: str
    merchant_name: str | None
    category_primary: str | None
    category_detailed: str | None
    category_version: str | None
    payment_channel: str | None
    pending: bool
    page: int

    @property
    def day(self) -> datetime.date:
        return datetime.date.fromisoformat(self.date)


COLUMNS = ("account_id", *Row.__struct_fields__[1:-1], "title_key", "pairs", "page_id")


def row_of(sent: payloads.PlaidTransaction, page: int) -> Row:
    title, category = sent.title, sent.category
    return Row(
        sent.account_id,
        sent.transaction_id,
        sent.pending_transaction_id,
        sent.date.isoformat(),
        sent.authorized_date.isoformat() if sent.authorized_date else None,
        units(sent.amount),
        sent.iso_currency_code,
        sent.unofficial_currency_code,
        title,
        sent.merchant_name,
        category.primary if category else None,
        category.detailed if category else None,
        category.version if category else None,
        sent.payment_channel,
        sent.pending,
        page,
    )


def save(
    user_id: int,
    item_id: int,
    account_ids: Mapping[str, int],
    page_ids: Sequence[int | None],
    rows: Iterable[Row],
    *,
    from_start: bool,
    new: bool,
) -> None:
    """Add or update the rows that the bank sent. If a row comes twice, the later one counts.

    `page_ids` has the stored id of each page of the update (raw_pages.py). `from_start` means that
    the Item is read from the beginning, and that a row which differs only in its page is unchanged.
    `new` means that probably none of the rows is stored yet: see `upsert_many`. The caller has
    locked the ledger (users.lock_ledger). Raises KeyError for an account that is not stored.
    """
    final = {row.plaid_transaction_id: row for row in rows}
    if not final:
        return

    def finished() -> Iterator[tuple[Any, ...]]:
        for row in final.values():
            yield (
                account_ids[row.plaid_account_id],
                *astuple(row)[1:-1],
                sort_key(row.merchant_name or row.name),
                pairs_of(row.merchant_name, row.name),
                page_ids[row.page],
            )

    upsert_many(
        cast(Table, Transaction.__table__),
        ("item_id", "plaid_transaction_id"),
        {"user_id": user_id, "item_id": item_id, "removed_at": None},
        COLUMNS,
        finished,
        ignoring=("page_id",) if from_start else (),
        new=new,
    )
