"""Write to people whose bank needs them, or of which a check has found a difference.

The clock has it done, so there is no request: a mail is in English, and its links lead to
PUBLIC_URL. It names banks, and nothing else of what is stored.
"""

from collections.abc import Sequence
from typing import Any, cast

from babel import dates
from flask import current_app

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.formats import bank_name
from plaidapp.languages import ENGLISH
from plaidapp.sealing import Cipher
from plaidapp.store import Notice, User
from plaidapp.store.connections import notices
from plaidapp.store.people import outbox, users

from . import mails, stop_links


def write_due() -> None:
    """Store the mails that are due, one to a person. Commits after each."""
    due = notices.due(policy.NOTICES_BATCH)
    db.session.commit()
    for user_id in due:
        taken = notices.take(user_id)
        if user := users.by_id(user_id):
            _write(user, [notice for notice in taken if _wants(user, notice)])
        db.session.commit()


def _wants(user: User, notice: Notice) -> bool:
    return user.bank_mails if notice.topic == notices.NEED else user.check_mails


def _write(user: User, about: Sequence[Notice]) -> None:
    """Store a mail, unless there is nothing to tell or no address that is known to be theirs."""
    if not (about and mails.may_write_to(user)):
        return
    site = current_app.config["PLAIDAPP"].public_url
    stop = site and site + stop_links.path_to(user)
    lines = [_line(notice, user) for notice in about]
    content = mails.content_of(user.email, "banks", site, user=user, lines=lines, stop=stop)
    cipher = cast(Cipher, current_app.extensions["cipher"])
    outbox.add(cipher, user.id, outbox.BANKS, content._replace(stop=stop))
    notices.told(about)


def _line(notice: Notice, user: User) -> dict[str, Any]:
    """What the template says of one bank."""
    until = notice.item.consent_expires_at
    day = until and dates.format_date(until.astimezone(user.zone), "long", locale=ENGLISH)
    bank = "".join(letter for letter in bank_name(notice.item) if letter.isprintable())
    path = stop_links.path("finance.item", item_id=notice.item_id)
    return {"what": notice.what, "bank": bank, "until": day, "path": path}
