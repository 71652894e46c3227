"""What happened in a person's account, for them to read: log-ins, connections, changes.

Sentences about the kinds are in plaidapp/auth/activity_sentences.py.
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ForeignKey,
    Index,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import extensions, policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.writes import write
from .users import User

NOBODY = 0  # no person has this id
LONGEST_DETAIL = 256  # characters


class Kind(StrEnum):
    SIGNED_UP = "signed_up"
    LOGGED_IN = "logged_in"
    LOGGED_IN_WITH_PASSKEY = "logged_in_with_passkey"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105
    LOGGED_OUT = "logged_out"
    DEVICE_LOGGED_OUT = "device_logged_out"
    OTHERS_LOGGED_OUT = "others_logged_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_REMOVED = "password_removed"  # noqa: S105
    AUTHENTICATOR_ADDED = "authenticator_added"
    AUTHENTICATOR_REMOVED = "authenticator_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    WRONG_CODE = "wrong_code"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_RENAMED = "passkey_renamed"
    PASSKEY_REMOVED = "passkey_removed"
    PASSKEY_COPIED = "passkey_copied"
    EMAIL_CHANGED = "email_changed"
    EMAIL_CONFIRMED = "email_confirmed"
    NAME_CHANGED = "name_changed"
    TIME_ZONE_CHANGED = "time_zone_changed"
    CONNECTED = "connected"
    RECONNECTED = "reconnected"
    DISCONNECTED = "disconnected"
    HISTORY_DELETED = "history_deleted"
    BANK_NEEDS_LOG_IN = "bank_needs_log_in"
    EXPORTED = "exported"
    DOWNLOADED = "downloaded"
    CALENDAR_ADDRESS_MADE = "calendar_address_made"
    CALENDAR_TURNED_OFF = "calendar_turned_off"
    BANK_MAILS_CHANGED = "bank_mails_changed"
    OPERATOR_MADE = "operator_made"
    OPERATOR_REMOVED = "operator_removed"
    PULL_RETRIED = "pull_retried"
    WEBHOOK_REPLAYED = "webhook_replayed"
    DOCTOR_RUN = "doctor_run"


class Activity(Base):
    """`detail` is a name that belongs to the kind, such as a bank's or a file's; empty without one.

    `browser` and `system` are those of the request; empty if none caused it. `count` is above 1
    if the same happened again shortly after.
    """

    __tablename__ = "activity"
    __table_args__ = (Index(None, "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(String(LONGEST_DETAIL))
    count: Mapped[int] = mapped_column(default=1)
    browser: Mapped[str] = mapped_column(String(32))
    system: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(Moment, default=now, index=True)


class Device(NamedTuple):
    """The names of a browser and its system, such as Firefox and macOS."""

    browser: str
    system: str


NO_DEVICE = Device("", "")
_device: ContextVar[Callable[[], Device]] = ContextVar("device", default=lambda: NO_DEVICE)


def comes_from(device: Callable[[], Device]) -> None:
    """Say how to find the device that causes what this thread notes from now on."""
    _device.set(device)


def note(user_id: int, kind: Kind, detail: str = "") -> None:
    """Add a row in the caller's transaction."""
    browser, system = _device.get()()
    db.session.add(
        Activity(
            user_id=user_id,
            kind=kind,
            detail=detail[:LONGEST_DETAIL],
            browser=browser,
            system=system,
        )
    )


TABLE = cast(Table, Activity.__table__)
_MINE = Activity.user_id == bindparam("person"), Activity.kind == bindparam("what")
_SAME = select(func.max(Activity.id)).where(
    *_MINE,
    Activity.detail == bindparam("of"),
    Activity.created_at > bindparam("lately", type_=Moment),
)
_FIRST = insert(TABLE).from_select(
    ["user_id", "kind", "detail", "count", "browser", "system", "created_at"],
    select(
        User.id,
        bindparam("what", type_=String),
        bindparam("of", type_=String),
        literal(0),
        bindparam("browser", type_=String),
        bindparam("system", type_=String),
        bindparam("moment", type_=Moment),
    ).where(User.id == bindparam("person"), _SAME.scalar_subquery().is_(None)),
)
_AGAIN = (
    update(Activity).where(Activity.id == _SAME.scalar_subquery()).values(count=Activity.count + 1)
)


def note_again(user_id: int, kind: Kind, detail: str = "") -> None:
    """Count it in the row of the same that happened lately, or add one: it may be frequent."""
    for statement in (_FIRST, _AGAIN):
        write(statement, _values(user_id, kind, detail))


def jot_again(user_id: int | None, kind: Kind) -> None:
    """Do the same in passing: see extensions.jot.

    It takes as long for None, so that its time doesn't tell whether somebody has a name.
    """
    for statement in (_FIRST, _AGAIN):
        extensions.jot(statement, **_values(user_id or NOBODY, kind, ""))


def _values(user_id: int, kind: Kind, detail: str) -> dict[str, Any]:
    browser, system = _device.get()()
    moment = now()
    lately = moment - policy.ACTIVITY_AGAIN
    about = {"person": user_id, "what": kind.value, "of": detail}
    when = {"moment": moment, "lately": lately}
    return about | when | {"browser": browser, "system": system}


def latest(user_id: int, limit: int, before: int | None = None) -> Sequence[Activity]:
    """Return the newest rows, of those with an id below `before` if it is given."""
    query = select(Activity).where(Activity.user_id == user_id)
    if before is not None:
        query = query.where(Activity.id < before)
    return db.session.scalars(query.order_by(Activity.id.desc()).limit(limit)).all()


def delete_old(most: int) -> None:
    """Delete rows that were kept long enough, at most so many."""
    old = select(Activity.id).where(Activity.created_at <= now() - policy.ACTIVITY_KEPT)
    write(delete(Activity).where(Activity.id.in_(old.limit(most))))
