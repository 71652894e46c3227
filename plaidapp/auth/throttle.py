"""Which counts decide whether a try to log in or sign up is made at all.

A try is counted before the password is looked at, so that parallel guesses gain nothing. A success
takes it back. Nobody waits in a request: a try that comes too soon is refused, and isn't counted.

A browser from which the person has logged in before has a count of its own, so a stranger's
guesses don't keep them out.
"""

import hmac
import itertools
import math
from dataclasses import dataclass
from datetime import timedelta

from flask import current_app, request

from plaidapp import policy
from plaidapp.addresses import network_of
from plaidapp.store import User
from plaidapp.store.people import known_devices, users
from plaidapp.store.people.credentials import Credentials
from plaidapp.store.people.tries import Limit

from . import counting


@dataclass(frozen=True)
class Try:
    """`wait` is how long the next try has to wait; zero if it need not."""

    refused: bool
    wait: timedelta
    own: Limit | None
    address: Limit | None

    @property
    def seconds(self) -> int:
        return math.ceil(self.wait.total_seconds())

    def forgive(self) -> None:
        """Take the try back: the password was right, or nothing was guessed."""
        if self.own:
            counting.forget(self.own.key)
        if self.address:
            counting.take_back(self.address.key)


def log_in(name: str, person: Credentials | None, device: str | None) -> Try:
    """Count a try to log in as `person`, from a known device of theirs if `device` is its id.

    An account has one count, whether its name or its email address was typed. A name that nobody
    has gets a count as well.
    """
    key = users.key_of(name)
    return guess(person, device) if person else _guess(f"name {key}")


def guess(person: Credentials, device: str | None) -> Try:
    """Count a try to prove to be `person`, from a known device of theirs if `device` is its id."""
    if device:
        return _count(_guesses(f"device {device}"), None)
    return _guess(f"person {person.id}")


def _guess(whose: str) -> Try:
    return _count(_guesses(whose), _of_address("guesses", policy.ADDRESS_GUESSES))


def code(user_id: int, device: str | None) -> Try:
    """Count a try to guess a code of the second factor. These are counted apart from passwords."""
    if device:
        return _count(_guesses(f"code device {device}"), None)
    return _guess(f"code person {user_id}")


def forget_guesses(user_id: int) -> None:
    """Start the count of a person's wrong passwords again: they have proved who they are.

    Wrong codes still count, or each new password would bring new guesses of them.
    """
    counting.forget(_key(f"person {user_id}"))


def forget(user: User) -> None:
    """Forget how often a person's password and codes were guessed, and the mails that they were
    sent: they are leaving."""
    of_person = ("person", "code person", "mails of", "mails of new devices of", "calendar of")
    of_device = itertools.product(("device", "code device"), known_devices.of_person(user.id))
    counting.forget(_mails_to(user.email).key)
    for whose, number in [*itertools.product(of_person, [user.id]), *of_device]:
        counting.forget(_key(f"{whose} {number}"))


def sign_up() -> Try:
    # The try that uses up the limit starts the delay, and so the next one is refused.
    return _count(None, _of_address("sign-ups", policy.ADDRESS_SIGN_UPS - 1))


def reset(email: str) -> Try:
    """Count a request for a new password, whether or not anybody has this email address."""
    return _count(_mails_to(email), _of_address("resets", policy.ADDRESS_RESETS - 1))


def confirmation_mail(email: str, user_id: int | None = None) -> Try:
    """Count a mail with a link that confirms an address. `user_id` is who asks for it."""
    return _count(_mails_to(email), _mails(f"of {user_id}") if user_id else None)


def new_device_mail(user_id: int) -> Try:
    return _count(_mails(f"of new devices of {user_id}"), None)


def calendar_reading(user_id: int) -> Try:
    """Count a reading of a person's whole calendar by a program that has its address."""
    # The reading that uses up the limit starts the delay, and so the next one is refused.
    free, period = policy.CALENDAR_READS - 1, policy.ADDRESS_PERIOD
    return _count(Limit(_key(f"calendar of {user_id}"), free, period, renews=False), None)


def _mails_to(email: str) -> Limit:
    return _mails(f"to {users.key_of(email)}")


def _mails(which: str) -> Limit:
    # The mail that uses up the limit starts the delay, and so the next one is refused.
    free = policy.FREE_MAILS - 1
    return Limit(_key(f"mails {which}"), free, policy.ADDRESS_PERIOD, renews=True)


def _count(own: Limit | None, address: Limit | None) -> Try:
    verdict = counting.count([limit for limit in (own, address) if limit])
    return Try(not verdict.counted, verdict.wait, own, address)


def _guesses(whose: str) -> Limit:
    return Limit(_key(whose), policy.FREE_GUESSES, policy.GUESSES_FORGOTTEN, renews=True)


def _of_address(what: str, free: int) -> Limit | None:
    """Return the limit of the request's address; None if it came through a socket without one."""
    network = network_of(request.remote_addr)
    if network is None:
        return None
    return Limit(_key(f"{what} {network}"), free, policy.ADDRESS_PERIOD, renews=False)


def _key(whose: str) -> str:
    """Return a key that tells neither names nor addresses to whoever can read Redis."""
    secret = str(current_app.secret_key).encode()
    return hmac.digest(secret, whose.encode("utf-8", "replace"), "sha256").hex()[:32]
