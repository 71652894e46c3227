"""The people who sign in."""

import secrets
import unicodedata
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Integer,
    Select,
    String,
    Table,
    bindparam,
    false,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp.extensions import Base, db

from ..base.dialect import on_sqlite
from ..base.types import Moment, now
from . import time_zones

NO_PASSWORD = ""
"""The hash of a person who has no password. No password matches it."""
LEDGER_LOCK, CLICKS_LOCK, PASSWORD_LOCK = 1, 2, 3
"""First of the two numbers of a PostgreSQL advisory lock. The second is the person's id."""


def key_of(name: str) -> str:
    """Return the form in which names and email addresses are compared: case and spelling of accents
    do not matter."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def no_key() -> str:
    """Return a key for an address that does not count. Nobody can type it: no key begins so."""
    return f" {secrets.token_hex(16)}"


class User(Base):
    """A person. `username_key` and `email_key` are unique and are what a log-in looks for.

    With a mail server, an address counts once the person has confirmed it, so that one that is
    only typed keeps nobody out. Until then `email_key` is `no_key`. Without a mail server it
    counts at once, and `email_confirmed_at` is None.

    `ledger_revision` increases whenever data of theirs is stored that a page shows. `time_zone` is
    where their days begin and end.
    `transfers_matched` is False for a person whose rows are older than the matching of transfers,
    until all of them have been matched (transactions/transfers.py). `opaque_id` stands for the
    person where they must not be named, as at Plaid. `hides_accounts` is False if none of their
    accounts is hidden, so that queries need not look. `main_currency` is the one that the overview
    begins with; None leaves the choice to it. They are written to when a bank needs them, unless
    they turned `bank_mails` off, and when a check finds a difference, unless they turned
    `check_mails` off. `password_changed_at` is None while the password is still that of the
    sign-up. `leaving_since` is when the person had everything deleted; the row is needed until that
    is done (leaving.py). `is_operator` opens the pages of `plaidapp/operate`.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(256), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(512), unique=True)
    email_confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    password_hash: Mapped[str] = mapped_column(String(256))
    ledger_revision: Mapped[int] = mapped_column(default=0)
    transfers_matched: Mapped[bool] = mapped_column(default=True, server_default=false())
    time_zone: Mapped[str] = mapped_column(
        String(time_zones.LONGEST_NAME), default=time_zones.UTC, server_default=time_zones.UTC
    )
    opaque_id: Mapped[str | None] = mapped_column(String(32), default=lambda: _new_opaque_id())
    hides_accounts: Mapped[bool] = mapped_column(default=False)
    main_currency: Mapped[str | None] = mapped_column(String)
    bank_mails: Mapped[bool] = mapped_column(default=True, server_default=true())
    check_mails: Mapped[bool] = mapped_column(default=True, server_default=true())
    leaving_since: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    password_changed_at: Mapped[datetime | None] = mapped_column(Moment)
    is_operator: Mapped[bool] = mapped_column(default=False, server_default=false())

    # Flask-Login needs these. Its mixin has them too, but the store does not import Flask.
    is_authenticated = is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        return str(self.id)

    @property
    def has_password(self) -> bool:
        """False if they log in with passkeys only."""
        return self.password_hash != NO_PASSWORD

    @property
    def zone(self) -> ZoneInfo:
        return time_zones.zone_of(self.time_zone)

    @property
    def ledger_version(self) -> str:
        return version_of(self.ledger_revision, self.zone)


def version_of(ledger_revision: int, zone: ZoneInfo) -> str:
    """Return what changes whenever a page of the person does: with the ledger, and with the day.

    At midnight an open page is out of date, although nothing was stored.
    """
    return f"{ledger_revision}-{time_zones.today_in(zone)}"


def by_id(user_id: int) -> User | None:
    return db.session.get(User, user_id)


def opaque_id_of(user: User) -> str:
    """Return the id that stands for the person at Plaid and in the log.

    Persons of older versions get one when they log in.
    """
    if user.opaque_id is None:
        user.opaque_id = _new_opaque_id()
    return user.opaque_id


