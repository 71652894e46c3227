"""What Plaid's responses say: decoded bodies, and errors from refusals."""

from typing import TypeVar

import msgspec
import plaid

from . import errors, payloads, rows
from .error_sentences import NONSENSE, UNREACHABLE
from .errors import BankError

Answer = TypeVar("Answer", bound=msgspec.Struct)


def decode_page(body: bytes) -> payloads.SyncPage:
    """Decode a page of /transactions/sync as `decode` does."""
    return decode(body, payloads.SyncPage)


def decode(body: bytes, kind: type[Answer]) -> Answer:
    """Decode an answer at once or, if that fails, row by row.

    Rows that can't be read are in its `unread`. Raises BankError if the answer around its rows is
    not as Plaid documents it.
    """
    if not rows.has_nul(body):
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # one of its rows may be the cause
    try:
        return rows.read_answer(body, kind)
    except (ValueError, RecursionError):
        raise errors.transport_error(NONSENSE) from None


def refusal(error: plaid.ApiException) -> BankError:
    """Read Plaid's error object. If the body has none, the HTTP status decides."""
    status = error.status or 0
    try:
        sent = rows.read_row((error.body or "").encode(), payloads.PlaidError)
    except rows.UnreadError:
        return errors.transport_error(UNREACHABLE if status >= 500 else NONSENSE)
    return errors.from_plaid(sent, status, _retry_after(error))


def _retry_after(error: plaid.ApiException) -> float | None:
    """Return the header's seconds. It may hold a date instead, which is ignored."""
    value = (error.headers or {}).get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() else None
