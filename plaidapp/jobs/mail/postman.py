"""Sends the mails of the outbox, in a thread of the clock: a slow mail server delays no sync.

Several clocks do no harm. A mail is tried until the server has taken it or refused it for good, or
until it is too late. While the server can't be reached, only one mail is tried at a time.
"""

import logging
import threading
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr

from cryptography.fernet import InvalidToken
from flask import current_app

from plaidapp import policy
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store import Mail
from plaidapp.store.base.types import now
from plaidapp.store.people import outbox
from plaidapp.store.people.outbox import Content

from . import addressee
from .mail_server import NotNowError, RefusedError, deliver

log = logging.getLogger(__name__)

STOP, ONE_CLICK = "List-Unsubscribe", "List-Unsubscribe=One-Click"
"""RFC 8058: mail programs show a button that ends such mails."""


class _Policy(EmailPolicy):
    """Python's for SMTP, but it would write a long address as encoded words, which is not one."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == STOP:
            return f"{name}: {value}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


POLICY = _Policy(linesep=SMTP.linesep)


def send_due(stop: threading.Event | None = None) -> None:
    """Send the mails that are due, until the server takes no more. Commits after each."""
    due = outbox.due(policy.MAIL_BATCH)
    db.session.commit()  # sending takes a while, so no transaction stays open
    for mail_id in due:
        if (stop and stop.is_set()) or not _send(mail_id):
            return


def _send(mail_id: int) -> bool:
    """Try to send one mail. False if there is no use in trying others now."""
    mail = outbox.claim(mail_id)
    content = _content(mail) if mail else None
    if mail and content is None:
        outbox.drop(mail)
    db.session.commit()
    if mail is None or content is None:
        return True
    try:
        deliver(current_app.config["PLAIDAPP"].mail_url, _message(mail, content))
    except NotNowError as problem:
        return not _try_later(mail, problem)
    except RefusedError as problem:
        _end(mail, "mail_refused", str(problem))
    else:
        _end(mail, "mail_sent")
    return True


def _content(mail: Mail) -> Content | None:
    """Return what to send to whom; None if the mail is not to be sent, or not any more."""
    if mail.created_at < now() - policy.MAIL_GIVEN_UP:
        event("mail_too_late", kind=mail.kind, attempts=mail.attempts)
        return None
    if not current_app.config["PLAIDAPP"].mail_url:  # there was one when the mail was written
        return None
    try:
        written = outbox.content_of(current_app.extensions["cipher"], mail)
    except InvalidToken:
        log.error("No key in TOKEN_KEYS decrypts a mail")
        return None
    return addressee.of(mail, written, confirmed=current_app.config["PLAIDAPP"].sends_mail)


def _message(mail: Mail, content: Content) -> EmailMessage:
    config = current_app.config["PLAIDAPP"]
    sender = config.mail_from or "plaidapp <plaidapp@localhost>"
    message = EmailMessage(POLICY)
    message["From"] = sender
    message["To"] = _for_network(content.to)
    message["Subject"] = content.subject
    message["Date"] = format_datetime(now())
    # The same in each try, so that a mail server knows a mail that it has already.
    message["Message-ID"] = f"<{mail.message_id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # no answer of a machine: RFC 3834
    if content.stop:
        message[STOP] = f"<{content.stop}>"
        if content.stop.startswith("https:"):
            message[f"{STOP}-Post"] = ONE_CLICK
    plain = content.text.isascii()
    message.set_content(content.text, cte="7bit" if plain else "quoted-printable")
    return message


def _for_network(address: str) -> str:
    """Write the domain in ASCII. Raises RefusedError if that can't be done."""
    name, _, domain = address.rpartition("@")
    try:
        return f"{name}@{domain.encode('idna').decode()}"
    except UnicodeError:
        raise RefusedError("its domain is no name") from None


def _try_later(mail: Mail, problem: NotNowError) -> bool:
    """Return True if no other mail would be taken either."""
    outbox.postpone(mail, policy.mail_delay(mail.attempts))
    db.session.commit()
    log.warning("A mail is not taken (attempt %s): %s", mail.attempts, problem)
    return problem.stops


def _end(mail: Mail, name: str, problem: str | None = None) -> None:
    outbox.drop(mail)
    event(name, kind=mail.kind, attempts=mail.attempts, problem=problem)
    db.session.commit()
