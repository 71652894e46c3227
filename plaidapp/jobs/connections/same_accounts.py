"""Decide which stored accounts are the same one; merge them, or separate them again.

What a bank lists is often not enough to tell (store/connections/recognition.py). Then transactions
are compared once they are stored. What they don't decide, the person is asked. The caller has
locked the ledger (users.lock_ledger).
"""

from collections import Counter
from enum import Enum

from plaidapp.extensions import db
from plaidapp.store import Account, Item
from plaidapp.store.connections import (
    account_questions,
    disconnection,
    former_accounts,
    item_states,
    items,
    merged_accounts,
    recognition,
    reconnected_accounts,
    state_changes,
)
from plaidapp.store.connections.recognition import StoredAccount
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls
from plaidapp.store.recurring import save_streams
from plaidapp.store.reports import derived
from plaidapp.store.transactions import common_rows, merged_rows
from plaidapp.store.transactions.common_rows import Evidence

from ..pulls import item_requests


class Verdict(Enum):
    SAME, ASK, DIFFERENT = range(3)


def decide(user_id: int, item_id: int, *, is_complete: bool) -> None:
    """Merge accounts of this Item with others that are the same, or ask where that is not clear.

    `is_complete` says that the bank has sent the whole history, so no more evidence will come.
    """
    undecided = _undecided(user_id, item_id)
    evidence = {pair: common_rows.compare(pair[0].id, pair[1].id) for pair in undecided}
    verdicts = {pair: _verdict(*pair, found) for pair, found in evidence.items()}
    same = [pair for pair, verdict in verdicts.items() if verdict is Verdict.SAME]
    times = Counter(account.id for pair in same for account in pair)
    merged = set[StoredAccount]()
    for pair in same:
        is_only_one = all(times[account.id] == 1 for account in pair)
        if (is_only_one or _has_same_id(*pair)) and merged.isdisjoint(pair):
            _merge_found(*pair)
            merged.update(pair)
    for (one, other), verdict in verdicts.items():
        if verdict is Verdict.DIFFERENT:
            account_questions.withdraw((one.id, other.id))
        elif is_complete and merged.isdisjoint((one, other)):
            account_questions.ask(user_id, (one.id, other.id), evidence[one, other].common)


def _undecided(user_id: int, item_id: int) -> list[tuple[StoredAccount, StoredAccount]]:
    """Return pairs of accounts that look alike and have not been found to be different.

    This Item's are open. The others may be those of a bank that the person had disconnected, but
    not those that they connected separately on purpose.
    """
    stored = reconnected_accounts.stored_accounts(
        Account.user_id == user_id,
        disconnection.is_open_or_kept(),
        reconnected_accounts.is_not_separate(),
    )
    pairs = recognition.look_alikes(stored, item_id)
    known = account_questions.different_pairs(user_id) if pairs else ()
    return [(one, other) for one, other in pairs if (one.id, other.id) not in known]


def _verdict(one: StoredAccount, other: StoredAccount, rows: Evidence) -> Verdict:
    """Judge two look-alikes. If their masks differ, only equal rows make them worth a question."""
    is_same_bank = one.institution_id == other.institution_id is not None
    if _has_same_id(one, other):
        return Verdict.SAME
    if (one.mask or None) != (other.mask or None):
        return Verdict.ASK if rows.is_same else Verdict.DIFFERENT
    if rows.comparable:
        if rows.is_same and is_same_bank and one.mask:
            return Verdict.SAME
        return Verdict.ASK if rows.common else Verdict.DIFFERENT
    is_equal = one.name == other.name and one.current == other.current is not None
    return Verdict.ASK if one.mask and (is_same_bank or is_equal) else Verdict.DIFFERENT


def _has_same_id(one: StoredAccount, other: StoredAccount) -> bool:
    return bool(one.persistent_account_id) and (
        one.persistent_account_id == other.persistent_account_id
    )


def _merge_found(one: StoredAccount, other: StoredAccount) -> None:
    """Merge two accounts as if the second had been recognized when it was listed."""
    merge(db.session.get_one(Account, one.id), db.session.get_one(Account, other.id))
    reconnected_accounts.replace_empty({one.item_id, other.item_id})


def may_merge(one: Account, other: Account) -> bool:
    """Return False if a connection lists both: a bank lists each account once."""
    return merged_accounts.item_ids(one).isdisjoint(merged_accounts.item_ids(other))


def merge(one: Account, other: Account) -> Account:
    """Make two accounts of a person one account, and return it. No row or edit is lost."""
    kept, joining, joining_leads = merged_accounts.in_order(one, other)
    leader = (joining if joining_leads else kept).item_id
    merged_rows.merge(kept.id, joining.id, leader)
    save_streams.move(joining.id, kept.id)
    merged_accounts.merge(kept, joining, joining_leads=joining_leads)
    derived.rebuild([kept.id])
    users.ledger_changed(kept.user_id)
    return kept


def separate(account: Account) -> Account | None:
    """Separate an account that was merged or reconnected. Return the one that leaves it.

    Each has every row that its Items have named. Returns None if there is nothing to separate.
    """
    parts = merged_accounts.sides(account)
    if parts is None:
        return None
    left = merged_accounts.separate(account, parts)
    merged_rows.separate(account.id, left.id, parts)
    save_streams.move(account.id, left.id, parts.leaving)
    derived.rebuild([account.id, left.id])
    account_questions.note_different(account.user_id, (account.id, left.id))
    _read_again(parts.former.item_id)
    users.ledger_changed(account.user_id)
    return left


def _read_again(item_id: int) -> None:
    """Read an Item from the beginning: what it sent while its account was elsewhere is missing."""
    state_changes.revive(item_id)
    items.read_again(item_id)
    item = db.session.get_one(Item, item_id, populate_existing=True)
    if item.state not in item_states.NOT_SYNCED:
        item_requests.sync(item, pulls.CLOCK)


def separate_mistaken(item_id: int) -> None:
    """Separate accounts that were taken for an earlier Item's but have different rows."""
    mistaken = [
        account
        for account in former_accounts.only_recognized(item_id)
        if common_rows.contradict(account.id, item_id)
    ]
    for account in mistaken:
        separate(account)


def remove_replaced(item_id: int) -> None:
    """Have Items removed at Plaid once this one has all of their accounts and rows."""
    item_requests.remove(former_accounts.replaced_items(item_id))
