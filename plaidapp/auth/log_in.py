"""The one way in: every log-in and sign-up goes through here, and most go through `let_in`.

Who has a second factor is let in only after `second_factor/log_in_step.py` has seen it. A passkey
counts as both factors, because it is used with a fingerprint, a face or a PIN.
"""

from flask import redirect, url_for
from werkzeug import Response

from plaidapp.events import event
from plaidapp.store import User
from plaidapp.store.people import factors, users
from plaidapp.store.people.activity import Kind

from . import current_session, half_log_in, known_device, mails

PASSKEY = "passkey"


def let_in_first(user: User, target: str) -> Response:
    """Log in somebody who has just signed up: every device is new to them."""
    return _start(user, target, Kind.LOGGED_IN, kept=False, device=None)


def let_in(user: User, target: str, *, kept: bool = False, device: str | None = None) -> Response:
    """Go on after the first factor: log the person in, or ask for the second factor.

    `device` is the id of this browser if it is a known device of theirs.
    """
    if not factors.of_person(user.id):
        return complete(user, target, kept=kept, device=device)
    half_log_in.begin(user, target, kept=kept, device=device)
    return redirect(url_for("auth.second_factor"))


def complete(
    user: User, target: str, *, kept: bool = False, device: str | None = None, factor: str = ""
) -> Response:
    """Log the person in, and know their browser from now on. `factor` is the second one, if any."""
    event(
        "login",
        person=users.opaque_id_of(user),
        device="known" if device else "new",
        factor=factor or None,
    )
    how = Kind.LOGGED_IN_WITH_PASSKEY if factor == PASSKEY else Kind.LOGGED_IN
    if device is None:
        mails.tell_of_new_device(user)
    return _start(user, target, how, kept=kept, device=device)


def _start(user: User, target: str, how: Kind, *, kept: bool, device: str | None) -> Response:
    device = device or known_device.new_id()
    current_session.start(user, device, kept=kept, how=how)
    answer = redirect(target)
    known_device.remember(answer, user, device)
    return answer
