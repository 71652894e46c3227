"""How wide a text is. An SVG can't make room for its texts, so its width is estimated."""

import unicodedata
from collections.abc import Iterable

NARROW = ".,'’ :;|il\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"


def width_of(texts: Iterable[str]) -> str:
    """Return a length of CSS for the widest of the texts, in widths of a digit."""
    return f"{max((_width(text) for text in texts), default=0):.1f}ch"


def shortened(text: str, most: float) -> str:
    """Return the text, cut with an ellipsis if it is wider than `most` widths of a digit."""
    if _width(text) <= most:
        return text
    while _width(text) > most - 1:
        text = text[:-1]
    return f"{text.rstrip()}…"


def _width(text: str) -> float:
    return sum(_width_of(character) for character in text)


def _width_of(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.7
    return 0.5 if character in NARROW else 1.0 if character.isdigit() else 0.92
