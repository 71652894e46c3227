"""What the clock does in threads of its own, because it may take long and must delay no sync."""

import logging
import threading
from collections.abc import Callable, Mapping

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from plaidapp.extensions import db

from .diary import Diary

log = logging.getLogger(__name__)

DUTIES = {
    "write_mails": "Write to people whose bank needs them, or of which a check found a difference.",
    "send_mails": "Send the mails that are due, as many as the mail server takes.",
    "fetch_logos": "Fetch logos of banks and merchants, as many as one look may.",
    "handle_webhooks": "Handle webhooks that were stored while a sync had locked their Item.",
}
"""`flask clock` has their functions."""


def run(
    app: Flask, stop: threading.Event, interval: float, duties: Mapping[str, Callable[[], object]]
) -> None:
    """Do these duties every `interval` seconds until `stop` is set, and note when.

    One that fails stops no other, and is tried again.
    """
    diary = Diary()
    with app.app_context():
        while not stop.is_set():
            for name, duty in duties.items():
                _try(name, duty, diary)
            stop.wait(interval)


def _try(name: str, duty: Callable[[], object], diary: Diary) -> None:
    try:
        with diary.duty(name):
            duty()
        diary.save()
    except SQLAlchemyError as error:
        log.error("The clock can't %s, the database is away: %s", name, type(error).__name__)
    except Exception:
        log.exception("The clock could not %s", name)
    finally:
        db.session.remove()
