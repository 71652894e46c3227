"""JSON in and out: requests become structs or Plaid's errors; answers carry their request_id.

Numbers pass as decimal digits in both directions, never as binary floats.
"""

import re
from typing import Any, TypeVar

import flask
import msgspec
from flask import Response

from sandbox import errors, ids

# No request of Plaid's is longer than this; a custom user of 200,000 transactions is about 30 MB.
MAX_BODY = 64 * 1024 * 1024

_encoder = msgspec.json.Encoder(decimal_format="number")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+?)`(?: - at `\$\.?(.+)`)?")
_MISSING = re.compile(r"Object missing required field `(.+?)`(?: - at `\$\.?(.+)`)?")
_INVALID = re.compile(r"(.+?)(?: - at `\$\.?(.+)`)?$")


class Call(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What every request may carry. Plaid refuses fields that an endpoint does not know."""

    client_id: str = ""
    secret: str = ""


class ItemCall(Call, kw_only=True):
    access_token: str


class Options(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An `options` object. As with Plaid it may be left out but not be null."""


class _Keys(msgspec.Struct):
    client_id: str = ""
    secret: str = ""


CallT = TypeVar("CallT", bound=Call)


def read(call_type: type[CallT]) -> CallT:
    """The request's body as `call_type`. Raises PlaidError for bad keys and bad fields."""
    body = flask.request.get_data()
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        _check_keys(msgspec.json.decode(body, type=_Keys))
        missing = [
            field.encode_name
            for field in msgspec.structs.fields(call_type)
            if field.required and field.encode_name not in fields
        ]
        if missing:
            raise errors.missing_fields(missing)
        return msgspec.json.decode(body, type=call_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(error) from error


def _check_keys(keys: _Keys) -> None:
    """Plaid takes the keys from the body or from the headers. Any will do but `wrong`."""
    given = {
        "client_id": keys.client_id or flask.request.headers.get("PLAID-CLIENT-ID", ""),
        "secret": keys.secret or flask.request.headers.get("PLAID-SECRET", ""),
    }
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise errors.missing_fields(missing)
    if "wrong" in given.values():
        raise errors.invalid_api_keys()


def _refusal(error: Exception) -> errors.PlaidError:
    """What msgspec says of a bad request, as Plaid's error."""
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return errors.invalid_body("the request body is not valid JSON")
    for pattern, make in ((_UNKNOWN, errors.unknown_fields), (_MISSING, _missing)):
        if found := pattern.match(text):
            return make(_path(found[2], found[1]))
    found = _INVALID.match(text)
    reason, path = (found[1], found[2]) if found else (text, None)
    if not path:
        return errors.invalid_body("the request body must be a JSON object")
    return errors.invalid_field(f"{path}: {reason.replace('`', '')}")


def _missing(name: str) -> errors.PlaidError:
    return errors.missing_fields([name])


def _path(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)


def reply(**fields: Any) -> Response:
    """200 with `fields`. Decimals are written digit for digit; Raw values as they are."""
    return _respond(fields, 200)


def reply_error(error: errors.PlaidError) -> Response:
    return _respond(error.fields(), error.status)


def _respond(fields: dict[str, Any], status: int) -> Response:
    fields["request_id"] = ids.request_id()
    return Response(encode(fields), status, content_type="application/json")


def encode(value: object) -> bytes:
    """JSON, with decimals written digit for digit."""
    return _encoder.encode(value)


def json_array(texts: list[str]) -> msgspec.Raw:
    """Rows that are JSON already, as an array. Nothing is decoded, which makes pages cheap."""
    return msgspec.Raw(("[" + ",".join(texts) + "]").encode())
