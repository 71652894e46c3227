"""Forged webhooks, assembled by hand because JWT libraries refuse to make most of them."""

import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Iterator

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.signing import SigningKey

from .deliveries import Delivery, Plaid

HUGE = b" " * (10 * 1024 * 1024)


class Forger:
    """Knows Plaid's public key, the address and a body, but has only private keys of its own."""

    def __init__(self, plaid: Plaid, plaid_item_id: str, made_up_kids: int) -> None:
        self._real = plaid
        self._item = plaid_item_id
        self._own_key = ec.generate_private_key(ec.SECP256R1())
        self._dice = random.Random(made_up_kids)
        self.kids = [f"made-up-{number}" for number in range(made_up_kids)]

    @property
    def _key(self) -> SigningKey:
        return self._real.key

    def make(self, count: int) -> Iterator[Delivery]:
        """Yield each kind in turn. One in a hundred has a body of 10 MB, which is slow to send."""
        kinds = (
            self.shared_secret, self.unsigned, self.wrong_key, self.long_ago, self.from_the_future,
            self.changed_body, self.no_header, self.unknown_key,
        )  # fmt: skip
        for number in range(count):
            yield self.huge() if number % 100 == 50 else kinds[number % len(kinds)]()

    def _body(self) -> bytes:
        return self._real.update_of(self._item).body

    def _claims(self, body: bytes, age: int = 0) -> dict[str, object]:
        digest = hashlib.sha256(body).hexdigest()
        return {"iat": int(time.time()) - age, "request_body_sha256": digest}

    def _signed(self, body: bytes, key: object, kid: str, age: int = 0) -> Delivery:
        token = jwt.encode(self._claims(body, age), key, algorithm="ES256", headers={"kid": kid})
        return Delivery(body, token)

    def shared_secret(self) -> Delivery:
        """HS256 with the public key as secret, against verifiers that let the token choose."""
        body = self._body()
        secret = self._key._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        signing_input = self._unsigned_part("HS256", body)
        signature = hmac.new(secret, signing_input, hashlib.sha256).digest()
        return Delivery(body, (signing_input + b"." + _base64(signature)).decode())

    def unsigned(self) -> Delivery:
        body = self._body()
        return Delivery(body, (self._unsigned_part("none", body) + b".").decode())

    def _unsigned_part(self, algorithm: str, body: bytes) -> bytes:
        header = {"alg": algorithm, "kid": self._key.kid, "typ": "JWT"}
        parts = (header, self._claims(body))
        return b".".join(_base64(json.dumps(part).encode()) for part in parts)

    def wrong_key(self) -> Delivery:
        return self._signed(self._body(), self._own_key, self._key.kid)

    def long_ago(self) -> Delivery:
        """A real webhook that somebody intercepted and sends again later."""
        return self._signed(self._body(), self._key._key, self._key.kid, age=301)

    def from_the_future(self) -> Delivery:
        return self._signed(self._body(), self._key._key, self._key.kid, age=-310)

    def changed_body(self) -> Delivery:
        real = self._real.update_of(self._item)
        return Delivery(real.body.replace(b"SYNC_", b"SYNK_"), real.token)

    def no_header(self) -> Delivery:
        return Delivery(self._body(), None)

    def unknown_key(self) -> Delivery:
        return self._signed(self._body(), self._own_key, self._dice.choice(self.kids))

    def huge(self) -> Delivery:
        """A huge body with a valid signature."""
        return Delivery(HUGE, self._key.sign(HUGE))


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
