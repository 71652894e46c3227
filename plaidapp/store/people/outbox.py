"""Mails that wait to be sent. A row is deleted when its mail is sent, or will never be.

The content is encrypted, because it may contain a link. A mail is claimed before it is sent, and
due again once the claim is over: if a process dies right after the server has taken a mail, the
mail is sent twice, with the same Message-ID. Nobody can know better.
"""

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ForeignKey, LargeBinary, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import policy, sealing
from plaidapp.extensions import Base, db
from plaidapp.sealing import Cipher, Sealed

from ..base.types import Moment, now
from ..base.writes import write

NOTICE = "notice"
"""Sent in any case."""
BANKS = "banks"
"""About the person's banks. Not sent anymore if they have another address by now, or turned such
mails off."""
CONFIRM = "confirm"
"""Has the link that confirms the address. Not sent if the address is another person's."""
KNOWN = "known"
"""Tells the person who has the address already. Not sent if nobody has."""
RESET = "reset"
"""Has a link to a new password. Sent to the person who has the address, if there is one.

Of these three, a page can't tell which will be sent: that would reveal who is here."""


USERNAME = "{username}"
"""Stands in the text for the name of a person who is looked up when the mail is sent."""


class Mail(Base):
    """`user_id` is whose doing it is; None for RESET until the person is known.

    `token_hash` is of the link in it. It is not tried before `run_after`.
    """

    __tablename__ = "mail"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[str] = mapped_column(String(16))
    message_id: Mapped[str] = mapped_column(String(64), unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    token_hash: Mapped[str | None] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    run_after: Mapped[datetime] = mapped_column(Moment, default=now, index=True)


class Content(NamedTuple):
    """An address, and what it gets. `stop` is the address of a page that ends such mails."""

    to: str
    subject: str
    text: str
    stop: str | None = None


def add(
    cipher: Cipher,
    user_id: int | None,
    kind: str,
    content: Content,
    token_hash: str | None = None,
) -> None:
    """Have a mail sent once the caller commits."""
    message_id = secrets.token_hex(16)
    given = [part for part in content if part is not None]
    sealed = cipher.encrypt(sealing.mail(user_id, message_id), json.dumps(given))
    db.session.add(
        Mail(
            user_id=user_id,
            kind=kind,
            message_id=message_id,
            sealed=sealed,
            token_hash=token_hash,
        )
    )


def content_of(cipher: Cipher, mail: Mail) -> Content:
    """Raises cryptography.fernet.InvalidToken if no key fits."""
    sealed = Sealed(sealing.mail(mail.user_id, mail.message_id), mail.sealed)
    return Content(*json.loads(cipher.decrypt(sealed)))


def due(most: int) -> Sequence[int]:
    """Return the ids of mails to send, those that have waited longest first."""
    query = select(Mail.id).where(Mail.run_after <= now()).order_by(Mail.run_after, Mail.id)
    return db.session.scalars(query.limit(most)).all()


def claim(mail_id: int) -> Mail | None:
    """Return the mail, which nobody else sends meanwhile. None if somebody does already."""
    claimed = update(Mail).where(Mail.id == mail_id, Mail.run_after <= now())
    values = {"attempts": Mail.attempts + 1, "run_after": now() + policy.MAIL_CLAIMED}
    if write(claimed.values(values)) == 0:
        return None
    query = select(Mail).where(Mail.id == mail_id)
    return db.session.scalar(query.execution_options(populate_existing=True))


def postpone(mail: Mail, delay: timedelta) -> None:
    write(update(Mail).where(Mail.id == mail.id).values(run_after=now() + delay))


def drop(mail: Mail) -> None:
    """Delete a mail that is sent or will never be."""
    write(delete(Mail).where(Mail.id == mail.id))
