"""Plaid's webhook signature: an ES256 JWT that contains the body's SHA-256.

https://plaid.com/docs/api/webhooks/webhook-verification/
"""

import hashlib
import time
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from sandbox.store import Store


class SigningKey:
    """The key that signs webhooks. The store keeps it, so signatures stay valid after a restart."""

    def __init__(self, store: Store) -> None:
        with store.write() as db:
            row = db.execute("SELECT kid, pem, created FROM signing_key").fetchone()
            if row is None:
                row = {"kid": str(uuid.uuid4()), "pem": _new_pem(), "created": int(time.time())}
                db.execute("INSERT INTO signing_key VALUES (:kid, :pem, :created)", row)
        self.kid = str(row["kid"])
        self._created = int(row["created"])
        key = serialization.load_pem_private_key(row["pem"].encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the state file's signing key is not an elliptic curve key")
        self._key = key

    def sign(self, body: bytes) -> str:
        """Return the `Plaid-Verification` header. `iat` is real time: receivers reject old ones."""
        claims = {"iat": int(time.time()), "request_body_sha256": hashlib.sha256(body).hexdigest()}
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self.kid})

    def public_jwk(self) -> dict[str, Any]:
        jwk = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {
            "alg": "ES256",
            "created_at": self._created,
            "crv": jwk["crv"],
            "expired_at": None,
            "kid": self.kid,
            "kty": jwk["kty"],
            "use": "sig",
            "x": jwk["x"],
            "y": jwk["y"],
        }


def _new_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
