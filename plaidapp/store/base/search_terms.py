"""Text as it is searched and sorted: without case and accents, the same on every database.

Each word in the search index begins with its owner's id ("7ucafe"), so that other people's rows do
not make a search slower.
"""

import functools
import re
import unicodedata

WORD = re.compile(r"[^\W_]+")
# People type these as plain letters, though Unicode does not treat them as accented letters.
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe"})
# For `bytes.translate`: letters and digits in lower case stay, and everything else ends a word.
ASCII = bytes(c if chr(c).isalnum() else ord(" ") for c in bytes(range(128)).lower()).ljust(256)
LONGEST_WORD = 60
LONGEST_KEY = 100
"""Characters. PostgreSQL limits the length of an index entry."""


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text: cafe, zoes, no, 5 for "Café Zoë's No. 5"."""
    if text.isascii():  # ten times as fast, and true for almost every row
        found = text.encode().translate(ASCII, b"'").decode().split()
    else:
        found = _beyond_ascii(text)
    longest = max(map(len, found), default=0)
    return tuple([word[:LONGEST_WORD] for word in found] if longest > LONGEST_WORD else found)


@functools.lru_cache(maxsize=10_000)  # the same merchants occur again and again
def _beyond_ascii(text: str) -> list[str]:
    return WORD.findall(_plain(text.replace("'", "").replace("’", "")))


def _plain(text: str) -> str:
    return _without_accents(_without_accents(text).casefold().translate(LETTERS))


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def index_of(user_id: int, *texts: str | None) -> str:
    """Return the search index's entry for these texts: each word once, each after a space."""
    mark = f" {user_id}u"
    found = dict.fromkeys(words_of(" ".join(filter(None, texts))))
    return mark + mark.join(found) if found else ""


def sort_key(title: str) -> str:
    """Return the text by which names are sorted."""
    return " ".join(words_of(title))[:LONGEST_KEY].strip()
