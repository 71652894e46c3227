"""Write mails to people. They are stored in the caller's transaction, and sent after its commit.

A mail is a template in templates/mail. Its first line is the subject. Paragraphs are wrapped,
except for one that is a link.
"""

import logging
import re
import textwrap
from typing import Any, cast

from babel import dates
from flask import current_app, request, url_for

from plaidapp import policy
from plaidapp.languages import text_locale
from plaidapp.sealing import Cipher
from plaidapp.store import User
from plaidapp.store.base.types import now
from plaidapp.store.people import mail_links, outbox
from plaidapp.store.people.activity import Kind
from plaidapp.store.people.outbox import USERNAME, Content

from . import throttle
from .access import person
from .activity_sentences import SENTENCES
from .user_agents import browser_and_system, device_name

log = logging.getLogger(__name__)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
WIDTH = 72
"""Characters of a line: RFC 5322 asks for at most 78."""
NO_SITE = (
    "MAIL_URL is set, but no link can be mailed to people who reach this app from elsewhere. Set"
    " PUBLIC_URL to where they do."
)


def proves_addresses() -> bool:
    """Is there a mail server? Then an email address counts once its owner has confirmed it."""
    return bool(current_app.config["PLAIDAPP"].sends_mail)


def can_send_links() -> bool:
    return bool(current_app.config["PLAIDAPP"].mail_url) and _site() is not None


def _site() -> str | None:
    """Return the address of this site for a link in a mail.

    None if it is not known: anybody can send any Host header, and a link must not lead elsewhere.
    """
    config = current_app.config["PLAIDAPP"]
    if config.public_url:
        return str(config.public_url)
    name = re.sub(r":\d+$", "", request.host).lower()
    if config.allowed_hosts or name in LOOPBACK:  # plaidapp/hosts.py has refused other ones
        return request.host_url.rstrip("/")
    return None


def warn_if_no_site(config: Any) -> None:
    if config.sends_mail and not (config.public_url or config.allowed_hosts):
        log.warning(NO_SITE)


def may_write_to(user: User) -> bool:
    """Are there mails, and is the person's address known to be theirs?"""
    is_theirs = bool(user.email_confirmed_at) or not proves_addresses()
    return bool(current_app.config["PLAIDAPP"].mail_url) and is_theirs


def context() -> dict[str, bool]:
    """What the account page says about mails."""
    return {
        "bank_mails_go_out": bool(current_app.config["PLAIDAPP"].mail_url),
        "may_get_bank_mails": may_write_to(person()),
    }


def tell(user: User, template: str, **context: Any) -> None:
    """Tell the person what happened to their account, if their address is known to be theirs.

    The template has `user`, and `device`, `address` and `moment` of this request.
    """
    if may_write_to(user):
        tell_address(user, user.email, template, **context)


def tell_address(user: User, address: str, template: str, **context: Any) -> None:
    """Tell an address that is known to be the person's, such as their former one."""
    if current_app.config["PLAIDAPP"].mail_url:
        device = device_name(*browser_and_system(request.user_agent.string))
        moment = dates.format_datetime(now().astimezone(user.zone), "long", locale=text_locale())
        content = content_of(
            address, template, _site(), user=user, device=device,
            address=request.remote_addr, moment=moment, **context,
        )  # fmt: skip
        outbox.add(_cipher(), user.id, outbox.NOTICE, content)


def tell_of_change(user: User, kind: Kind, detail: str) -> None:
    """Tell the person what has changed about how they log in. It reads as in their activity."""
    tell(user, "log_in_changed", change=str(SENTENCES[kind]) % {"detail": detail})


def tell_of_new_device(user: User) -> None:
    """Tell the person of a log-in from a device that is not known. Call it before the log-in."""
    if not throttle.new_device_mail(user.id).refused:
        tell(user, "new_device")


def ask_to_confirm(user: User, email: str, template: str) -> None:
    """Mail a link to `email` that makes it the person's address.

    If it is another person's, they get a mail that says so, and nothing tells which was sent.
    """
    site, token = _site(), mail_links.new_token()
    if site is None:
        return
    token_hash = mail_links.hash_of(token)
    mail_links.put(user, mail_links.CONFIRM, email, token_hash, policy.CONFIRM_LINK_LIFE)
    link = site + url_for("auth.confirm_email", confirm_token=token)
    hours = policy.CONFIRM_LINK_LIFE.total_seconds() // 3600
    confirm = content_of(email, template, site, link=link, hours=int(hours))
    log_in, forgot = site + url_for("auth.login"), site + url_for("auth.forgot")
    known = content_of(
        email, "known_address", site, username=USERNAME, log_in=log_in, forgot=forgot
    )
    outbox.add(_cipher(), user.id, outbox.CONFIRM, confirm, token_hash)
    outbox.add(_cipher(), user.id, outbox.KNOWN, known)


def send_reset_link(email: str) -> None:
    """Mail a link to a new password to whoever has this address. Who that is, nobody looks up."""
    if site := _site():
        token = mail_links.new_token()
        link = site + url_for("auth.reset", reset_token=token)
        minutes = int(policy.RESET_LINK_LIFE.total_seconds() // 60)
        content = content_of(email, "reset", site, username=USERNAME, link=link, minutes=minutes)
        outbox.add(_cipher(), None, outbox.RESET, content, mail_links.hash_of(token))


def content_of(to: str, template: str, site: str | None, **context: Any) -> Content:
    """Write a mail. `site` is where links lead. It needs no request."""
    source = current_app.jinja_env.get_template(f"mail/{template}.txt")
    paragraphs = source.render(site=site, **context).split("\n\n")
    subject, *texts = (" ".join(text.split()) for text in paragraphs if text.strip())
    return Content(to, subject, "\n\n".join(map(_wrapped, texts)) + "\n")


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _cipher() -> Cipher:
    return cast(Cipher, current_app.extensions["cipher"])
