"""What a password must be, and how it is stored.

Its length counts, and how many guesses it takes, not its mix of characters: NIST SP 800-63B,
section 3.1.1.2. zxcvbn estimates the guesses: https://github.com/shssoichiro/zxcvbn-rs
"""

import hashlib
import os
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from flask_babel import gettext, lazy_gettext
from werkzeug.security import check_password_hash
from zxcvbn_rs_py import Warning as Found
from zxcvbn_rs_py import zxcvbn

from plaidapp import policy

COMMON = Path(__file__).parent / "common_passwords.txt"
SHORTEST, LONGEST = 15, 128  # characters
JUDGED = 40
"""The characters that the estimator sees: with each one it may take twice as long."""
STRONG = 10
"""A good password takes at least 10 to the power of this many guesses."""
SITE = "plaidapp"
EASY = lazy_gettext("This password is easy to guess. Add a few words.")
WEAKNESSES = (
    (
        lazy_gettext("This password repeats the same characters. Use other words."),
        (
            Found.RepeatsLikeAaaAreEasyToGuess,
            Found.RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess,
        ),
    ),
    (
        lazy_gettext(
            "This password follows the order of the keyboard, the alphabet or numbers."
            " Use other words."
        ),
        (
            Found.StraightRowsOfKeysAreEasyToGuess,
            Found.ShortKeyboardPatternsAreEasyToGuess,
            Found.SequencesLikeAbcAreEasyToGuess,
        ),
    ),
    (
        lazy_gettext("This password is made of common passwords. Use other words."),
        (
            Found.ThisIsATop10Password,
            Found.ThisIsATop100Password,
            Found.ThisIsACommonPassword,
            Found.ThisIsSimilarToACommonlyUsedPassword,
        ),
    ),
)
"""What to say about what the estimator found. EASY is for the rest."""


@cache
def _common_passwords() -> frozenset[str]:
    """The 3,000 most common passwords, in lower case."""
    return frozenset(COMMON.read_text(encoding="utf-8").split())


def problem_with(password: str, personal: Sequence[str] = ()) -> str | None:
    """A sentence about what is wrong with a new password, or None.

    `personal` are words that others would guess first, such as the person's name.
    """
    if len(password) < SHORTEST:
        return gettext(
            "Use at least %(least)s characters. A few words in a row work well.", least=SHORTEST
        )
    if len(password) > LONGEST:
        return gettext("Use at most %(most)s characters.", most=LONGEST)
    if _repeated_unit(password.casefold()) in _common_passwords():
        return gettext("This password is too common. Choose one that nobody would guess.")
    return _weakness(_as_judged(password), [_as_judged(word) for word in (SITE, *personal)])


def _as_judged(text: str) -> str:
    return unicodedata.normalize("NFKC", text)[:JUDGED]


def _weakness(password: str, personal: list[str]) -> str | None:
    """A sentence about why the estimator finds a password easy to guess, or None."""
    estimate = zxcvbn(password, personal)
    if estimate.guesses_log10 >= STRONG:
        return None
    if zxcvbn(password).guesses_log10 >= STRONG:
        return gettext(
            "This password is easy to guess from your name, your email address or the name of"
            " this site. Choose other words."
        )
    found = estimate.feedback.warning if estimate.feedback else None
    return str(next((sentence for sentence, causes in WEAKNESSES if found in causes), EASY))


def _repeated_unit(text: str) -> str:
    """The shortest text that repeats to make `text`: "abc" for "abcabcabc".

    A common password is as easy to guess when it is repeated.
    """
    return text[: (text + text).find(text, 1)]


class BusyError(Exception):
    """Too many passwords are being hashed."""


_places = BoundedSemaphore(policy.PASSWORDS_AT_ONCE)


@contextmanager
def place() -> Iterator[None]:
    """Wait for a place to hash or check a password in: each takes policy.PASSWORD_MEMORY.

    Raises BusyError if none comes free.
    """
    if not _places.acquire(timeout=policy.PASSWORD_PATIENCE):
        raise BusyError
    try:
        yield
    finally:
        _places.release()


ARGON2ID = "$argon2id$"


def hash_password(password: str) -> str:
    return _argon2id().derive_phc_encoded(password.encode())


def _kilobytes() -> int:
    return policy.PASSWORD_MEMORY // 1024


def _argon2id() -> Argon2id:
    """With the least cost that OWASP recommends: 19 MB, which go through the cache twice.

    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """
    salt = os.urandom(16)
    return Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=_kilobytes())


def is_outdated(stored_hash: str) -> bool:
    """Was it made by a version that hashed in another way? A hash begins with its parameters."""
    return not stored_hash.startswith(f"$argon2id$v=19$m={_kilobytes()},t=2,p=1$")


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody has this password")


def matches(stored_hash: str | None, password: str) -> bool:
    """Is it the password of this hash? No password matches None.

    Without a hash the check takes as long, so that timing doesn't reveal which names exist. The
    hash of a person who only logs in with passkeys is empty.
    """
    nobodys = _nobodys_hash()  # made by the first check, whether or not it is needed there
    matched = _fits(stored_hash or nobodys, password)
    return matched and bool(stored_hash)


def fingerprint(stored_hash: str) -> str:
    """Return what changes with the password. The hash has a secret salt, so this tells nothing."""
    return hashlib.sha256(stored_hash.encode()).hexdigest()[:32]


def _fits(stored_hash: str, password: str) -> bool:
    if not stored_hash.startswith(ARGON2ID):  # of a version that hashed with scrypt
        return check_password_hash(stored_hash, password)
    try:
        Argon2id.verify_phc_encoded(password.encode(), stored_hash)
    except InvalidKey:
        return False
    return True


def warm_up() -> None:
    """Do the work that a first sign-up and log-in would wait for."""
    _common_passwords()
    _nobodys_hash()
    zxcvbn(SITE)
