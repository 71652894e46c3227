"""Run the clock as a process."""

import signal
import threading
from collections.abc import Callable
from functools import partial

import click
from flask import current_app
from flask.cli import with_appcontext

from .. import policy
from ..auth import bank_mails
from ..bank import logo_hosts
from ..jobs import clock, clock_threads
from ..jobs.identity import logo_fetcher
from ..jobs.mail import postman
from ..metrics import sending
from ..webhooks import inbox


@click.command("clock")
@with_appcontext
def run_clock() -> None:
    """Run the clock, which makes sure that every pull gets done and every mail is sent, until it is
    stopped."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    app = current_app._get_current_object()  # type: ignore[attr-defined] # for other threads
    sending.start(app.extensions["redis"], "clock")

    def begin(interval: float, **duties: Callable[[], object]) -> threading.Thread:
        args = (app, stop, interval, duties)
        thread = threading.Thread(target=clock_threads.run, args=args, daemon=True)
        thread.start()
        return thread

    mails = begin(
        policy.CLOCK_TICK,
        write_mails=bank_mails.write_due,
        send_mails=partial(postman.send_due, stop),
    )
    fetch_logos = partial(logo_fetcher.fetch_due, logo_hosts.public_pool(), stop)
    begin(policy.LOGOS_INTERVAL, fetch_logos=fetch_logos)
    begin(policy.INBOX_INTERVAL, handle_webhooks=inbox.handle_waiting)
    clock.run(stop)
    mails.join(policy.MAIL_DEADLINE)  # killed while it sends, it would send a mail twice
