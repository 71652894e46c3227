"""Which stored account a newly listed one certainly is. Where two could be meant, none is.

A persistent id decides, whichever bank lists it. Plaid has it for a few banks only:
https://plaid.com/docs/api/accounts/#accounts-get-response-accounts-persistent-account-id
Without it, an account is recognized by type, subtype, mask and name together.
"""

import string
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import product
from typing import NamedTuple, Protocol, TypeVar

from plaidapp.bank import payloads


class Features(Protocol):
    """What a stored account and one that the bank lists are compared by."""

    @property
    def persistent_account_id(self) -> str | None: ...
    @property
    def type(self) -> str: ...
    @property
    def subtype(self) -> str | None: ...
    @property
    def mask(self) -> str | None: ...
    @property
    def name(self) -> str: ...


class StoredAccount(NamedTuple):
    """What is needed to recognize an account. `current` is its balance."""

    id: int
    item_id: int
    institution_id: str | None
    is_closed: bool
    persistent_account_id: str | None
    type: str
    subtype: str | None
    mask: str | None
    name: str
    current: Decimal | None


NO_DIGITS = str.maketrans("", "", string.digits)
MOST_ALIKE = 20
"""If more accounts than this look alike, their looks say nothing."""

Pair = tuple[StoredAccount, payloads.PlaidAccount]
A = TypeVar("A", bound=Features)


def certain(
    stored: Sequence[StoredAccount],
    listed: Sequence[payloads.PlaidAccount],
    institution_id: str | None,
) -> list[Pair]:
    """Return pairs that are the same account; no account is in two. Open accounts come first.

    `listed` is what the bank `institution_id` lists. Two accounts with different persistent ids are
    never the same.
    """
    of_bank = [account for account in stored if account.institution_id == institution_id]
    found: dict[int, Pair] = {}
    taken: set[str] = set()
    for candidates, key in ((stored, _persistent_id), (of_bank, _description)):
        for closed in (False, True):
            group = [account for account in candidates if account.is_closed == closed]
            for account, sent in _pairs(group, listed, key):
                is_free = account.id not in found and sent.account_id not in taken
                if is_free and not are_different(account, sent):
                    found[account.id] = account, sent
                    taken.add(sent.account_id)
    return list(found.values())


def are_different(one: Features, other: Features) -> bool:
    """Return True if the bank says so: both have a persistent id, and not the same one."""
    ours, theirs = one.persistent_account_id, other.persistent_account_id
    return bool(ours and theirs) and ours != theirs


def look_alikes(
    stored: Sequence[StoredAccount], item_id: int
) -> list[tuple[StoredAccount, StoredAccount]]:
    """Return pairs that may be the same account, the lower id first.

    One of each pair is this Item's and the other is not. They have the same persistent id, or the
    same type, subtype and mask; accounts without a mask have the same name. So have accounts of one
    bank with different masks: a card that was replaced has a new one.
    """
    groups = defaultdict[tuple[Hashable, ...], list[StoredAccount]](list)
    for account in stored:
        if account.persistent_account_id:
            groups[account.persistent_account_id,].append(account)
        groups[_likeness(account)].append(account)
        if account.institution_id and account.mask:
            groups[_likeness_but_for_mask(account)].append(account)
    return sorted(
        {
            (min(one, other), max(one, other))
            for group in groups.values()
            if len(group) <= MOST_ALIKE
            for one, other in product(group, repeat=2)
            if one.item_id == item_id != other.item_id and not are_different(one, other)
        }
    )


def _likeness(account: StoredAccount) -> tuple[Hashable, ...]:
    return account.type, account.subtype, account.mask or None, account.mask or account.name


def _likeness_but_for_mask(account: StoredAccount) -> tuple[Hashable, ...]:
    """Some banks repeat the mask in the name: digits are left out."""
    name = account.name.translate(NO_DIGITS)
    return account.institution_id, account.type, account.subtype, name


def _persistent_id(account: Features) -> Hashable:
    return account.persistent_account_id


def _description(account: Features) -> Hashable:
    """None without a mask: too many accounts are just called "IRA"."""
    return account.mask and (account.type, account.subtype, account.mask, account.name)


def _pairs(
    stored: Iterable[StoredAccount],
    listed: Iterable[payloads.PlaidAccount],
    key: Callable[[Features], Hashable],
) -> Iterator[Pair]:
    ours, theirs = _unique(stored, key), _unique(listed, key)
    return ((ours[value], theirs[value]) for value in ours if value in theirs)


def _unique(listed: Iterable[A], key: Callable[[Features], Hashable]) -> dict[Hashable, A]:
    """Return accounts by their key, without keys that are empty or that several accounts have."""
    groups = defaultdict(list)
    for account in listed:
        groups[key(account)].append(account)
    return {value: group[0] for value, group in groups.items() if value and len(group) == 1}
