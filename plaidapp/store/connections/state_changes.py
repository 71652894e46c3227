"""The states that each connection has been in, for its page and for Plaid's support."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base

from ..base.types import BigId, Moment, now


class StateChange(Base):
    """From `at` on, the Item was in `state`; `code` is Plaid's error or webhook code."""

    __tablename__ = "state_change"

    id: Mapped[BigId]
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(32))
    code: Mapped[str | None] = mapped_column(Text)
    message: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment, default=now)
