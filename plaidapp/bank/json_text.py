"""Take JSON apart into the texts of its parts, and put it together again.

The parts stay as they were sent, to the last digit. msgspec refuses the whole of a text for one
lone surrogate in it, so this uses Python's parser. Bytes that are not UTF-8 are surrogate escapes
here (PEP 383).
"""

import json
import re
from collections.abc import Iterator, Mapping

_parse = json.JSONDecoder(strict=False, parse_float=str, parse_int=str).raw_decode
_MARKS = {mark: re.compile(rf"[ \t\n\r]*{re.escape(mark)}[ \t\n\r]*") for mark in ("", *'{}[],:"')}


def members(text: str) -> dict[str, str]:
    """Return the members of an object by name. Raises JSONDecodeError if it is no object."""
    return dict(_parts(text, "{}"))


def elements(text: str) -> list[str]:
    """Return the elements of an array. Raises JSONDecodeError if it is no array."""
    return [part for _, part in _parts(text, "[]")]


def object_of(fields: Mapping[str, str]) -> bytes:
    """Return an object with these members."""
    return encoded(f"{{{','.join(f'{json.dumps(name)}:{raw}' for name, raw in fields.items())}}}")


def encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def decoded(text: bytes) -> str:
    return text.decode(errors="surrogateescape")


def _parts(text: str, brackets: str) -> Iterator[tuple[str, str]]:
    """Yield name and text of each member, or an empty name and the text of each element."""
    opening, closing = brackets[0], brackets[1]
    at, separator = _after(text, 0, opening), ""
    while not text.startswith(closing, at):
        name, at = "", _after(text, at, separator)
        if opening == "{":
            _after(text, at, '"')
            name, at = _parse(text, at)
            at = _after(text, at, ":")
        begin = at
        _, at = _parse(text, begin)
        yield name, text[begin:at]
        at, separator = _after(text, at, ""), ","


def _after(text: str, at: int, mark: str) -> int:
    """Return where the text continues after `mark` and the spaces around it."""
    found = _MARKS[mark].match(text, at)
    if found is None:
        raise json.JSONDecodeError(f"Expecting {mark!r}", text, at)
    return found.end()
