"""The wire below plaid-python: one deadline for a whole exchange, and a limit on its size.

urllib3's timeouts bound each read of the socket, so a bank that sends a byte a second is never too
late for them. Here the clock runs from the first byte out to the last byte in.
"""

import time
from typing import Any

import urllib3

LARGEST_ANSWER = 64 * 1024 * 1024
READ_AT_ONCE = 64 * 1024


class AnswerTooLargeError(urllib3.exceptions.HTTPError):
    """The answer is longer than any that Plaid would send."""


class BoundedPool(urllib3.PoolManager):
    """Answers arrive read in full, within `deadline` seconds, or not at all.

    Neither retries nor follows redirects: whether to ask again is the job's decision, and Plaid
    does not redirect.
    """

    def __init__(self, deadline: float, **options: Any) -> None:
        super().__init__(**options)
        self.deadline = deadline

    def request(self, method: str, url: str, **options: Any) -> urllib3.BaseHTTPResponse:  # type: ignore[override]
        """Raises urllib3.exceptions.HTTPError for everything that goes wrong on the way."""
        until = time.monotonic() + self.deadline
        options |= {
            "preload_content": False,
            "retries": False,
            "redirect": False,
            "timeout": urllib3.Timeout(connect=min(5.0, self.deadline), read=self.deadline),
        }
        response = super().request(method, url, **options)
        body = bytearray()
        try:
            while chunk := response.read1(READ_AT_ONCE, decode_content=True):
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise AnswerTooLargeError(f"over {LARGEST_ANSWER} bytes")
                if time.monotonic() > until:
                    raise urllib3.exceptions.TimeoutError("the answer is still arriving")
        except BaseException:
            response.close()  # what is left unread would be the next caller's answer
            raise
        response.release_conn()
        return urllib3.HTTPResponse(
            bytes(body), response.headers, response.status, reason=response.reason
        )
