"""What a password must be, and how it is stored.

Its length counts, not its mix of characters: NIST SP 800-63B, section 3.1.1.2.
"""

from functools import cache
from pathlib import Path

from flask_babel import gettext
from werkzeug.security import check_password_hash, generate_password_hash

SHORTEST, LONGEST = 15, 128  # characters
COMMON = Path(__file__).parent / "common_passwords.txt"


@cache
def _common_passwords() -> frozenset[str]:
    """The 3,000 most common passwords, in lower case."""
    return frozenset(COMMON.read_text(encoding="utf-8").split())


def problem_with(password: str) -> str | None:
    """A sentence about what is wrong with a new password, or None."""
    if len(password) < SHORTEST:
        return gettext(
            "Use at least %(least)s characters. A few words in a row work well.", least=SHORTEST
        )
    if len(password) > LONGEST:
        return gettext("Use at most %(most)s characters.", most=LONGEST)
    if _repeated_unit(password.casefold()) in _common_passwords():
        return gettext("This password is too common. Choose one that nobody would guess.")
    return None


def _repeated_unit(text: str) -> str:
    """The shortest text that repeats to make `text`: "abc" for "abcabcabc".

    A common password is as easy to guess when it is repeated.
    """
    return text[: (text + text).find(text, 1)]


def hash_password(password: str) -> str:
    return generate_password_hash(password, method="scrypt")


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody has this password")


def matches(stored_hash: str | None, password: str) -> bool:
    """Is it the password of this hash? No password matches None.

    Without a hash the check takes as long, so that timing doesn't reveal which names exist.
    """
    matched = check_password_hash(stored_hash or _nobodys_hash(), password)
    return matched and stored_hash is not None
