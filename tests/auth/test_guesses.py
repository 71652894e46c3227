"""Many guesses at one password, from many addresses: how many are tried, and who still gets in."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from plaidapp import policy
from plaidapp.auth import passwords
from plaidapp.jobs import queue
from tests.chaos.figures import LONG
from tests.conftest import PASSWORD, Person

GUESSES, ADDRESSES = (10_000, 200) if LONG else (100, 20)


@pytest.mark.both_databases
@pytest.mark.parametrize("redis_is", ["up", "down"])
def test_guesses_from_many_addresses(
    app: Flask,
    alice: Person,
    redis_is: str,
    set_clock: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if redis_is == "down":
        monkeypatch.setitem(app.extensions, "redis", queue.connect("redis://localhost:1"))
    set_clock("2026-11-26T12:00Z")
    tried, lock, owners = [], threading.Lock(), app.test_client()
    real = passwords.matches

    def matches(stored_hash: str | None, password: str) -> bool:
        with lock:
            tried.append(password)
        return real(stored_hash, password)

    def log_in(browser, password, address, name="alice"):
        return browser.post(
            "/auth/login",
            data={"username": name, "password": password},
            environ_base={"REMOTE_ADDR": address},
        ).status_code

    def guess(number: int) -> int:
        address = f"203.0.113.{number % ADDRESSES}"
        name = ("alice", "ALICE", "alice@example.com")[number % 3]
        return log_in(app.test_client(), f"a guess, number {number}", address, name)

    assert log_in(owners, PASSWORD, "198.51.100.1") == 302
    monkeypatch.setattr(passwords, "matches", matches)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(guess, range(GUESSES)))
    guessed = len(tried)
    owners.post("/auth/logout")
    stranger = log_in(app.test_client(), PASSWORD, "198.51.100.2")
    owner = log_in(owners, PASSWORD, "203.0.113.1")

    assert guessed == policy.FREE_GUESSES + 1
    assert statuses.count(401) == policy.FREE_GUESSES
    # On a busy machine, some find no place to be tried: policy.PASSWORDS_AT_ONCE.
    assert statuses.count(429) + statuses.count(503) == GUESSES - policy.FREE_GUESSES
    assert (stranger, owner) == (429, 302)
