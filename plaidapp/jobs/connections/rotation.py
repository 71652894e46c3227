"""Encrypt secrets again: with the first key of TOKEN_KEYS, and for their place.

A row is only changed if it still holds what was read, so that nothing is lost to a connection that
is repaired or ended meanwhile.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from cryptography.fernet import InvalidToken
from flask import current_app
from sqlalchemy import Row, Select, bindparam, func, null, select, update
from sqlalchemy.orm import InstrumentedAttribute

from plaidapp import sealing
from plaidapp.extensions import db
from plaidapp.sealing import BOUND, Cipher, Sealed
from plaidapp.store import Authenticator, CalendarFeed, Item, LinkResult, LinkSession, Mail, Pull

log = logging.getLogger(__name__)

BATCH = 500


class Secret(NamedTuple):
    """A column of secrets, the place of one, and the person and the name that are in it."""

    column: InstrumentedAttribute[Any]
    place: Callable[[Any, str], str]
    user_id: Any
    name: Any

    @property
    def model(self) -> Any:
        return self.column.class_


SECRETS = (
    Secret(Item.access_token, sealing.access_token, Item.user_id, Item.plaid_item_id),
    Secret(
        LinkSession.sealed_token, sealing.link_token, LinkSession.user_id, LinkSession.token_hash
    ),
    Secret(
        LinkSession.sealed_url, sealing.link_address, LinkSession.user_id, LinkSession.token_hash
    ),
    Secret(
        LinkResult.sealed_token,
        sealing.public_token,
        select(LinkSession.user_id)
        .where(LinkSession.id == LinkResult.session_id)
        .scalar_subquery(),
        LinkResult.token_hash,
    ),
    Secret(
        Authenticator.sealed_secret,
        lambda user_id, _name: sealing.authenticator_secret(user_id),
        Authenticator.user_id,
        null(),
    ),
    Secret(
        CalendarFeed.sealed_token,
        sealing.calendar_token,
        CalendarFeed.user_id,
        CalendarFeed.token_hash,
    ),
    Secret(Pull.sealed, sealing.pull_parameters, Pull.user_id, Pull.institution_id),
    Secret(Mail.sealed, sealing.mail, Mail.user_id, Mail.message_id),
)
"""Everything that the app stores encrypted."""


LASTING = tuple(secret for secret in SECRETS if secret.model in (Item, Authenticator, CalendarFeed))
"""What is kept for long, in tables that are quickly looked through."""


class Batch(NamedTuple):
    """What became of some rows: how many were encrypted again, and which no key decrypts."""

    table: str
    renewed: int
    unreadable: list[int]


def warn_of_unbound() -> None:
    """Log how many access tokens an older version has encrypted, which didn't bind them."""
    is_bound = func.substr(Item.access_token, 1, len(BOUND)) == BOUND
    unbound = select(func.count()).where(Item.access_token != b"", ~is_bound)
    if number := db.session.scalar(unbound):
        log.warning(
            "%s access tokens can be moved to another Item. Bind them: flask --app wsgi"
            " rotate-tokens",
            number,
        )


def rotate() -> Iterator[Batch]:
    """Encrypt everything again that is not up to date. Commits after each batch.

    It can be interrupted and repeated.
    """
    for secret in SECRETS:
        last = 0
        while rows := _after(secret, last):
            cipher = _cipher()
            stored = [(row.id, Sealed(secret.place(row.user, row.name), row.value)) for row in rows]
            batch = _renew(secret, [each for each in stored if not cipher.has_first_key(each[1])])
            db.session.commit()
            last = rows[-1].id
            yield batch


def sample(most: int) -> tuple[int, int]:
    """Decrypt the newest and the oldest secrets of each kind that lasts, `most` of each.

    Return how many were tried, and how many of them no key decrypts.
    """
    tried = unreadable = 0
    cipher = _cipher()
    for secret in LASTING:
        query, row_id = _stored(secret), secret.model.id
        ends = (query.order_by(order).limit(most // 2) for order in (row_id, row_id.desc()))
        rows = {row.id: row for end in ends for row in db.session.execute(end)}
        tried += len(rows)
        for row in rows.values():
            try:
                cipher.decrypt(Sealed(secret.place(row.user, row.name), row.value))
            except InvalidToken:
                unreadable += 1
    return tried, unreadable


def _after(secret: Secret, last: int) -> Sequence[Row[Any]]:
    query = _stored(secret).where(secret.model.id > last)
    return db.session.execute(query.order_by(secret.model.id).limit(BATCH)).all()


def _stored(secret: Secret) -> Select[Any]:
    query = select(
        secret.model.id,
        secret.column.label("value"),
        secret.user_id.label("user"),
        secret.name.label("name"),
    )
    return query.where(secret.column.is_not(None), secret.column != b"")


def _renew(secret: Secret, stored: Sequence[tuple[int, Sealed]]) -> Batch:
    cipher = _cipher()
    unreadable, renewed = [], []
    for row_id, sealed in stored:
        try:
            text = cipher.decrypt(sealed)
        except InvalidToken:
            unreadable.append(row_id)
        else:
            new = cipher.encrypt(sealed.place, text)
            renewed.append({"row_id": row_id, "old": sealed.value, "new": new})
    if renewed:
        table = secret.model.__table__
        column = table.c[secret.column.key]
        unchanged = table.c.id == bindparam("row_id"), column == bindparam("old")
        change = update(table).where(*unchanged).values({column: bindparam("new")})
        db.session.connection().execute(change, renewed)
    return Batch(secret.model.__tablename__, len(renewed), unreadable)


def _cipher() -> Cipher:
    cipher: Cipher = current_app.extensions["cipher"]
    return cipher
