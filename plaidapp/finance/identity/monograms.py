"""What a disc shows of a merchant or a bank without a logo: letters of its name, on a tint."""

import functools
import zlib

import regex
from flask import Flask

SHARES = (0.2126, 0.7152, 0.0722)
"""Of red, green and blue in how light a color is."""
MIDDLE = 0.18
"""As far from black as from white."""
KEPT = 5000
"""Names whose letters a process keeps: pages show the same ones. `regex` also lets other threads
run at each match, and on a busy site a page would wait for them a hundred times."""
TINTS = 7
"""How many there are in static/app.css, counted from 1."""
LEFT_OUT = {"a", "an", "the"}
"""Words that a name is not known by."""
WORD = regex.compile(r"(?<letter>[\p{L}\p{N}]\p{M}*)[^\s*/]*")
HAS_CAPITALS = regex.compile(r"[\p{Lu}\p{Ll}\p{Lt}\p{N}]")
"""In other scripts one character fills a disc, or two would join."""
ANYTHING = regex.compile(r"[\s\p{Cc}\p{Cf}]*+(\X)")


def init_app(app: Flask) -> None:
    app.add_template_filter(monogram)
    app.add_template_filter(tint)
    app.add_template_filter(is_dark)


@functools.lru_cache(KEPT)
def monogram(name: str, most: int = 2) -> str:
    """Such as "TJ" for "Trader Joe’s". At most `most` letters; an emoji if there is nothing else.

    Only the first word may begin with a digit: further numbers are a bank's own.
    """
    words = list(WORD.finditer(name))
    words = [word for word in words if word[0].lower() not in LEFT_OUT] or words
    if not words:
        found = ANYTHING.match(name)
        return str(found[1]) if found else ""
    named = [words[0], *(word for word in words[1:] if not word[0][0].isdigit())]
    letters = [_upper(word["letter"]) for word in named[:most]]
    return "".join(letters) if HAS_CAPITALS.match(letters[0]) else letters[0]


def _upper(letter: str) -> str:
    """A letter whose capital is two letters, such as ß, stays as it is."""
    upper = letter.upper()
    return upper if len(upper) == len(letter) else letter


def tint(name: str) -> int:
    """Return the number of a tint: always the same for the same name, in whatever case."""
    return 1 + zlib.crc32(name.casefold().encode()) % TINTS


def is_dark(color: str) -> bool:
    """Should letters on a color such as "#004966" be white? Otherwise black has more contrast.

    One of the two has at least 4.5 with any color.
    https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
    """
    parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    light = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    luminance = sum(share * part for share, part in zip(SHARES, light, strict=True))
    return luminance < MIDDLE
