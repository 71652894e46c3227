"""Delete everything of a person: at once what names them, then in parts what is stored of them.

The Items end at Plaid, which is told until it confirms. Until then only their sealed access tokens
are kept, with a row of the person that says nothing.
"""

import threading

from plaidapp import policy
from plaidapp.bank import errors
from plaidapp.bank.errors import BankError
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store import Item, LinkSession, Pull, PullItem, User
from plaidapp.store.base import owned_rows
from plaidapp.store.base.types import now
from plaidapp.store.connections import items
from plaidapp.store.connections import leaving as leaving_banks
from plaidapp.store.people import leaving, users
from plaidapp.store.pulls import kinds, pulls
from plaidapp.store.pulls import leaving as leaving_pulls

from ..pulls.attempt import Attempt
from .unfinished_links import exchange_all

KEPT = {model.__table__ for model in (User, Item, PullItem)}
"""Tables whose rows go last: Items when Plaid has confirmed, all others with the person."""


def begin(user_id: int) -> Pull | None:
    """Forget who the person is, and return the pull to ring for after the commit.

    They are logged out, nobody can log in as them, and no worker stores anything of theirs from
    here on. None if that has been done before.
    """
    users.lock_ledger(user_id)
    items.lock_all(user_id)
    opaque_id = users.opaque_id(user_id)
    if not leaving.begin(user_id):
        return None
    leaving_banks.forget_items(user_id)
    leaving_banks.close_links(user_id)
    pull = pulls.add(user_id, kinds.ERASE)
    leaving_pulls.end_others(user_id, pull.id)
    event("delete_everything", person=opaque_id)
    return pull


def erase(attempt: Attempt) -> None:
    """Delete the person's rows, end their Items at Plaid, and delete the rest.

    Raises BankError, after every Item was tried. If the worker dies, the next one goes on.
    """
    pull, bank = attempt.pull, attempt.bank
    user_id = pull.user_id
    leaving_pulls.end_others(user_id, pull.id)
    is_busy = leaving_pulls.others_run(user_id, pull.id)
    delete_rows(user_id, pull.id)
    problems = [] if is_busy else exchange_all(bank, user_id)
    users.lock_ledger(user_id)
    leaving_banks.forget_items(user_id)  # those that were exchanged meanwhile too
    db.session.commit()
    for item in leaving_banks.items_of(user_id):
        try:
            _end(attempt, item)
        except BankError as error:
            problems.append(error)
    if problems:
        raise errors.worst(problems)
    if is_busy:
        attempt.waits_until = now() + policy.LINK_RETURN_INTERVAL
        return
    delete_rows(user_id, pull.id)
    users.lock_ledger(user_id)
    leaving.end(user_id)
    attempt.vanish()
    event("deleted_everything")


def _end(attempt: Attempt, item: Item) -> None:
    """End the Item at Plaid and forget it. Raises BankError."""
    db.session.commit()  # hold no transaction while Plaid is asked
    if item.access_token:
        attempt.bank.remove(item.token)
    leaving_banks.forget_item(item.id)
    db.session.commit()


def delete_rows(user_id: int, pull_id: int) -> None:
    """Delete the person's rows, but for what Plaid has to be told with, and this pull.

    Each part is a transaction of its own, with a pause after it: SQLite has one writer.
    """
    conditions = {
        Pull.__table__: leaving_pulls.is_needless(pull_id),
        LinkSession.__table__: leaving_banks.is_needless(),
    }
    for table in reversed(owned_rows.tables()):
        if table in KEPT or not owned_rows.is_near(table):
            continue
        condition = [conditions[table]] if table in conditions else []
        while True:
            users.lock_ledger(user_id)
            rows = owned_rows.delete_some(table, user_id, policy.DELETE_BATCH, *condition)
            db.session.commit()
            if rows < policy.DELETE_BATCH:
                break
            threading.Event().wait(policy.DELETE_PAUSE)
