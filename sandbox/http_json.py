"""JSON over HTTP: decode requests into structs or Plaid's errors, and encode responses.

Numbers keep their decimal digits in both directions and never become binary floats.
"""

import re
from typing import Any, TypeVar

import flask
import msgspec
from flask import Response

from sandbox import errors, ids
from sandbox.context import current_sandbox

# Plaid's requests are smaller. A custom user with 200,000 transactions takes about 30 MB.
MAX_BODY = 64 * 1024 * 1024

API_VERSION = "2020-09-14"
"""Plaid's latest version (https://plaid.com/docs/api/versioning/), the only one served here."""

_encoder = msgspec.json.Encoder(decimal_format="number")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+?)`(?: - at `\$\.?(.+)`)?")
_MISSING = re.compile(r"Object missing required field `(.+?)`(?: - at `\$\.?(.+)`)?")
_INVALID = re.compile(r"(.+?)(?: - at `\$\.?(.+)`)?$")


class Call(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields that every request may have. Plaid rejects fields unknown to an endpoint."""

    client_id: str = ""
    secret: str = ""


class ItemCall(Call, kw_only=True):
    access_token: str


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An `options` object. As with Plaid, it may be missing but not null."""


class _Keys(msgspec.Struct):
    client_id: str = ""
    secret: str = ""


CallT = TypeVar("CallT", bound=Call)


def read(call_type: type[CallT]) -> CallT:
    """Decode the request body. The call's `client_id` may have come in a header.

    Raises PlaidError for wrong API keys, invalid fields, and an Item that another client made.
    """
    version = flask.request.headers.get("Plaid-Version", API_VERSION)
    if version != API_VERSION:
        raise errors.invalid_headers(f"Plaid-Version: only {API_VERSION} is served here")
    body = flask.request.get_data()
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        client_id = _check_keys(msgspec.json.decode(body, type=_Keys))
        missing = [
            field.encode_name
            for field in msgspec.structs.fields(call_type)
            if field.required and field.encode_name not in fields
        ]
        if missing:
            raise errors.missing_fields(missing)
        call = msgspec.json.decode(body, type=call_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _validation_error(error) from error
    call.client_id = client_id
    _check_owner(call)
    return call


def _check_keys(keys: _Keys) -> str:
    """Check the API keys, from the body or the headers, and return the client's id.

    Any value is valid except `wrong`. Each client has its own Items.
    """
    given = {
        "client_id": keys.client_id or flask.request.headers.get("PLAID-CLIENT-ID", ""),
        "secret": keys.secret or flask.request.headers.get("PLAID-SECRET", ""),
    }
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise errors.missing_fields(missing)
    if "wrong" in given.values():
        raise errors.invalid_api_keys()
    return given["client_id"]


def _check_owner(call: Call) -> None:
    token = getattr(call, "access_token", None)
    if token is None:
        return
    with current_sandbox().store.read() as db:
        query = "SELECT client_id FROM item WHERE access_token = ?"
        row = db.execute(query, (token,)).fetchone()
    if row and row["client_id"] != call.client_id:
        raise errors.invalid_access_token()


def _validation_error(error: Exception) -> errors.PlaidError:
    """Translate msgspec's error for an invalid request into Plaid's error."""
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return errors.invalid_body("the request body is not valid JSON")
    for pattern, make_error in ((_UNKNOWN, errors.unknown_fields), (_MISSING, _missing_field)):
        if found := pattern.match(text):
            return make_error(_path(found[2], found[1]))
    found = _INVALID.match(text)
    reason, path = (found[1], found[2]) if found else (text, None)
    if not path:
        return errors.invalid_body("the request body must be a JSON object")
    return errors.invalid_field(f"{path}: {reason.replace('`', '')}")


def _missing_field(name: str) -> errors.PlaidError:
    return errors.missing_fields([name])


def _path(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)


def reply(**fields: Any) -> Response:
    """Return status 200 with `fields`. Decimals keep their digits; Raw values stay as they are."""
    return _respond(fields, 200)


def reply_error(error: errors.PlaidError) -> Response:
    return _respond(error.fields(), error.status)


def _respond(fields: dict[str, Any], status: int) -> Response:
    fields["request_id"] = ids.request_id()
    return Response(encode(fields), status, content_type="application/json")


def encode(value: object) -> bytes:
    """Encode as JSON. Decimals keep their digits."""
    return _encoder.encode(value)


def json_array(texts: list[str]) -> msgspec.Raw:
    """Join rows that are already JSON into an array. No row is decoded, so pages are fast."""
    return msgspec.Raw(("[" + ",".join(texts) + "]").encode())
