"""The heartbeat of a running pull, from a thread beside the job.

The job itself may wait for a bank longer than a dead worker may go unnoticed.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store.pulls import transitions

log = logging.getLogger(__name__)


@contextmanager
def beating(pull_id: int, attempt: int) -> Iterator[None]:
    """Send heartbeats for this attempt until the block ends."""
    stop = threading.Event()
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_beat, args=(app, stop, pull_id, attempt), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _beat(app: Flask, stop: threading.Event, pull_id: int, attempt: int) -> None:
    while not stop.wait(policy.HEARTBEAT_INTERVAL):
        with app.app_context():
            try:
                transitions.beat(pull_id, attempt)
                db.session.commit()
            except SQLAlchemyError as error:
                log.warning("No heartbeat for pull %s: %s", pull_id, type(error).__name__)
