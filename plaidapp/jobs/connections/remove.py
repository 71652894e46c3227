"""End at Plaid the connection of an Item that was disconnected, or that another one replaced."""

from plaidapp.events import event
from plaidapp.store import PullItem
from plaidapp.store.connections import disconnection
from plaidapp.store.people import users
from plaidapp.store.pulls import pulls

from ..pulls.attempt import Attempt
from .delete_history import delete_history


def remove(attempt: Attempt, pull_item: PullItem) -> None:
    """Delete the history if the person wants that, remove the Item at Plaid, and forget its token.

    Raises BankError. Until Plaid confirms, the token is kept: the pull is tried again. Do nothing
    if a replaced Item has an account of its own again: the two were not the same.
    """
    item = pull_item.item
    if not disconnection.is_to_be_removed(item):
        attempt.report(pull_item, phase=pulls.DONE)
        return
    attempt.report_asking(pull_item)
    if item.deletes_history:
        delete_history(attempt, pull_item)
    if item.access_token:
        attempt.bank.remove(item.token)
    disconnection.confirm(item.id, is_deleted=item.deletes_history)
    event("disconnected", person=users.opaque_id(item.user_id), item=item.id)
    attempt.report(pull_item, stored=True, phase=pulls.DONE)
