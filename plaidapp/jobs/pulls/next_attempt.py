"""When a pull that is not done is tried again: after errors, while banks prepare, if asked anew."""

from collections.abc import Sequence
from datetime import datetime

from plaidapp import policy
from plaidapp.bank.errors import BankError
from plaidapp.store import Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import items, link_sessions, sync_progress
from plaidapp.store.pulls import pulls


def after_failure(pull: Pull, errors: Sequence[BankError]) -> datetime | None:
    """Return when to try again after an attempt that failed; None if the pull fails with it.

    One retryable error is enough for a retry. A pull that persists never fails.
    """
    failures = pull.failures + 1
    waits = [error.wait for error in errors]
    if pull.facts.persists:
        return now() + policy.removal_delay(failures, waits)
    most = policy.max_failures(attended=pull.asked_by == pulls.PERSON)
    if failures < most and any(error.retryable for error in errors):
        return now() + policy.retry_delay(failures, waits)
    return None


def while_preparing(pull: Pull) -> datetime | None:
    """Return when to ask banks again that are still preparing; None if the pull won't wait.

    For transactions that is the same moment for all pulls of an Item.
    """
    preparing = [each.item_id for each in pull.items if each.phase == pulls.PREPARING]
    if not preparing:
        return None
    began, moment = pull.created_at, now()
    planned = sync_progress.next_asked(preparing) if pull.facts.syncs else None
    ask_after = planned or moment + policy.preparing_delay(moment - began)
    return ask_after if ask_after < began + policy.PREPARING_LIMIT else None


def begin_requested(pull: Pull, *, works_on_items: bool) -> bool:
    """Have the Items worked on again that have a newer request than the one that was applied.

    Return True if there are any, or somebody has asked to look at Plaid since. The attempt goes on
    at once, so nothing waits to start. PREPARING stays: a page shows it until there is more to say.
    """
    synced = pull.items if pull.facts.syncs and works_on_items else []
    if synced:
        items.lock_each([each.item_id for each in synced])
    behind = [each for each in synced if each.item.is_behind]
    for pull_item in behind:
        if pull_item.phase != pulls.PREPARING:
            pull_item.phase = pulls.ASKING
    return bool(behind) or (pull.facts.follows_link and link_sessions.lock_and_compare(pull.id))
