"""Moving accounts from one Item to another, with a note of what they were at the one they leave."""

from collections.abc import Iterable, Mapping
from typing import cast

import msgspec
from sqlalchemy import Table, bindparam, func, select, update

from plaidapp.bank.payloads import Balances, PlaidAccount
from plaidapp.extensions import db

from ..base.types import now
from ..base.upsert import upsert
from ..base.writes import in_batches
from .accounts import TABLE, Account
from .former_accounts import FormerAccount

_MOVE = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("account_id"))
    .values(
        item_id=bindparam("new_item"),
        plaid_account_id=bindparam("plaid_id"),
        first_id=func.coalesce(TABLE.c.first_id, TABLE.c.plaid_account_id),
    )
)


def move(plaid_ids: Mapping[int, str], item_id: int) -> None:
    """Move accounts, given by our ids, to the Item that calls them by these ids of Plaid's."""
    for ids in in_batches(sorted(plaid_ids)):
        leaving = db.session.scalars(
            select(Account).where(Account.id.in_(ids)),
            execution_options={"populate_existing": True},
        ).all()
        note_leaving(leaving)
        values = [
            {"account_id": number, "new_item": item_id, "plaid_id": plaid_ids[number]}
            for number in ids
        ]
        db.session.connection().execute(_MOVE, values)


def note_leaving(leaving: Iterable[Account]) -> None:
    """Note that these accounts leave their Items, and what they are there."""
    moment = now()
    upsert(
        cast(Table, FormerAccount.__table__),
        ("item_id", "plaid_account_id"),
        [
            {
                "item_id": account.item_id,
                "plaid_account_id": account.plaid_account_id,
                "account_id": account.id,
                "told": told(account),
                "left_at": moment,
                "ended_at": account.closed_at,
                "own_id": account.own_id,
            }
            for account in leaving
        ],
    )


def told(account: Account) -> str:
    """Return the account as the bank named it last, as JSON."""
    balances = Balances(
        account.available,
        account.current,
        account.limit,
        account.iso_currency_code,
        account.unofficial_currency_code,
    )
    sent = PlaidAccount(
        account.plaid_account_id,
        account.type,
        balances,
        account.name,
        account.official_name,
        account.mask,
        account.subtype,
        account.persistent_account_id,
    )
    return msgspec.json.encode(sent).decode()