def opaque_id(user_id: int) -> str | None:
    """Return the same of the person with this number."""
    return db.session.scalar(select(User.opaque_id).where(User.id == user_id))


def _new_opaque_id() -> str:
    return secrets.token_hex(16)


_ZONE = select(User.time_zone).where(User.id == bindparam("user_id"))  # made once: each sync asks


def zone_of(user_id: int) -> ZoneInfo:
    name = db.session.scalar(_ZONE, {"user_id": user_id})
    return time_zones.zone_of(name or time_zones.UTC)


def today_of(user_id: int) -> date:
    """Return the person's day: the date where they live."""
    return time_zones.today_in(zone_of(user_id))


def set_name(user: User, name: str) -> None:
    """A flush raises sqlalchemy.exc.IntegrityError if the name is taken."""
    user.username, user.username_key = name, key_of(name)


def hides_accounts(user_id: int) -> bool:
    """Return True if one of the person's accounts may be hidden.

    In a request this reads nothing: the person who is logged in has been read.
    """
    user = by_id(user_id)
    return user is not None and user.hides_accounts


def by_name(name: str) -> User | None:
    """Return the user with this username or email address."""
    if "\0" in name:  # no name has one, and PostgreSQL raises an error
        return None
    key = key_of(name)
    return db.session.scalar(
        select(User).where(or_(User.username_key == key, User.email_key == key))
    )


def add(
    username: str,
    email: str,
    password_hash: str,
    time_zone: str = time_zones.UTC,
    *,
    email_counts: bool = True,
) -> User:
    """Add a user. A flush raises sqlalchemy.exc.IntegrityError if the name or address is taken.

    Unless `email_counts`, the address has to be confirmed first, and may be another person's.
    """
    user = User(
        username=username,
        username_key=key_of(username),
        email=email,
        email_key=key_of(email) if email_counts else no_key(),
        password_hash=password_hash,
        time_zone=time_zone,
    )
    db.session.add(user)
    return user


def _lock(number: int) -> Select[Any]:
    return select(func.pg_advisory_xact_lock(number, bindparam("id", type_=Integer)))


_LEDGER, _CLICKS = _lock(LEDGER_LOCK), _lock(CLICKS_LOCK)


def lock_ledger(user_id: int) -> None:
    """Lock the person's data against other writes of bank data and edits until the commit.

    Whoever changes accounts, balances, transactions or what is derived from them calls this first,
    before they read what they decide by. A total is computed from all rows of a month: without the
    lock, two writers would each store one that lacks the other's rows. Locks of Items and pulls
    come after this one. SQLite needs no lock: only one writer runs at a time.
    """
    if not on_sqlite():
        db.session.execute(_LEDGER, {"id": user_id})


def lock_clicks(user_id: int) -> None:
    """Handle the person's clicks one after the other until the commit, whatever a sync locks."""
    if not on_sqlite():
        db.session.execute(_CLICKS, {"id": user_id})


def ledger_revision(user_id: int) -> int:
    """Return the stored revision, even if this request has read the user before."""
    return db.session.scalar(select(User.ledger_revision).where(User.id == user_id)) or 0


_STATE = select(User.opaque_id, User.ledger_revision).where(User.id == bindparam("user_id"))


def ledger_state(user_id: int) -> tuple[str | None, int] | None:
    """Return what tells the stored data of this person from that at any other time, and of anybody
    else who ever has the same id. None if nobody has it."""
    row = db.session.execute(_STATE, {"user_id": user_id}).first()
    return row and (row[0], row[1])


TABLE = cast(Table, User.__table__)
_CHANGED = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("user_id"))
    .values(ledger_revision=TABLE.c.ledger_revision + 1)
)


def ledger_changed(user_id: int) -> None:
    """Increase the person's revision, so that their open pages reload their lists."""
    db.session.execute(_CHANGED, {"user_id": user_id})
