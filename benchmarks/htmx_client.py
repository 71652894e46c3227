"""An HTTP client that acts like a browser with htmx: cookies, CSRF tokens, forms, polls."""

import http.client
import json
import re
import select
import time
from collections.abc import Callable
from html import unescape
from itertools import count
from urllib.parse import urlencode, urlsplit

PASSWORD = "correct horse battery staple"
SMALL_BANK = {
    "institution_id": "ins_109508",
    "override_username": "user_custom",
    "override_password": json.dumps(
        {"override_accounts": [{"type": "depository", "subtype": "checking"}]}
    ),
}
DELAYS = re.compile(r"(\w+) delay:(\d+)ms")
POLLS = re.compile(r'hx-get="([^"]+)"\s+hx-trigger="every 2s[^>]*>((?:\s*<input [^>]*>)*)')
FIELD = re.compile(r'name="([^"]+)".* value="([^"]*)"')
LONGEST_IDLE = 30
"""Seconds after which a connection is not used again: the server may be about to close it."""
POLL_INTERVAL = 2000
"""The panel's `every 2s`, in milliseconds."""
PollDelay = Callable[[int], float]
"""Return the seconds to wait before the next poll, given the number of polls so far."""
_numbers = count(1)


class HtmxClient:
    """A signed-up user with one open HTTP connection."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.cookie = self.token = ""
        self.requests = 0
        self._used = time.monotonic()
        self.token = _token(self.request("GET", "/auth/signup")[1])
        name = f"anna{next(_numbers)}"
        form = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        self.request("POST", "/auth/signup", form)
        self.token = _token(self.request("GET", "/finance/")[1])

    def request(
        self, method: str, path: str, form: dict[str, str] | None = None, *, htmx: bool = False
    ) -> tuple[int, str, str]:
        """Return the response's status, body and HX-Trigger header."""
        headers = {"Cookie": self.cookie}
        if htmx:
            headers["HX-Request"] = "true"
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode({"csrf_token": self.token, **(form or {})})
        self.requests += 1
        if time.monotonic() - self._used > LONGEST_IDLE or self._was_closed():
            self._connection.close()  # the next request opens it again
        self._used = time.monotonic()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        text = response.read().decode()
        if cookie := response.getheader("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        assert response.status < 400, f"{method} {path}: {response.status}\n{text[:2000]}"
        return response.status, text, response.getheader("HX-Trigger") or ""

    def _was_closed(self) -> bool:
        """Has the server closed the connection while it was idle? A browser notices that too."""
        socket = self._connection.sock
        return bool(socket and select.select([socket], [], [], 0)[0])

    def click(self, path: str, form: dict[str, str] | None = None) -> str:
        """Press a button and return the panel that replaces it."""
        return self.request("POST", path, form, htmx=True)[1]

    def follow(self, panel: str, poll_delay: PollDelay | None = None) -> None:
        """Poll until the pull is done, at the panel's own intervals or those of `poll_delay`."""
        trigger, polls = "load", 0
        while 'data-state="done"' not in panel:
            assert 'data-state="failed"' not in panel, panel
            address = unescape(_first(r'hx-get="([^"]+)"', panel))
            if poll_delay:  # without the revision in the query, the server answers at once
                address, delay = address.partition("?")[0], poll_delay(polls)
            else:
                delay = int(dict(DELAYS.findall(panel)).get(trigger, POLL_INTERVAL)) / 1000
            time.sleep(delay)
            status, text, trigger = self.request("GET", address, htmx=True)
            polls += 1
            if status == 200:
                panel, trigger = text, "load"


def poll_of(html: str) -> str | None:
    """Return the address that this page, or this answer to a poll, has a browser poll, if any.

    The inputs within the element that polls are sent along (`hx-include="find input"`).
    """
    found = POLLS.search(html)
    if not found:
        return None
    address, inputs = map(unescape, found.groups())
    fields = urlencode([field for line in inputs.splitlines() for field in FIELD.findall(line)])
    return f"{address}{'&' if '?' in address else '?'}{fields}" if fields else address


def _token(page: str) -> str:
    return _first(r'name="csrf_token"[^>]*value="([^"]+)"', page)


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text[:2000]
    return found[1]
