"""Two stored accounts that are the same one become one account, and two again if they are not.

The one with the lower id stays: programs know it by that id. It is read from the Item that leads;
the other Item stands by (standby.py). The transactions are merged and separated by
transactions/merged_rows.py. The ledger is locked meanwhile.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, delete, func, insert, literal, select, update

from plaidapp.bank.payloads import PlaidAccount
from plaidapp.extensions import db

from ..base.writes import write
from ..people import users
from . import account_moves, balances, former_accounts, item_states
from .accounts import TABLE, Account
from .balances import BANK, Balance
from .former_accounts import FormerAccount
from .item import Item

READ = (
    *("item_id", "plaid_account_id", "name", "official_name", "mask", "persistent_account_id"),
    *("type", "subtype", "available", "current", "limit", "iso_currency_code"),
    *("unofficial_currency_code", "updated_at", "closed_at"),
)
"""The columns that an account has from the Item that it is read from."""


class Sides(NamedTuple):
    """The parts of a merged account.

    `leaving` has the Items of the part that becomes an account again, with the id `own_id` if it
    had one of its own. `former` is the Item that one part goes back to: the part that leaves if the
    present Item is of the part that `stays`, and otherwise the part that keeps the id. `left_at`
    says since when the rows of each other Item are compared with those of the present one.
    """

    leaving: frozenset[int]
    own_id: int | None
    former: FormerAccount
    stays: bool
    left_at: Mapping[int, datetime]


def mergeable(user_id: int) -> set[int]:
    """Return the person's accounts of whose type another Item has an open one."""
    theirs = select(Account.type, Account.item_id).where(Account.user_id == user_id)
    items_of = defaultdict[str, set[int]](set)
    for kind, item_id in db.session.execute(theirs.where(Account.closed_at.is_(None)).distinct()):
        items_of[kind].add(item_id)
    rows = db.session.execute(theirs.add_columns(Account.id))
    return {ours for kind, item_id, ours in rows if items_of[kind] - {item_id}}


def owned(account_id: int, user_id: int) -> Account | None:
    return db.session.scalar(
        select(Account).where(Account.id == account_id, Account.user_id == user_id)
    )


def item_ids(account: Account) -> set[int]:
    """Return the Items that name or named the account."""
    return {account.item_id, *(each.item_id for each in former_accounts.of_account(account.id))}


def in_order(one: Account, other: Account) -> tuple[Account, Account, bool]:
    """Return the account that stays, the one that joins it, and whether the latter's Item leads.

    The newer Item leads, unless only the older one reports.
    """
    kept, joining = sorted((one, other), key=lambda account: account.id)
    query = select(Item.id, Item.state).where(Item.id.in_((kept.item_id, joining.item_id)))
    states = {item_id: state for item_id, state in db.session.execute(query)}  # noqa: C416

    def rank(account: Account) -> tuple[bool, bool, int]:
        reports = states[account.item_id] in item_states.REPORTING
        return account.closed_at is None, reports, account.item_id

    return kept, joining, rank(joining) > rank(kept)


def merge(kept: Account, joining: Account, *, joining_leads: bool) -> None:
    """Make them one account, after transactions and recurring payments have moved to `kept`.

    It stays as the person has arranged it, and takes the other's nickname if it has none.
    """
    account_moves.note_leaving([kept if joining_leads else joining])
    write(
        update(FormerAccount)
        .where(FormerAccount.account_id == joining.id)
        .values(account_id=kept.id, own_id=func.coalesce(FormerAccount.own_id, joining.id))
    )
    _add_balances(kept.id, joining.id, joining_leads=joining_leads)
    values = {name: getattr(joining, name) for name in READ} if joining_leads else {}
    values["nickname"] = kept.nickname or joining.nickname
    write(delete(Account).where(Account.id == joining.id))
    db.session.expunge(joining)
    if joining_leads:
        first_id = func.coalesce(TABLE.c.first_id, TABLE.c.plaid_account_id)
        values |= {"first_id": first_id, "own_id": joining.id}
    write(update(TABLE).where(TABLE.c.id == kept.id).values(values))
    db.session.expire(kept)


