"""One call to Plaid: plaid-python builds and sends it, and every failure becomes a BankError."""

import copy
import hashlib
import logging
from collections.abc import Callable
from typing import Any, Self, TypeVar

import msgspec
import plaid
import urllib3
from cryptography.fernet import InvalidToken

from plaidapp.sealing import Cipher, Sealed

from . import error_sentences, errors
from .call_counts import counted
from .responses import decode, refusal
from .transport import BoundedPool

log = logging.getLogger(__name__)

Answer = TypeVar("Answer", bound=msgspec.Struct)
JSON = {"Accept": "application/json", "Content-Type": "application/json"}
Gate = Callable[[str, str | None, bool], None]
"""Called before each call with its path, with what stands for the Item (None if it has none), and
with whether it may wait for long. What it raises, the call raises."""
KEYS = ("clientId", "secret")
"""plaid-python's names for the API keys in each request's headers."""


class PlaidCalls:
    """Sends requests. Access tokens are encrypted by `cipher` outside, and plain only here.

    The class is thread-safe: it uses one pool of connections, which stay open.
    """

    def __init__(
        self, url: str, client_id: str, secret: str, cipher: Cipher, timeout: float
    ) -> None:
        """`timeout` is in seconds and for a whole call."""
        configuration = plaid.Configuration(
            host=url, api_key={"clientId": client_id, "secret": secret}
        )
        self._client = plaid.ApiClient(configuration)
        self._client.rest_client.pool_manager = BoundedPool(
            timeout, maxsize=16, ca_certs=configuration.ssl_ca_cert
        )
        self._cipher = cipher
        self._gate: Gate | None = None

    def gated(self, gate: Gate) -> Self:
        """Return the same bank, whose calls go through `gate`."""
        gated = copy.copy(self)
        gated._gate = gate
        return gated

    def can_read(self, sealed_token: Sealed) -> bool:
        """Return True if one of the app's keys decrypts the token."""
        try:
            self._cipher.decrypt(sealed_token)
        except InvalidToken:
            return False
        return True

    def _open(self, sealed_token: Sealed) -> str:
        """Decrypt a token. Raises BankError if no key fits, or if it belongs in another place."""
        try:
            return self._cipher.decrypt(sealed_token)
        except InvalidToken:
            raise errors.unreadable_token() from None

    def _call(
        self, path: str, request: Any, kind: type[Answer], deadline: float | None = None
    ) -> Answer:
        """`deadline` replaces the usual one, in seconds."""
        return decode(self._bytes(path, request, deadline), kind)

    def _bytes(
        self, path: str, request: Any, deadline: float | None = None, *, patient: bool = False
    ) -> bytes:
        """`patient`: the gate may wait for long."""
        return bytes(self._response(path, request, deadline, patient=patient).data)

    def _response(
        self, path: str, request: Any, deadline: float | None, *, patient: bool = False
    ) -> Any:
        if self._gate:
            self._gate(path, _hash_of(request.get("access_token")), patient)
        with counted(path):
            return self._sent(path, request, deadline)

    def _sent(self, path: str, request: Any, deadline: float | None) -> Any:
        try:
            return self._client.call_api(
                path,
                "POST",
                header_params=dict(JSON),
                body=request,
                auth_settings=KEYS,
                _preload_content=False,
                _request_timeout=deadline,
            )
        except plaid.ApiException as error:
            raise refusal(error) from None
        except urllib3.exceptions.NewConnectionError as error:  # a TimeoutError of urllib3 too
            raise _logged(path, error, error_sentences.UNREACHABLE) from None
        except urllib3.exceptions.TimeoutError as error:
            raise _logged(path, error, error_sentences.TIMEOUT) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _logged(path, error, error_sentences.UNREACHABLE) from None
        except (plaid.OpenApiException, TypeError, ValueError, AttributeError) as error:
            # plaid-python itself fails on some responses, such as an error body it can't decode.
            raise _logged(path, error, error_sentences.NONSENSE) from None


def _hash_of(token: str | None) -> str | None:
    """Return what stands for an Item where its token must not be."""
    return hashlib.sha256(token.encode()).hexdigest()[:32] if token else None


def _logged(path: str, error: Exception, code: str) -> errors.BankError:
    """Log the kind of failure, such as a certificate that is not Plaid's. Its text may quote."""
    log.warning("The call of %s failed: %s", path, type(error).__name__)
    return errors.transport_error(code)
