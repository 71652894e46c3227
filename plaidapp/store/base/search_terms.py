"""Text as it is searched and sorted by: without case and accents, the same on every database.

A row's words carry their owner's id ("7ucafe"), so that the search index is the person's own: what
others have stored costs nobody time. Migration 0004 fills the columns as these functions do.
"""

import functools
import re
import unicodedata

WORD = re.compile(r"[^\W_]+")
# What Unicode does not take for a letter with an accent, though people type it as one.
ALIKE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe"})
# By code: lower case and digits stay, all else ends a word. `bytes.translate` wants 256 of them.
ASCII = bytes(c if chr(c).isalnum() else ord(" ") for c in bytes(range(128)).lower()).ljust(256)
LONGEST_WORD = 60
LONGEST_KEY = 100
"""Characters; an index's entry has a limit on PostgreSQL."""


def words_of(text: str) -> tuple[str, ...]:
    """ "Café Zoë's No. 5" is cafe, zoes, no, 5."""
    if text.isascii():  # ten times as quick, and nearly every row
        found = text.encode().translate(ASCII, b"'").decode().split()
    else:
        found = _beyond_ascii(text)
    longest = max(map(len, found), default=0)
    return tuple([word[:LONGEST_WORD] for word in found] if longest > LONGEST_WORD else found)


@functools.lru_cache(maxsize=10_000)  # the same merchants come again and again
def _beyond_ascii(text: str) -> list[str]:
    return WORD.findall(_plain(text.replace("'", "").replace("’", "")))


def _plain(text: str) -> str:
    return _without_accents(_without_accents(text).casefold().translate(ALIKE))


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def index_of(user_id: int, *texts: str | None) -> str:
    """What the search index holds of these texts: each word once, after a space each."""
    mark = f" {user_id}u"
    found = dict.fromkeys(words_of(" ".join(filter(None, texts))))
    return mark + mark.join(found) if found else ""


def sort_key(title: str) -> str:
    """By which names are in order."""
    return " ".join(words_of(title))[:LONGEST_KEY].strip()
