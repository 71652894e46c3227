"""Test data for somebody who wants to look around: one of the banks in Plaid's sandbox."""

from plaidapp.store.pulls import kinds, pulls

from . import queue

FIRST_PLATYPUS_BANK = "ins_109508"


def begin(user_id: int) -> None:
    """Connect the bank as Plaid's usual test user. Commits, and rings the queue."""
    queue.ring(pulls.add(user_id, kinds.LINK, institution_id=FIRST_PLATYPUS_BANK))
