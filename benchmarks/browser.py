"""What a browser does, without one: cookies, CSRF tokens, forms, and panels that ask again."""

import http.client
import json
import re
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
TICK = 2000
"""What the panel's `every 2s` comes to, in milliseconds."""
Pace = Callable[[int], float]
"""Seconds to wait before asking, by how often it has asked."""
_numbers = count(1)


class Browser:
    """Somebody signed up, with one connection that is kept open."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.cookie = self.token = ""
        self.asked = 0
        self.token = _token(self.ask("GET", "/auth/signup")[1])
        name = f"anna{next(_numbers)}"
        form = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        self.ask("POST", "/auth/signup", form)
        self.token = _token(self.ask("GET", "/finance/")[1])

    def ask(
        self, method: str, path: str, form: dict[str, str] | None = None, *, htmx: bool = False
    ) -> tuple[int, str, str]:
        """The status, the body and the HX-Trigger of the answer."""
        headers = {"Cookie": self.cookie}
        if htmx:
            headers["HX-Request"] = "true"
        body = None
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = urlencode({"csrf_token": self.token, **(form or {})})
        self.asked += 1
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        if sent := answer.getheader("Set-Cookie"):
            self.cookie = sent.partition(";")[0]
        assert answer.status < 400, f"{method} {path}: {answer.status}\n{text[:2000]}"
        return answer.status, text, answer.getheader("HX-Trigger") or ""

    def click(self, path: str, form: dict[str, str] | None = None) -> str:
        """The panel that a button answers."""
        return self.ask("POST", path, form, htmx=True)[1]

    def follow(self, panel: str, pace: Pace | None = None) -> None:
        """Asks again until the pull is over: as the panel says, or as `pace` does."""
        trigger, asked = "load", 0
        while 'data-state="done"' not in panel:
            assert 'data-state="failed"' not in panel, panel
            address = unescape(_first(r'hx-get="([^"]+)"', panel))
            if pace:  # which waits for nothing at the server: it knows no revision
                address, delay = address.partition("?")[0], pace(asked)
            else:
                delay = int(dict(DELAYS.findall(panel)).get(trigger, TICK)) / 1000
            time.sleep(delay)
            status, text, trigger = self.ask("GET", address, htmx=True)
            asked += 1
            if status == 200:
                panel, trigger = text, "load"


def _token(page: str) -> str:
    return _first(r'name="csrf_token"[^>]*value="([^"]+)"', page)


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text[:2000]
    return found[1]
