"""Judge keys that an operator has chosen: somebody who can guess one can forge or decrypt."""

import math
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from cryptography.fernet import Fernet

SHORTEST = 32  # characters: 128 bits even if all of them are hexadecimal digits
LEAST_BITS = 80
"""By `_bits`, which counts 100 to 130 for 32 random hexadecimal digits."""
PLACEHOLDERS = (
    *("change", "replace", "insert", "placeholder", "example", "sample", "default", "insecure"),
    *("secret", "password", "django", "flask", "dev", "prod", "test", "random", "string", "token"),
    *("session", "private", "super", "very", "long", "here", "your", "this", "with", "only", "not"),
    *("key", "me", "my", "to", "in", "is", "a", "the", "for", "and", "something", "qwertyuiop"),
    *("asdfghjkl", "zxcvbnm", "1234567890", "0123456789", "abcdefghijklmnopqrstuvwxyz"),
)
KNOWN = "is a published example, which everybody knows"
GUESSABLE = "is easy to guess"
PUBLISHED = frozenset(
    {
        # Flask's documentation
        "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
        # The specification of Fernet, and therefore many tutorials
        "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
        # Examples of containers for Apache Airflow
        "46BKJoQYlPPOexq0OhDZnIlNepKFf87WFwLbfzqDDho=",
        "81HqDtbqAywKSOumSha3BhWNOdQ26slT6K0YaZeZyPs=",
    }
)


def problem_with_secret(key: str) -> str | None:
    """Return what is wrong with a key that signs, as the end of a sentence, or None."""
    if len(key) < SHORTEST:
        return f"is too short: it has {len(key)} characters and needs {SHORTEST}"
    if key in PUBLISHED:
        return KNOWN
    return GUESSABLE if _bits(_without_placeholders(key)) < LEAST_BITS else None


def problem_with_token_key(key: str) -> str | None:
    """Return what is wrong with a key of Fernet, as the end of a sentence, or None."""
    try:
        Fernet(key)
    except ValueError:
        return "is no Fernet key"
    if key in PUBLISHED:
        return KNOWN
    return GUESSABLE if _bits(urlsafe_b64decode(key)) < LEAST_BITS else None


def _without_placeholders(key: str) -> str:
    """Return the key without words like change-me. What is left must be strong on its own."""
    rest = key.casefold()
    if not any(len(word) > 3 and word in rest for word in PLACEHOLDERS):
        return key
    for word in sorted(PLACEHOLDERS, key=len, reverse=True):
        rest = rest.replace(word, "")
    return rest


def _bits(symbols: Sequence[str] | Sequence[int]) -> float:
    """Estimate from below how many bits it takes to guess this.

    Shannon's entropy of the symbols, and of the steps between them, which is small for rows such as
    "abcdef". What is repeated counts once.
    """
    unit = _repeated_unit(symbols)
    codes = [ord(symbol) if isinstance(symbol, str) else symbol for symbol in unit]
    steps = [after - before for before, after in pairwise(codes)]
    return len(codes) * min(_entropy(codes), _entropy(steps))


def _repeated_unit(symbols: Sequence[str] | Sequence[int]) -> Sequence[str] | Sequence[int]:
    """Return the shortest beginning that, repeated, makes up the whole (or ends within it)."""
    for length in range(1, len(symbols)):
        if all(symbols[at] == symbols[at % length] for at in range(length, len(symbols))):
            return symbols[:length]
    return symbols


def _entropy(values: Sequence[int]) -> float:
    """Return Shannon's entropy of one of the values, in bits."""
    shares = [count / len(values) for count in Counter(values).values()]
    return -sum(share * math.log2(share) for share in shares)
