"""What a person says of a stream: that it is not recurring, or that it has ended.

Like every edit, it is kept whatever the bank sends later, and can be undone.
"""

from ..base.types import now
from ..people import users
from .recurring_streams import Stream


def choose(stream: Stream, choice: str | None) -> None:
    """Store the person's choice. None leaves it to Plaid again."""
    users.lock_ledger(stream.user_id)
    stream.choice = choice
    stream.chosen_at = now() if choice else None
    users.ledger_changed(stream.user_id)
