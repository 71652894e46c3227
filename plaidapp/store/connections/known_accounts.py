"""What is stored of the accounts that an Item may name, in one query: each sync asks."""

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from sqlalchemy import BindParameter, CompoundSelect, bindparam, literal, null, select, union_all

from plaidapp.extensions import db

from .accounts import Account
from .former_accounts import FormerAccount


class Known(NamedTuple):
    """`ids` are our ids of the Item's accounts by Plaid's, and `departed` are Plaid's ids of those
    that are read from another Item. `former` are the Items that its accounts came from.
    """

    ids: Mapping[str, int]
    departed: Set[str]
    former: Sequence[int]


_ITEM: BindParameter[int] = bindparam("item_id")
_READ_HERE, _DEPARTED, _FORMER = range(3)
_KNOWN: CompoundSelect[int, str, int] = union_all(
    select(literal(_READ_HERE), Account.plaid_account_id, Account.id).where(
        Account.item_id == _ITEM
    ),
    select(literal(_DEPARTED), FormerAccount.plaid_account_id, null()).where(
        FormerAccount.item_id == _ITEM
    ),
    select(literal(_FORMER), null(), FormerAccount.item_id)
    .join(Account, Account.id == FormerAccount.account_id)
    .where(Account.item_id == _ITEM, FormerAccount.item_id != _ITEM)
    .distinct(),
)


def of_item(item_id: int) -> Known:
    ids: dict[str, int] = {}
    departed: set[str] = set()
    former: list[int] = []
    for kind, plaid_id, number in db.session.execute(_KNOWN, {"item_id": item_id}):
        if kind == _READ_HERE:
            ids[plaid_id] = number
        elif kind == _DEPARTED:
            departed.add(plaid_id)
        else:
            former.append(number)
    return Known(ids, departed, former)
