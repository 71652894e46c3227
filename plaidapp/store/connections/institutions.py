"""Banks, as Plaid names them, and whether they work. See Plaid's institution status."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base

from ..base.types import Moment


class Institution(Base):
    """`status` is Plaid's word for how connections work now: HEALTHY, DEGRADED or DOWN."""

    __tablename__ = "institution"

    institution_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str | None] = mapped_column(Text)
    status_read_at: Mapped[datetime | None] = mapped_column(Moment)
