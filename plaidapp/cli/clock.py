"""Run the clock as a process."""

import signal
import threading

import click
from flask import current_app
from flask.cli import with_appcontext

from .. import policy
from ..auth import bank_mails
from ..jobs import clock
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
    app = current_app._get_current_object()  # type: ignore[attr-defined] # for another thread
    sending.start(app.extensions["redis"], "clock")
    mails = threading.Thread(
        target=postman.run, args=(app, stop, bank_mails.write_due), daemon=True
    )
    mails.start()
    for unattended in (logo_fetcher.run, inbox.run):
        threading.Thread(target=unattended, args=(app, stop), daemon=True).start()
    clock.run(stop)
    mails.join(policy.MAIL_DEADLINE)  # killed while it sends, it would send a mail twice
