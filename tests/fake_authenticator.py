"""A passkey's device and the browser in front of it, as far as a server can tell.

tests/e2e/test_passkeys.py has Chromium's own. https://www.w3.org/TR/webauthn-3/
"""

import hashlib
import json
import secrets
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

PRESENT, VERIFIED, CAN_BE_COPIED, HAS_KEY = 0x01, 0x04, 0x08, 0x40
Options = dict[str, Any]


class FakeAuthenticator:
    """Holds one passkey. A test may change what it says: its origin, flags, host and count."""

    def __init__(self, origin: str = "http://localhost") -> None:
        self.origin = origin
        self.flags = PRESENT | VERIFIED
        self.host: str | None = None  # instead of the one in the options
        self.count = 0
        self.counts = True
        self.credential_id = secrets.token_bytes(16)
        self.user_handle: str | None = None
        self.client_data: Options = {}
        """What to say besides, such as crossOrigin."""
        self._key = ec.generate_private_key(ec.SECP256R1())

    def create(self, options: Options) -> str:
        """Make the passkey that the options ask for."""
        self.user_handle = options["user"]["id"]
        numbers = self._key.public_key().public_numbers()
        point = {-2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        public_key = cbor2.dumps({1: 2, 3: -7, -1: 1} | point)
        length = len(self.credential_id).to_bytes(2)
        attested = bytes(16) + length + self.credential_id + public_key
        data = self._data(options["rp"]["id"], HAS_KEY) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client_data = self._client_data("webauthn.create", options)
        return self._answer(clientDataJSON=client_data, attestationObject=attestation)

    def get(self, options: Options) -> str:
        """Sign the challenge."""
        data = self._data(options["rpId"])
        client_data = self._client_data("webauthn.get", options)
        signed = data + hashlib.sha256(client_data).digest()
        signature = self._key.sign(signed, ec.ECDSA(SHA256()))
        name = self.user_handle
        handle = {} if name is None else {"userHandle": base64url_to_bytes(name)}
        return self._answer(
            clientDataJSON=client_data,
            authenticatorData=data,
            signature=signature,
            **handle,
        )

    def _data(self, host: str, more: int = 0) -> bytes:
        self.count += self.counts
        flags = bytes([self.flags | more])
        return (
            hashlib.sha256((self.host or host).encode()).digest() + flags + self.count.to_bytes(4)
        )

    def _client_data(self, kind: str, options: Options) -> bytes:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin}
        return json.dumps(said | self.client_data).encode()

    def _answer(self, **response: bytes) -> str:
        name = bytes_to_base64url(self.credential_id)
        texts = {key: bytes_to_base64url(value) for key, value in response.items()}
        answer = {"id": name, "rawId": name, "type": "public-key", "response": texts}
        return json.dumps(answer | {"clientExtensionResults": {}})
