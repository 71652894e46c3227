"""The end of update mode: the person has logged in again or chosen accounts at Plaid, or has not.

There is nothing to exchange: the Item and its token stay.
https://plaid.com/docs/link/update-mode/
"""

from plaidapp.bank.error_sentences import UNREADABLE_TOKEN
from plaidapp.bank.errors import GONE, BankError
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store import Item
from plaidapp.store.connections import bank_status, item_states, state_changes
from plaidapp.store.people import activity, users
from plaidapp.store.pulls import pulls

from ..pulls.attempt import Attempt

ERRORS = (item_states.LOGIN_REQUIRED, item_states.ERROR, item_states.REVOKED)


def conclude(
    attempt: Attempt, item_id: int, verdict: BankError | None, *, is_news: bool
) -> BankError | None:
    """Return None if the Item works again, and otherwise the verdict on the session.

    The state clears at once, before the accounts and transactions are read. If the person left, the
    Item may have been repaired all the same, in another tab: then Plaid shows no error any more. So
    it is asked too if the verdict is no news: the Item may have a later error.
    """
    if (verdict or not is_news) and not _was_repaired(attempt, item_id):
        if verdict:
            note_refusal(item_id, verdict)
        return verdict
    mend(db.session.get_one(Item, item_id))
    for pull_item in attempt.pull.items:
        pull_item.phase = pulls.QUEUED
    db.session.commit()
    return None


def note_refusal(item_id: int, error: BankError) -> None:
    """If only a new connection helps, pages say so from now on: Plaid no longer knows the Item, or
    no key decrypts its token."""
    states = dict.fromkeys(GONE, item_states.REVOKED) | {UNREADABLE_TOKEN: item_states.ERROR}
    if state := states.get(error.code):
        item = db.session.get_one(Item, item_id, populate_existing=True)
        state_changes.set_state(item_id, state, error.code, error.message)
        users.ledger_changed(item.user_id)
        db.session.commit()


def mend(item: Item) -> None:
    """End the Item's error, and what else the person was asked to do."""
    state_changes.set_state(item.id, item_states.GOOD, None, None)
    bank_status.save_expiry(item.id, None)
    users.ledger_changed(item.user_id)
    activity.note(item.user_id, activity.Kind.RECONNECTED, item.institution_name or "")
    event("repair", person=users.opaque_id(item.user_id), item=item.id)


def _was_repaired(attempt: Attempt, item_id: int) -> bool:
    item = db.session.get_one(Item, item_id, populate_existing=True)
    had_error, token = item.state in ERRORS, item.token
    db.session.commit()  # hold no transaction while Plaid is asked
    return had_error and attempt.bank.item(token).item.error is None
