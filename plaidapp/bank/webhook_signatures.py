"""Verify that a webhook is Plaid's: signed with ES256, recently, and over exactly this body.

https://plaid.com/docs/api/webhooks/webhook-verification/
"""

import functools
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm
from jwt.utils import base64url_decode

MAX_AGE = 300
"""Seconds between signing and arrival. In both directions, because clocks differ."""
MAX_TOKEN = 4096
ORDER = ec.SECP256R1().group_order
KEY_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")


class ForgedError(Exception):
    """The webhook is not Plaid's, or too old; `str()` says why, for the log."""


def key_id(token: str, body: bytes, now: float) -> str:
    """Return the id of the key that `token` claims to be signed with.

    This checks everything that needs no key, so that only a well-formed token over this very body
    costs a lookup of the key. Trust the result only after `check_signature`, which covers all of
    the token. `now` is in seconds since the epoch. Raises ForgedError.
    """
    if not token or len(token) > MAX_TOKEN:
        raise ForgedError("no token, or a huge one")
    try:
        read = jwt.decode_complete(token, options={"verify_signature": False, "verify_iat": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise ForgedError("the token can't be read") from error
    header, claims = read["header"], read["payload"]
    if header.get("alg") != "ES256":  # never "none", never a shared secret
        raise ForgedError("not signed with ES256")
    kid, issued = header.get("kid"), claims.get("iat")
    if not isinstance(kid, str) or not KEY_ID.fullmatch(kid):
        raise ForgedError("no key id")
    if type(issued) is not int or not now - MAX_AGE <= issued <= now + MAX_AGE:  # a bool is an int
        raise ForgedError("issued too long ago, or in the future")
    digest = hashlib.sha256(body).hexdigest().encode()
    claimed = str(claims.get("request_body_sha256")).encode(errors="replace")
    if not hmac.compare_digest(claimed, digest):
        raise ForgedError("signed over another body")
    return kid


def check_signature(token: str, key: Mapping[str, Any]) -> int:
    """Return when the holder of `key`, a JWK of Plaid's, signed `token`: seconds since the epoch.

    Raises ForgedError if somebody else did.
    """
    if key.get("expired_at") is not None:
        raise ForgedError("the key has expired")
    try:
        public = _public_key(json.dumps(dict(key)))
        claims = jwt.decode(token, public, algorithms=["ES256"], options={"verify_iat": False})
        return int(claims["iat"])
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise ForgedError("the signature does not fit") from error


@functools.lru_cache(maxsize=16)  # reading a key takes as long as checking a signature
def _public_key(jwk: str) -> Any:
    return ECAlgorithm.from_jwk(jwk)


def fingerprint(token: str) -> str:
    """Return what identifies a token with a checked signature: a SHA-256, as hex.

    Anybody can turn a signature (r, s) into others that fit as well: into its twin (r, -s), or into
    another spelling in base64. All of these have the same fingerprint. Only the holder of the key
    can sign the same text once more, as another delivery.
    """
    signed, _, signature = token.rpartition(".")
    raw = base64url_decode(signature)
    r, s = raw[:32], int.from_bytes(raw[32:])
    return hashlib.sha256(signed.encode() + r + min(s, ORDER - s).to_bytes(32)).hexdigest()
