"""Deleting changes of state and sessions of Link that are too old. See policy/retention.py."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, func, select

from plaidapp import policy

from ..base.types import now
from ..base.writes import write
from .link_results import APPROVED, FOUND, HELD, LinkResult
from .link_sessions import LinkSession
from .state_changes import StateChange


def delete_state_changes(item_ids: Sequence[int], most: int) -> int:
    """Delete old ones, but for the last of each Item."""
    place = func.row_number().over(partition_by=StateChange.item_id, order_by=StateChange.id.desc())
    theirs = select(StateChange.id, StateChange.at, place.label("place"))
    ranked = theirs.where(StateChange.item_id.in_(item_ids)).subquery()
    is_old = ranked.c.at < now() - policy.STATES_KEPT
    old = select(ranked.c.id).where(ranked.c.place > policy.HISTORY_KEPT, is_old).limit(most)
    return write(delete(StateChange).where(StateChange.id.in_(old)))


def delete_link_sessions(user_ids: Sequence[int], most: int) -> int:
    """Delete old sessions that are over, but for those that a connection came of.

    Those say which accounts the person chose, by which the same bank is recognized later. One whose
    result waits for the person's decision is not over.
    """
    is_needed = exists().where(
        LinkResult.session_id == LinkSession.id,
        LinkResult.item_id.is_not(None) | LinkResult.state.in_((FOUND, HELD, APPROVED)),
    )
    old = select(LinkSession.id).where(
        LinkSession.user_id.in_(user_ids),
        LinkSession.created_at < now() - policy.LINK_SESSIONS_KEPT,
        LinkSession.sealed_token.is_(None),
        LinkSession.look_after.is_(None),
        ~is_needed,
    )
    return write(delete(LinkSession).where(LinkSession.id.in_(old.limit(most))))
