"""The challenge that a passkey signs: random, for one purpose, for a few minutes, once."""

import secrets
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from flask import abort, request, session
from flask_babel import gettext
from webauthn import base64url_to_bytes
from webauthn.helpers import bytes_to_base64url, parse_client_data_json

from plaidapp import policy
from plaidapp.origins import is_own
from plaidapp.store.base.types import now
from plaidapp.store.people import spent_tokens

KEY = "passkey_challenge"
PATIENCE = int(policy.CHALLENGE_LIFE.total_seconds() * 1000)
"""How long a browser waits for the person, in milliseconds."""


class PasskeyError(Exception):
    """A passkey was not accepted. `str()` is a sentence for the person."""


class Challenge(NamedTuple):
    text: str
    ends_at: datetime

    @property
    def value(self) -> bytes:
        return base64url_to_bytes(self.text)

    def use_up(self, user_id: int) -> None:
        """Raises PasskeyError if an answer to this challenge was accepted before."""
        if not spent_tokens.spend(user_id, self.text, self.ends_at):
            raise PasskeyError(_too_late())


def new(purpose: str) -> bytes:
    """Make a challenge that only this browser can answer, and only for `purpose`."""
    challenge = secrets.token_bytes(32)
    end = int((now() + policy.CHALLENGE_LIFE).timestamp())
    session[KEY] = [purpose, bytes_to_base64url(challenge), end]
    return challenge


def take(purpose: str) -> Challenge:
    """Return the challenge of this browser. Raises PasskeyError if it has none that counts."""
    given_for, text, end = session.pop(KEY, ("", "", 0))
    ends_at = datetime.fromtimestamp(end, UTC)
    if given_for != purpose or ends_at <= now():
        raise PasskeyError(_too_late())
    return Challenge(text, ends_at)


def host() -> str | None:
    """Return the name of this site for passkeys (the RP ID), None where browsers allow none.

    It is the host of the request (plaidapp/hosts.py). An IP address is not a name.
    """
    name = (urlsplit(f"//{request.host}").hostname or "").rstrip(".")
    try:
        ip_address(name)
    except ValueError:
        return name or None
    return None


def host_or_404() -> str:
    """Abort with 404 where there can be no passkeys."""
    name = host()
    if name is None:
        abort(404)
    return name


def origin_in(client_data: bytes) -> str:
    """Return the origin of the page that asked. Raises PasskeyError if it is not one of ours."""
    data = parse_client_data_json(client_data)
    if data.cross_origin or not is_own(data.origin):
        raise PasskeyError(not_accepted())
    return data.origin


def not_accepted() -> str:
    return gettext("This passkey was not accepted. Try again.")


def _too_late() -> str:
    return gettext("That took too long. Try again.")
