"""Text as it is searched and sorted: without case and accents, the same on every database.

A search finds any part of a word. So a word is stored as its pairs of characters, each after a
space, and a tab ends it: " ca af fe\t" for "Café". An index of the pairs finds the rows that may
match. Which of them do is then read from the same text: "afe" is in a word if " af fe" is in its
pairs. The last character of a word also stands alone, unless it is ASCII: so each emoji begins a
term of the index. A single ASCII character is in too many words for an index to help.
"""

import functools
import operator
import re
import unicodedata
from collections.abc import Iterable, Sequence

# For `bytes.translate`: letters and digits in lower case stay, and everything else is a space.
ASCII = bytes(c if chr(c).isalnum() else ord(" ") for c in bytes(range(128)).lower()).ljust(256)
PUNCTUATION = bytes(c for c in range(128) if not (chr(c).isalnum() or chr(c).isspace()))
# People type these as plain letters, though Unicode does not treat them as accented letters.
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe"})
APOSTROPHES = str.maketrans(dict.fromkeys("'’ʼʻ", ""))
KANA_MARKS = 8
"""The combining class of the marks that make a different letter: が is not an accented か."""
SELECTORS = re.compile("[\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""They choose between the looks of a character, such as a colorful emoji."""
DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
POINT = "\N{ONE DOT LEADER}"
"""Stands for a decimal point, so that 17.99 is not 1799. No decomposed text contains it."""
SHORTEST_NAME = 2
"""Letters of a name that find it. One would be the beginning of too many."""
SHORTEST_JOINED = 5
"""Characters. Words that are shorter without their punctuation are parts of too many others."""
LONGEST_TEXT = 20_000
"""Characters of a text that are searched. PostgreSQL limits the size of all pairs together."""
LONGEST_KEY = 100
"""Characters. PostgreSQL limits the length of an index entry."""


def words_of(text: str) -> list[str]:
    """Return the words of a text: cafe, zoes, no, 5 for "Café Zoë's No. 5".

    Space separates words. Punctuation is left out, so that "AT&T" is att, except within numbers.
    Emoji are letters.
    """
    if _is_plain(text):
        return text.encode().translate(ASCII, PUNCTUATION).decode().split()
    return _beyond_ascii(text, "")


def pieces_of(text: str) -> list[str]:
    """Return the words of a text where punctuation separates words too: at, t for "AT&T"."""
    if _is_plain(text):
        return text.encode().translate(ASCII, b"'").decode().split()
    return _beyond_ascii(text, " ")


def _is_plain(text: str) -> bool:
    """True for almost every row. Such a text is read ten times as fast as others."""
    return text.isascii() and not (("." in text or "," in text) and DECIMAL.search(text))


@functools.lru_cache(maxsize=20_000)  # the same merchants occur again and again
def _beyond_ascii(text: str, punctuation: str) -> list[str]:
    plain = _plain(text)
    return "".join(c if c.isspace() or _is_searched(c) else punctuation for c in plain).split()


def _plain(text: str) -> str:
    plain = SELECTORS.sub("", _without_accents(_without_accents(text).casefold()))
    composed = unicodedata.normalize("NFC", plain.translate(LETTERS | APOSTROPHES))
    return DECIMAL.sub(POINT, composed)


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if unicodedata.combining(c) in (0, KANA_MARKS))


@functools.lru_cache(maxsize=10_000)
def _is_searched(char: str) -> bool:
    """True for letters, digits, vowel signs and emoji, also those that Python does not know yet."""
    if char.isascii():
        return char.isalnum()
    category = unicodedata.category(char)
    is_shown = category[0] in "LNMS" and category not in ("Sc", "Me")
    return is_shown or category in ("Cn", "Co") or char == POINT


def pairs_of(*texts: str | None) -> str:
    """Return the texts as they are searched, in lines. What is a part of another adds nothing."""
    found = ""
    for text in texts:
        for line in _lines(text[:LONGEST_TEXT]) if text else ():
            if line not in found:
                found = f"{line}\n" if found[:-1] in line else f"{found}{line}\n"
    return found


@functools.lru_cache(maxsize=2_000)  # the same merchants occur again and again
def _lines(text: str) -> list[str]:
    """Return the pairs of the text and then of each word with punctuation in it, piece by piece."""
    spelled = [_spelled(word) for word in text.split()]
    return ["".join([whole for whole, _ in spelled]), *[pieces for _, pieces in spelled if pieces]]


@functools.lru_cache(maxsize=20_000)  # and the same words in other texts
def _spelled(word: str) -> tuple[str, str]:
    """Return the pairs of a word and, if punctuation separates it, of its pieces."""
    if word.isascii() and word.isalnum():
        return _whole(word.lower()), ""
    pieces = pieces_of(word)
    return _joined(words_of(word)), _joined(pieces) if len(pieces) > 1 else ""


def _joined(words: Iterable[str]) -> str:
    return "".join(map(_whole, words))


def _whole(word: str) -> str:
    end = "" if len(word) == 1 or word[-1].isascii() else f" {word[-1]}"
    return f"{_begun(word)}{end}\t"


def _begun(word: str) -> str:
    """Return the pairs of a word that may go on."""
    return f" {' '.join(map(operator.add, word, word[1:])) or word}"


def parts_of(typed: str) -> tuple[str, ...]:
    """Return what to look for in `pairs_of` a text to find a word that somebody typed.

    Several parts are several spellings: "coca-cola" finds "Coca Cola" and "CocaCola" too. But att
    is a part of Seattle, so "AT&T" has only one. There are none for a word without letters.
    """
    pieces, words = pieces_of(typed), words_of(typed)
    is_long = sum(map(len, words)) >= SHORTEST_JOINED
    spellings = (pieces, words) if is_long else (pieces,)
    return tuple(dict.fromkeys(_part(spelling) for spelling in spellings if spelling))


def _part(words: Sequence[str]) -> str:
    """Return the words as in `pairs_of`. The first may have begun before, the last may go on.

    A first word of one character has no space in front: it may be the second one of a pair.
    """
    *whole, last = words
    part = _joined(whole) + _begun(last)
    return part[1:] if len(words[0]) == 1 else part


def tokens_of(part: str) -> list[str]:
    """Return the terms of a part that an index has. A single character is the beginning of one."""
    tokens = part.split()
    is_begun = not part.startswith(" ") and tokens[0].isascii()
    return list(dict.fromkeys(tokens[1:] if is_begun else tokens))


def begins_in(name: str, typed: str) -> bool:
    """True if a word of the name of something begins with the word that somebody typed.

    Not in the middle, or "king" would find every row of a "Checking" account; but anywhere among
    letters without case, since many of their scripts put no space between words.
    """
    wanted = "".join(words_of(typed))
    if len(wanted) < SHORTEST_NAME:
        return False
    anywhere = wanted.upper() == wanted and not any(map(str.isdigit, wanted))
    return any(wanted in word if anywhere else word.startswith(wanted) for word in words_of(name))


def sort_key(title: str) -> str:
    """Return the text by which names are sorted."""
    return " ".join(words_of(title))[:LONGEST_KEY].strip()
