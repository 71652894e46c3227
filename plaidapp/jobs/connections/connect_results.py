"""Exchange what the person connected in Link, unless they seem to have it already.

A connection that looks like another one is held before anything is exchanged: a second Item at the
same bank costs money, and at some banks it breaks the first one.
https://plaid.com/docs/link/duplicate-items/
"""

from plaidapp import policy
from plaidapp.bank import error_sentences, errors
from plaidapp.bank.errors import BankError
from plaidapp.bank.link_calls import Connection
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store import Item, LinkResult, LinkSession, PullItem
from plaidapp.store.base.types import now
from plaidapp.store.connections import items, link_duplicates, link_results, link_sessions
from plaidapp.store.people import users
from plaidapp.store.pulls import link_pulls, pulls

from ..pulls.attempt import Attempt
from . import item_state
from .connect import EXPIRED


def connect_results(attempt: Attempt, session: LinkSession) -> None:
    """Hold or exchange each connection of the session that is not yet.

    Raises BankError, after it has tried every one.
    """
    problems = []
    for result in link_results.of_session(session.id):
        state = result.state
        if state == link_results.FOUND:
            state = _compare(attempt, session, result)
        if state == link_results.APPROVED:
            try:
                _exchange(attempt, session, result)
            except BankError as error:
                problems.append(error)
    if problems:
        raise errors.worst(problems)


def approve(session: LinkSession, result_id: int | None) -> bool:
    """Have what is held exchanged, or one of it: the person wants it. False if it is too late.

    A pull that is about to end sees the request to look, and goes on.
    """
    if not link_results.approve_held(session.id, result_id):
        return False
    link_sessions.request_look(session.id)
    link_pulls.revive(session.pull_id or 0)
    return True


def _compare(attempt: Attempt, session: LinkSession, result: LinkResult) -> str:
    """Decide whether the person has this connection already, and return the result's new state.

    It stays FOUND while one like it is being exchanged, which is tried again if it has failed:
    Plaid may have made that Item. One session at a time decides for a person, so that two can't
    both find nothing.
    """
    users.lock_ledger(session.user_id)
    like = _like(attempt, result, session.user_id)
    state = link_results.HELD if like else link_results.APPROVED
    other = None if like else link_duplicates.being_exchanged(session.user_id, result)
    if other:
        state = link_results.FOUND
        had_failed = link_pulls.revive(other.pull_id or 0)
        wait = policy.LINK_LOOK_INTERVAL if had_failed else policy.LINK_RETURN_INTERVAL
        attempt.waits_until = now() + wait
    link_results.change(result.id, link_results.FOUND, state=state, like_item_id=like)
    db.session.refresh(result)
    db.session.commit()
    return result.state


def _like(attempt: Attempt, result: LinkResult, user_id: int) -> int | None:
    """Return the id of the person's connection that the result looks like, or None.

    One whose token no key decrypts can't be logged in to again, so the new one replaces it.
    """
    while like := link_duplicates.like(user_id, result, error_sentences.OVER):
        if attempt.bank.can_read(db.session.get_one(Item, like).token):
            return like
        item_state.set_error(like, errors.unreadable_token())
    return None


def _exchange(attempt: Attempt, session: LinkSession, result: LinkResult) -> None:
    """Exchange the public token and add the Item to the pull. Raises BankError.

    If a worker dies before it has stored the Item, the next one repeats the exchange: until the
    public token expires, Plaid answers with the same Item. It is lost only if Plaid does not know
    it, or if it can't be exchanged until it has expired.
    """
    db.session.commit()  # hold no transaction while Plaid is asked
    try:
        user_id = session.user_id
        connection = attempt.bank.exchange_sealed(user_id, result.token_of(user_id))
    except BankError as error:
        if error.code != EXPIRED and result.may_be_exchanged:
            raise
        state, was = link_results.LOST, link_results.APPROVED
        link_results.change(result.id, was, state=state, sealed_token=None)
        db.session.commit()
        return
    link_sessions.lock(session.id)  # a worker that counted as dead may be storing it too
    item = _store(session.user_id, result, connection)
    state = link_results.EXCHANGED
    link_results.change(result.id, state=state, sealed_token=None, item_id=item.id)
    pull_item = link_pulls.find_item(attempt.pull.id, item.id) or PullItem(item=item)
    if pull_item not in attempt.pull.items:
        attempt.pull.items.append(pull_item)
    opaque_id = users.opaque_id(user_id)
    item_id = item.id
    attempt.report(pull_item, stored=True, phase=pulls.ASKING)
    event("connect", person=opaque_id, item=item_id)


def _store(user_id: int, result: LinkResult, connection: Connection) -> Item:
    """Add the Item, or return the one that is stored already."""
    known = items.by_plaid_id(connection.plaid_item_id)
    return known or items.add(
        user_id=user_id,
        plaid_item_id=connection.plaid_item_id,
        institution_id=result.institution_id,
        institution_name=result.institution_name,
        access_token=connection.token.value,
        is_separate=result.like_item_id is not None,
        sync_requested=1,
    )
