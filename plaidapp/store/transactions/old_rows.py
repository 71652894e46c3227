"""Deleting raw pages that no row needs, and what old edits changed. See policy/retention.py."""

from collections.abc import Sequence

from sqlalchemy import delete, exists, select, tuple_

from plaidapp import policy

from ..base.types import now
from ..base.writes import write
from ..connections.item import Item
from .edits import Edit, EditRow
from .former_rows import FormerRow
from .raw_pages import ReceivedPage
from .transactions import Transaction


def delete_pages(item_ids: Sequence[int], most: int) -> int:
    """Delete pages of these Items that no transaction came in anymore: newer ones had all of it.

    Only a change of rows leaves such pages.
    """
    moment = now()
    changed = select(Item.id).where(
        Item.id.in_(item_ids), Item.changed_at > moment - policy.CHANGED_LATELY
    )
    unused = select(ReceivedPage.id).where(
        ReceivedPage.item_id.in_(changed),
        ReceivedPage.received_at < moment - policy.PAGES_KEPT,
        ~exists().where(Transaction.page_id == ReceivedPage.id),
        ~exists().where(FormerRow.page_id == ReceivedPage.id),
    )
    return write(delete(ReceivedPage).where(ReceivedPage.id.in_(unused.limit(most))))


def delete_edits(user_ids: Sequence[int], most: int) -> int:
    """Delete what old edits changed, and then the edits. The rows stay as they were edited."""
    is_old = Edit.user_id.in_(user_ids), Edit.made_at < now() - policy.EDITS_KEPT
    key = EditRow.edit_id, EditRow.transaction_id
    query = select(*key).join(Edit, Edit.id == EditRow.edit_id).where(*is_old).limit(most)
    deleted = write(delete(EditRow).where(tuple_(*key).in_(query)))
    if deleted < most:
        write(delete(Edit).where(*is_old))
    return deleted