def _add_balances(kept_id: int, joining_id: int, *, joining_leads: bool) -> None:
    """Give the account that stays the reported balances of both. On one day, the leader's count."""
    of_kept, of_joining = Balance.account_id == kept_id, Balance.account_id == joining_id
    reported = Balance.source == BANK
    write(delete(Balance).where(of_kept, ~reported))  # derived.rebuild computes them again
    if joining_leads:
        days = select(Balance.date).where(of_joining, reported)
        write(delete(Balance).where(of_kept, Balance.date.in_(days)))
    days = select(Balance.date).where(of_kept)
    _copy_balances(kept_id, of_joining, reported, Balance.date.not_in(days))


def _copy_balances(account_id: int, *conditions: ColumnElement[bool]) -> None:
    """Copy what the bank reported; derived.rebuild computes the rest again."""
    rows = select(literal(account_id), Balance.date, balances.SAID, Balance.source)
    columns = ["account_id", "date", "current", "source"]
    write(insert(Balance).from_select(columns, rows.where(*conditions)))


def sides(account: Account) -> Sides | None:
    """Return how the account would be separated, or None if it was never merged or reconnected."""
    former = former_accounts.of_account(account.id)
    if not former:
        return None
    own_id = account.own_id or next((each.own_id for each in former if each.own_id), None)
    left_at = {each.item_id: each.left_at for each in former if each.left_at}
    joined = [each for each in former if own_id and each.own_id == own_id]
    if joined and not account.own_id:
        return Sides(frozenset(each.item_id for each in joined), own_id, joined[0], True, left_at)
    others = [each for each in former if each not in joined]
    leaving = {account.item_id, *(each.item_id for each in joined if others)}
    return Sides(frozenset(leaving), own_id, (others or former)[0], False, left_at)


def separate(account: Account, parts: Sides) -> Account:
    """Return the account of the part that leaves. Transactions are separated by the caller."""
    read = {name: getattr(account, name) for name in READ}
    back = _as_told(parts.former, read)
    write(
        delete(FormerAccount).where(
            FormerAccount.item_id == parts.former.item_id,
            FormerAccount.plaid_account_id == parts.former.plaid_account_id,
        )
    )
    if not parts.stays:
        own_id = None if parts.former.own_id == parts.own_id else parts.former.own_id
        write(update(TABLE).where(TABLE.c.id == account.id).values(**back, own_id=own_id))
    left = Account(
        id=_if_free(parts.own_id),
        user_id=account.user_id,
        first_id=_first_id(account.id, parts),
        is_hidden=account.is_hidden,
        position=account.position,
        **(back if parts.stays else read),
    )
    db.session.add(left)
    db.session.flush()
    write(
        update(FormerAccount)
        .where(FormerAccount.account_id == account.id, FormerAccount.item_id.in_(parts.leaving))
        .values(account_id=left.id, own_id=None)
    )
    _separate_balances(account, left.id, parts, back["current"])
    db.session.expire(account)
    return left


def _as_told(former: FormerAccount, read: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of an account as its former Item named it, as far as that is known."""
    values = {**read, "item_id": former.item_id, "plaid_account_id": former.plaid_account_id}
    values["closed_at"] = former.ended_at
    if former.told:
        sent = msgspec.json.decode(former.told, type=PlaidAccount)
        named = {**msgspec.structs.asdict(sent), **msgspec.structs.asdict(sent.balances)}
        values |= {name: named[name] for name in READ if name in named}
        values["updated_at"] = former.left_at
    return values


def _if_free(account_id: int | None) -> int | None:
    """Return the id, unless SQLite has given it to another account."""
    taken = db.session.scalar(select(Account.id).where(Account.id == account_id))
    return None if taken else account_id


def _first_id(account_id: int, parts: Sides) -> str | None:
    """Return Plaid's id of the part that leaves at the first of its Items, if there were others."""
    query = select(FormerAccount.plaid_account_id).where(
        FormerAccount.account_id == account_id, FormerAccount.item_id.in_(parts.leaving)
    )
    return db.session.scalar(query.order_by(FormerAccount.left_at).limit(1))


def _separate_balances(
    account: Account, left_id: int, parts: Sides, current: Decimal | None
) -> None:
    """Since the parts are together, the balances that were reported are the leader's."""
    moment = parts.former.left_at
    if moment is None:  # from before it was stored
        return
    since = moment.astimezone(users.zone_of(account.user_id)).date()
    if not parts.stays:
        _copy_balances(left_id, Balance.account_id == account.id, Balance.date >= since)
        write(delete(Balance).where(Balance.account_id == account.id, Balance.date >= since))
    if current is not None:
        balances.record(since, {left_id if parts.stays else account.id: current})
