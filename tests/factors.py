"""Second factors of the tests' people, set up as they would: on the pages, and by codes of an app.

pyotp is the authenticator app.
"""

import re
from typing import Any

import pyotp

from plaidapp.store.base.types import now
from tests.conftest import PASSWORD, Person
from tests.fake_authenticator import FakeAuthenticator
from tests.pages import Page

CODE = re.compile(r"\b(?:[2-9a-z]{4}-){5}[2-9a-z]{4}\b")


class App:
    """An authenticator app that has scanned the QR code."""

    def __init__(self, secret: str) -> None:
        self._app = pyotp.TOTP(secret)

    def code(self, steps: int = 0) -> str:
        """Return the code that it shows now, or so many steps later."""
        return self._app.at(int(now().timestamp()) + 30 * steps)


def set_up_app(person: Person) -> tuple[App, list[str]]:
    """Turn on an authenticator app. Return it, and the recovery codes that the page shows."""
    page = Page(person.client.get("/auth/factors/app").text)
    secret = page.find(**{"class": "key"})[1].replace(" ", "")
    app, offered = App(secret), page.value("offered")
    form = {"offered": offered, "code": app.code(-1)}  # the current one is left for a log-in
    answer = person.client.post("/auth/factors/app", data=form)
    return app, codes_on(answer)


def codes_on(answer: Any) -> list[str]:
    """Return the recovery codes that a page shows; none if it is another page."""
    return CODE.findall(" ".join(Page(answer.text).texts_of("pre")))


def add_passkey(person: Person, **facts: Any) -> FakeAuthenticator:
    device = FakeAuthenticator()
    for name, value in facts.items():
        setattr(device, name, value)
    options = person.client.get("/auth/factors/passkeys/new.json").json
    form = {"credential": device.create(options), "name": "Laptop"}
    answer = person.client.post("/auth/factors/passkeys/new", data=form)
    assert answer.status_code in (200, 303), Page(answer.text).text
    return device


def give_password(browser: Any, name: str = "alice", **form: str) -> Any:
    """Take the first step of a log-in."""
    return browser.post("/auth/login", data={"username": name, "password": PASSWORD} | form)


def log_in_with(browser: Any, device: FakeAuthenticator, **form: str) -> Any:
    """Log in with nothing but a passkey."""
    options = browser.get("/auth/login/passkey.json").json
    form = {"credential": device.get(options)} | form
    return browser.post("/auth/login/passkey", data=form)


def is_in(browser: Any) -> bool:
    status: int = browser.get("/finance/accounts.json").status_code
    return status == 200
