"""End, at Plaid, the connection of an Item that another Item has replaced."""

from plaidapp.store import PullItem
from plaidapp.store.connections import items
from plaidapp.store.pulls import pulls

from ..pulls.attempt import Attempt


def remove(attempt: Attempt, pull_item: PullItem) -> None:
    """Remove the Item at Plaid and forget its access token. Raises BankError.

    Do nothing if the Item has an account of its own again: the two were not the same.
    """
    if not items.is_replaced(pull_item.item_id):
        attempt.report(pull_item, phase=pulls.DONE)
        return
    attempt.bank.remove(pull_item.item.access_token)
    items.forget_token(pull_item.item_id)
    attempt.report(pull_item, phase=pulls.DONE)
