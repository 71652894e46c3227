"""Logos of merchants and banks: which are wanted, when they are asked for, and the pictures.

A logo is the same for everybody, so it is stored once. It has an address that can't be guessed:
otherwise a person could find out at which merchants others buy.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import LargeBinary, String, Table, Text, select, update
from sqlalchemy.orm import Mapped, mapped_column

from plaidapp import policy
from plaidapp.extensions import Base, db

from ..base.types import Moment, now
from ..base.upsert import upsert
from ..base.writes import write


class Logo(Base):
    """`picture` is a WebP file; None while there is none. `address` is the end of its address.

    It is asked for at `look_at`. None means that it is stored, or given up after so many `tries`.
    """

    __abstract__ = True

    address: Mapped[str | None] = mapped_column(String(32), unique=True)
    picture: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    tries: Mapped[int] = mapped_column(default=0)
    look_at: Mapped[datetime | None] = mapped_column(Moment, default=now, index=True)

    @property
    def key(self) -> str:
        raise NotImplementedError


class MerchantLogo(Logo):
    """`name` is Plaid's name of the merchant, and `url` is where Plaid has its logo."""

    __tablename__ = "merchant_logo"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    url: Mapped[str] = mapped_column(Text)

    @property
    def key(self) -> str:
        return self.name


class BankLogo(Logo):
    """`color` is the bank's own, such as "#004966". Plaid sends it with the logo."""

    __tablename__ = "bank_logo"

    institution_id: Mapped[str] = mapped_column(Text, primary_key=True)
    color: Mapped[str | None] = mapped_column(String(7))

    @property
    def key(self) -> str:
        return self.institution_id


KEYS: dict[type[Logo], Any] = {
    MerchantLogo: MerchantLogo.name,
    BankLogo: BankLogo.institution_id,
}


def want(institution_id: str | None, urls: Mapping[str, str]) -> None:
    """Have the logos of a bank and of merchants fetched, unless they are stored or given up."""
    if institution_id and db.session.get(BankLogo, institution_id) is None:
        row = {"institution_id": institution_id, "tries": 0, "look_at": now()}
        upsert(cast(Table, BankLogo.__table__), ("institution_id",), [row])
    if urls:
        _want_merchants(urls)


def _want_merchants(urls: Mapping[str, str]) -> None:
    query = select(MerchantLogo.name, MerchantLogo.url, MerchantLogo.address)
    known = {
        name: url if address is None else None
        for name, url, address in db.session.execute(query.where(MerchantLogo.name.in_(urls)))
    }
    rows = [
        {"name": name, "url": url, "tries": 0, "look_at": now()}
        for name, url in sorted(urls.items())
        if name not in known or known[name] not in (None, url)
    ]
    upsert(cast(Table, MerchantLogo.__table__), ("name",), rows)


def due(kind: type[Logo], most: int) -> Sequence[str]:
    """Return the keys of logos to ask for, those that have waited longest first."""
    query = select(KEYS[kind]).where(kind.look_at <= now()).order_by(kind.look_at)
    return db.session.scalars(query.limit(most)).all()


def claim(kind: type[Logo], key: str) -> Logo | None:
    """Return the logo to ask for. None if somebody does already.

    This counts as a failed try until `store` is called, however it ends: it is due again later, or
    never again after the last try.
    """
    logo = db.session.get(kind, key, populate_existing=True)
    if logo is None:
        return None
    db.session.expunge(logo)  # it is read with no transaction open
    tries = logo.tries + 1
    claimed = update(kind).where(KEYS[kind] == key, kind.tries == logo.tries, kind.look_at <= now())
    later = None if tries >= policy.LOGO_TRIES else now() + policy.logo_delay(tries)
    return logo if write(claimed.values(tries=tries, look_at=later)) else None


def store(logo: Logo, picture: bytes | None) -> None:
    """Store the picture; None if Plaid says that there is none."""
    address = secrets.token_urlsafe(16) if picture else None
    _set(logo, picture=picture, address=address, look_at=None)


def save_color(logo: BankLogo, color: str | None) -> None:
    _set(logo, color=color)


def _set(logo: Logo, **values: object) -> None:
    kind = type(logo)
    write(update(kind).where(KEYS[kind] == logo.key).values(**values))


def picture_at(address: str) -> bytes | None:
    for kind in KEYS:
        found = db.session.scalar(select(kind.picture).where(kind.address == address))
        if found:
            return found
    return None
