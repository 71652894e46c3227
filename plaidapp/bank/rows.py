"""Read the rows of an answer one by one, so that one that can't be read does not block the others.

This is the slow way. It is taken only when an answer can't be decoded as a whole (responses.py).
"""

import re
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple, TypeVar

import msgspec

from plaidapp.texts import gettext_noop

from . import amounts
from .json_text import decoded, elements, encoded, members, object_of
from .payloads import Balances, Id, PlaidAccount, PlaidStream, PlaidTransaction, Removed
from .unread import ACCOUNT, REMOVED, STREAM, TRANSACTION, Unread

NUL = rb"\u0000"
"""JSON's spelling of the character that PostgreSQL can't store in a text."""
NO_NUMBER = re.compile(r"(?:^|[:,\[])\s*-?(?:NaN|Infinity)\b")
"""What some programs write for a number that they don't have, although JSON does not allow it."""

NOT_A_ROW = gettext_noop("This is not an entry with named values.")
MISSING = gettext_noop("A value is missing: %(reason)s")
WRONG_FORM = gettext_noop("A value has the wrong form: %(reason)s")
TOO_LONG = gettext_noop("A text is too long: %(reason)s")
BAD_TEXT = gettext_noop("A text has characters that can’t be stored: %(reason)s")
QUOTED = 60
"""Characters of a value that a reason quotes."""
CURRENCIES = ("iso_currency_code", "unofficial_currency_code")
"""Optional, but if one can't be read, it is not known what an amount is worth."""

Answer = TypeVar("Answer", bound=msgspec.Struct)
Row = TypeVar("Row", bound=msgspec.Struct)


class UnreadError(ValueError):
    """A row can't be read. The message, if there is one, is a sentence for a person."""


class Rows(NamedTuple):
    """What the entries of a list are, and the name of their id."""

    kind: str
    type: type[msgspec.Struct]
    id: str


ROWS = {
    TRANSACTION: Rows(TRANSACTION, PlaidTransaction, "transaction_id"),
    REMOVED: Rows(REMOVED, Removed, "transaction_id"),
    ACCOUNT: Rows(ACCOUNT, PlaidAccount, "account_id"),
    STREAM: Rows(STREAM, PlaidStream, "stream_id"),
}
LISTS = {
    "added": ROWS[TRANSACTION],
    "modified": ROWS[TRANSACTION],
    "transactions": ROWS[TRANSACTION],
    "removed": ROWS[REMOVED],
    "accounts": ROWS[ACCOUNT],
    "inflow_streams": ROWS[STREAM],
    "outflow_streams": ROWS[STREAM],
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
            rows = [readable(LISTS[name], raw, unread) for raw in elements(known[name])]
            known[name] = f"[{','.join(filter(None, rows))}]"
    answer = read_row(object_of(known), kind)
    return msgspec.structs.replace(answer, unread=unread) if unread else answer


def read_row(raw: bytes, kind: type[Row]) -> Row:
    """Read one row. Raises UnreadError."""
    try:
        row = msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadError from None
    if _has_nul(raw, row):
        raise UnreadError
    return row


def readable(rows: Rows, raw: str, unread: list[Unread]) -> str:
    """Return the row's text, or what is readable of it, or "". Adds to `unread` what is not."""
    try:
        read_row(encoded(raw), rows.type)
        return raw
    except UnreadError:
        pass
    known, plaid_id, reasons = "", None, [NOT_A_ROW]
    try:
        fields = members(raw)
    except ValueError:
        pass
    else:
        plaid_id = _id_of(fields.get(rows.id, "null"))
        known, reasons = _known_part(rows.type, fields)
    if reasons:
        unread.append(
            Unread(rows.kind, plaid_id, encoded(raw), "\n".join(reasons), is_part=bool(known))
        )
    return known


class _Id(msgspec.Struct):
    id: Id


def _id_of(raw: str) -> str | None:
    try:
        return read_row(object_of({"id": raw}), _Id).id
    except UnreadError:
        return None


def _known_part(kind: type[msgspec.Struct], fields: dict[str, str]) -> tuple[str, list[str]]:
    """Return what is readable of a row, or "" if that is not enough, and why the rest is not."""
    reasons: list[str] = []
    if kind is PlaidAccount:
        fields = fields | {"balances": _balances(fields.get("balances", "null"), reasons)}
    try:
        known = _parts(kind, fields, reasons)
    except UnreadError as error:
        return "", [str(error)]
    return decoded(object_of(known)), reasons


def _balances(raw: str, reasons: list[str]) -> str:
    """Return the balances that can be read: none if their currency can't be."""
    try:
        return decoded(object_of(_parts(Balances, members(raw), reasons)))
    except UnreadError as error:
        reasons.append(str(error))
    except ValueError:
        reasons.append(_wrong_form("balances", raw))
    return "{}"


def _parts(
    kind: type[msgspec.Struct], fields: dict[str, str], reasons: list[str]
) -> dict[str, str]:
    """Return the fields that can be read. Raises UnreadError if one that matters can't."""
    known: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        name = field.encode_name
        if not field.required and name not in fields:
            continue
        reason = _why_unread(field, fields.get(name, "null"))
        if reason is None:
            known[name] = fields[name]
        elif field.required or name in CURRENCIES:
            raise UnreadError(reason)
        else:
            reasons.append(reason)
    return known


def _why_unread(field: msgspec.structs.FieldInfo, raw: str) -> str | None:
    """Return a sentence, or None if the value can be read."""
    name, text = field.encode_name, encoded(raw)
    try:
        value = msgspec.json.decode(text, type=field.type)
        if isinstance(value, Decimal):
            amounts.kept(value)
    except (msgspec.ValidationError, amounts.AmountError) as error:
        amount_error = error.__cause__ or error
        if isinstance(amount_error, amounts.AmountError):
            return _sentence(amount_error.sentence, name, raw)
        too_long = "of length <=" in str(error)
        return TOO_LONG % {"reason": name} if too_long else _wrong_form(name, raw)
    except RecursionError:
        return _wrong_form(name, raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if NO_NUMBER.search(raw):
            return _sentence(amounts.NOT_A_NUMBER, name, raw)
        return BAD_TEXT % {"reason": name}
    return BAD_TEXT % {"reason": name} if _has_nul(text, value) else None


def _wrong_form(name: str, raw: str) -> str:
    return MISSING % {"reason": name} if raw == "null" else _sentence(WRONG_FORM, name, raw)


def _sentence(sentence: str, name: str, raw: str) -> str:
    storable = encoded(raw).decode(errors="backslashreplace").replace("\0", r"\0")
    return sentence % {"reason": f"{name} is {textwrap.shorten(storable, QUOTED)}"}


def _has_nul(raw: bytes, value: object) -> bool:
    return has_nul(raw) and any("\0" in text for text in _texts(value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name))
