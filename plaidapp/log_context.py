"""What the lines of the log are about: a request, or an attempt at a pull.

Each thread has its own.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_NOTHING: Mapping[str, str | int] = {}
_fields: ContextVar[Mapping[str, str | int]] = ContextVar("log_fields", default=_NOTHING)


def current() -> Mapping[str, str | int]:
    """Return the fields that every line has now."""
    return _fields.get()


def begin(**fields: str | int) -> None:
    """Give all lines these fields and no others, until `end`."""
    _fields.set(fields)


def end() -> None:
    _fields.set(_NOTHING)


@contextmanager
def about(**fields: str | int) -> Iterator[None]:
    """Give the lines within the block these fields as well."""
    outer = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(outer)
