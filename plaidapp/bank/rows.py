"""Read the rows of an answer one by one, so that one that can't be read does not block the others.

This is the slow way. It is taken only when an answer can't be decoded as a whole (responses.py).
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeVar

import msgspec

from plaidapp.texts import gettext_noop

from .json_text import decoded, elements, encoded, members, object_of
from .payloads import Balances, Id, PlaidAccount, PlaidStream, PlaidTransaction, Removed
from .unread import ACCOUNT, REMOVED, STREAM, TRANSACTION, Unread

NUL = rb"\u0000"
"""JSON's spelling of the character that PostgreSQL can't store in a text."""

WRONG_FORM = gettext_noop("A value is missing or has the wrong form: %(reason)s")
BAD_TEXT = gettext_noop("A text has characters that can't be stored.")
NOT_A_ROW = gettext_noop("This is not an entry with named values.")
PARTLY = gettext_noop("A part is unknown: %(reason)s")
CURRENCIES = ("iso_currency_code", "unofficial_currency_code")

Answer = TypeVar("Answer", bound=msgspec.Struct)
Row = TypeVar("Row", bound=msgspec.Struct)


class UnreadError(ValueError):
    """A row can't be read. The message is a sentence for a person."""


class Rows(NamedTuple):
    """What the entries of a list are, and the name of their id."""

    kind: str
    type: type[msgspec.Struct]
    id: str


TRANSACTIONS = Rows(TRANSACTION, PlaidTransaction, "transaction_id")
STREAMS = Rows(STREAM, PlaidStream, "stream_id")
LISTS = {
    "added": TRANSACTIONS,
    "modified": TRANSACTIONS,
    "transactions": TRANSACTIONS,
    "removed": Rows(REMOVED, Removed, "transaction_id"),
    "accounts": Rows(ACCOUNT, PlaidAccount, "account_id"),
    "inflow_streams": STREAMS,
    "outflow_streams": STREAMS,
}
"""The lists of rows in Plaid's answers, by their names."""


def has_nul(body: bytes) -> bool:
    """Most pages have no backslash at all, and a single character is found sixty times as fast."""
    return b"\\" in body and NUL in body


def read_answer(body: bytes, kind: type[Answer]) -> Answer:
    """Return the answer with the rows that can be read, and the others in its `unread`.

    Raises ValueError if what is around the rows can't be read.
    """
    fields = members(decoded(body))
    unread: list[Unread] = []
    known: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        name = field.encode_name
        if name in fields and name != "unread":
            known[name] = fields[name]
        if name in known and name in LISTS:
            rows = [_readable(LISTS[name], raw, unread) for raw in elements(known[name])]
            known[name] = f"[{','.join(filter(None, rows))}]"
    answer = read_row(object_of(known), kind)
    return msgspec.structs.replace(answer, unread=unread) if unread else answer


def read_row(raw: bytes, kind: type[Row]) -> Row:
    """Read one row. Raises UnreadError."""
    try:
        row = msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        sentence = str(error.__cause__ or WRONG_FORM % {"reason": error})
        raise UnreadError(sentence) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadError(BAD_TEXT) from None
    if has_nul(raw) and any("\0" in text for text in _texts(row)):
        raise UnreadError(BAD_TEXT)
    return row


def _readable(rows: Rows, raw: str, unread: list[Unread]) -> str:
    """Return the row's text, or what is readable of it, or "". Adds to `unread` what is not."""
    try:
        read_row(encoded(raw), rows.type)
        return raw
    except UnreadError as error:
        reason = str(error)
    readable, plaid_id = "", None
    try:
        fields = members(raw)
    except ValueError:
        reason = NOT_A_ROW
    else:
        plaid_id = _id_of(fields.get(rows.id, "null"))
        if rows.type is PlaidAccount:
            readable, reason = _account(fields)
    unread.append(Unread(rows.kind, plaid_id, encoded(raw), reason))
    return readable


class _Id(msgspec.Struct):
    id: Id


def _id_of(raw: str) -> str | None:
    try:
        return read_row(object_of({"id": raw}), _Id).id
    except UnreadError:
        return None


def _account(fields: dict[str, str]) -> tuple[str, str]:
    """Return what is readable of an account, or "", and why the rest is not.

    An account needs its id, name and type. Anything else may be unknown. Its balances are all
    unknown without their currency.
    """
    reasons: list[str] = []
    try:
        sent = members(fields.get("balances", ""))
    except ValueError:
        sent = {}
        reasons.append(f"balances: {NOT_A_ROW}")
    balances = _parts(Balances, sent, reasons)
    if any(name in sent and name not in balances for name in CURRENCIES):
        balances = {}
    try:
        known = _parts(PlaidAccount, fields | {"balances": object_of(balances).decode()}, reasons)
    except UnreadError as error:
        return "", str(error)
    return object_of(known).decode(), PARTLY % {"reason": "; ".join(reasons)}


def _parts(
    kind: type[msgspec.Struct], fields: dict[str, str], reasons: list[str]
) -> dict[str, str]:
    """Return the fields that can be read. Raises UnreadError if one that is required can't."""
    of_kind = msgspec.structs.fields(kind)
    required = {field.encode_name for field in of_kind if field.required}
    known = {name: raw for name, raw in fields.items() if name in required}
    read_row(object_of(known), kind)
    for name in fields.keys() & {field.encode_name for field in of_kind} - required:
        try:
            read_row(object_of(known | {name: fields[name]}), kind)
            known[name] = fields[name]
        except UnreadError as error:
            reasons.append(f"{name}: {error}")
    return known


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))
