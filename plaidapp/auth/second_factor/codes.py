"""The codes of an authenticator app: six digits that change every 30 seconds.

https://www.rfc-editor.org/rfc/rfc6238. Clocks differ, so the code before and the one after the
current one are accepted as well. Each counts once.
"""

import hmac

import pyotp
import segno
from cryptography.fernet import InvalidToken
from flask import current_app

from plaidapp import sealing
from plaidapp.sealing import Cipher, Sealed
from plaidapp.store import User
from plaidapp.store.base.types import now
from plaidapp.store.people import authenticators

DIGITS, INTERVAL = 6, 30  # what every app expects
SITE = "plaidapp"


def new_secret() -> str:
    return pyotp.random_base32()


def address_of(secret: str, user: User) -> str:
    """Return the `otpauth:` address, which an app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=SITE)


def picture_of(address: str) -> str:
    """Return the QR code as SVG: dark on light, whatever the theme. Cameras need that."""
    code = segno.make(address, error="m", micro=False)
    return code.svg_inline(scale=4, dark="#000", light="#fff", svgclass="qr", lineclass=None)


def offer(user_id: int, secret: str) -> str:
    """Seal a secret, for the page that offers it to send it back."""
    return _cipher().encrypt(sealing.offered_secret(user_id), secret).decode()


def offered(user_id: int, sealed: str) -> str | None:
    """Return the secret that the page has sent back; None if it was not offered to this person."""
    try:
        place = sealing.offered_secret(user_id)
        return _cipher().decrypt(Sealed(place, sealed.encode("utf-8", "replace")))
    except InvalidToken:
        return None


def accept(user_id: int, secret: str, step: int) -> bool:
    """Store the app of a person, who has typed the code of this step. False if they have one."""
    sealed = _cipher().encrypt(sealing.authenticator_secret(user_id), secret)
    return authenticators.add(user_id, sealed, step)


def check(user_id: int, code: str) -> bool:
    """Is it a code of the person's app now? Then it is used up."""
    app = authenticators.of_person(user_id)
    if app is None:
        return False
    place = sealing.authenticator_secret(user_id)
    step = step_of(_cipher().decrypt(Sealed(place, app.sealed_secret)), code)
    return step is not None and authenticators.use_up(user_id, step)


def step_of(secret: str, code: str) -> int | None:
    """Return the step that the code belongs to; None if it is wrong now."""
    typed = "".join(code.split()).encode("utf-8", "replace")
    generate, current = pyotp.TOTP(secret).generate_otp, int(now().timestamp()) // INTERVAL
    steps = (current - 1, current, current + 1)
    right = [step for step in steps if hmac.compare_digest(generate(step).encode(), typed)]
    return max(right, default=None)


def _cipher() -> Cipher:
    cipher: Cipher = current_app.extensions["cipher"]
    return cipher
