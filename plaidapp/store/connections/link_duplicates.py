"""Find the connection that a person would have twice, before a new one is exchanged.

Bank, type, subtype and mask of the accounts are compared; names where there is no mask. All of it
is known before the exchange: https://plaid.com/docs/link/duplicate-items/
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import or_, select

from plaidapp.extensions import db

from ..base.types import now
from .accounts import Account
from .former_accounts import FormerAccount
from .item import Item
from .item_states import OVER
from .link_results import APPROVED, LinkResult
from .link_sessions import LinkSession


class Looks(NamedTuple):
    """What is compared of an account."""

    type: str | None
    subtype: str | None
    mask: str | None
    name: str | None


def like(user_id: int, result: LinkResult, over: Iterable[str] = ()) -> int | None:
    """Return the id of the person's connection that the result looks like, or None.

    It has the same bank and at least one account that looks the same. Where the accounts of either
    are unknown, the bank is enough. Of several, the one with most such accounts, then the newest.
    `over` are the codes of errors that only a new connection ends.
    """
    known = _accounts_of_items(user_id)
    may_go_on = or_(Item.error_code.is_(None), Item.error_code.not_in(over))
    query = select(Item).where(Item.user_id == user_id, Item.state.not_in(OVER), may_go_on)
    matches = [
        (_alike(_looks(result), known.get(item.id) or _of_result(item.id)), item.id)
        for item in db.session.scalars(query)
        if _is_same_bank(result, item)
    ]
    count, item_id = max(matches, default=(0, None))
    return item_id if count else None


def being_exchanged(user_id: int, result: LinkResult) -> LinkSession | None:
    """Return the session of another result of the person's that looks the same and may still
    become an Item."""
    query = select(LinkResult, LinkSession).join(
        LinkSession, LinkSession.id == LinkResult.session_id
    )
    may_become = LinkResult.state == APPROVED, LinkResult.expires_at > now()
    others = query.where(LinkSession.user_id == user_id, LinkResult.id != result.id, *may_become)
    for other, session in db.session.execute(others):
        if _is_same_bank(result, other) and _alike(_looks(result), _looks(other)):
            return session
    return None


def _is_same_bank(result: LinkResult, other: Item | LinkResult) -> bool:
    """By id, or by name: some banks have several ids. An unknown bank may be any."""
    ids = result.institution_id, other.institution_id
    names = (result.institution_name or "").casefold(), (other.institution_name or "").casefold()
    if all(ids) and ids[0] == ids[1]:
        return True
    return names[0] == names[1] if all(names) else not all(ids)


def _alike(ones: Sequence[Looks], others: Sequence[Looks]) -> int:
    """Return how many of the accounts look the same as one of the others, 1 if none are known."""
    if not ones or not others:
        return 1
    return sum(any(_look_same(one, other) for other in others) for one in ones)


def _look_same(one: Looks, other: Looks) -> bool:
    for ours, theirs in ((one.type, other.type), (one.subtype, other.subtype)):
        if ours and theirs and ours != theirs:
            return False
    if one.mask or other.mask:
        return one.mask == other.mask
    return (one.name or "").casefold() == (other.name or "").casefold()


def _accounts_of_items(user_id: int) -> dict[int, list[Looks]]:
    """Return the open accounts that each of the person's Items lists."""
    columns = Account.type, Account.subtype, Account.mask, Account.name
    theirs = Account.user_id == user_id, Account.closed_at.is_(None)
    own = select(Account.item_id, *columns).where(*theirs)
    shared = select(FormerAccount.item_id, *columns).join(
        Account, Account.id == FormerAccount.account_id
    )
    shared = shared.where(*theirs, FormerAccount.ended_at.is_(None))
    return _by_item([*db.session.execute(own), *db.session.execute(shared)])


def _by_item(rows: Iterable[Sequence[object]]) -> dict[int, list[Looks]]:
    found: dict[int, list[Looks]] = {}
    for item_id, *looks in rows:
        found.setdefault(item_id, []).append(Looks(*looks))  # type: ignore[arg-type]
    return found


def _of_result(item_id: int) -> Sequence[Looks]:
    """Return the accounts that the person chose when they connected an Item, if that is known."""
    query = select(LinkResult).where(LinkResult.item_id == item_id).limit(1)
    result = db.session.scalars(query).first()
    return _looks(result) if result else ()


def _looks(result: LinkResult) -> list[Looks]:
    return [Looks(a.type, a.subtype, a.mask, a.name) for a in result.linked_accounts]
