"""How long a wrong log-in, a sign-up and a request for a new password take, with a name or address
that somebody has and with one that nobody has."""

import random
import re
import time
from collections.abc import Callable, Iterator
from math import erfc, sqrt

import pytest
import requests
from requests.adapters import HTTPAdapter
from sqlalchemy import select

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import User
from plaidapp.store.base.types import now
from plaidapp.store.people import users
from tests.conftest import password_hash

from .figures import LONG
from .world import World

Note = Callable[[str, str, str], None]
TIMED = 300 if LONG else 5
"""Log-ins with a known name that are timed, and as many with an unknown one."""
SAME = 0.001
"""The test for a difference may find one where there is none once in a thousand runs."""
PASSWORD = "correct horse battery staple"


class Stranger:
    """A browser at one of this machine's own addresses: 127.0.0.0/8 has many."""

    def __init__(self, url: str, address: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.mount("http://", _From(address))
        page = self.http.get(f"{url}/auth/login", timeout=10).text
        self._csrf = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]

        self._first = self.http.cookies.copy()

    def forget(self) -> None:
        """Be logged out, as before."""
        self.http.cookies = self._first.copy()

    def send(self, path: str, **fields: str) -> tuple[float, int, str]:
        """Return the seconds that the answer to a form takes, its status, and what it says."""
        form = {"csrf_token": self._csrf} | fields
        began = time.perf_counter()
        answer = self.http.post(f"{self.url}{path}", data=form, timeout=10, allow_redirects=False)
        took = time.perf_counter() - began
        text = re.sub(r'csrf_token"[^>]*value="[^"]*', "", answer.text)
        for typed in fields.values():
            text = text.replace(typed, "TYPED")
        return took, answer.status_code, text


class _From(HTTPAdapter):
    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *args: object, **options: object) -> None:
        super().init_poolmanager(*args, source_address=(self._address, 0), **options)


Ask = Callable[[Stranger, str], tuple[float, int, str]]


@pytest.fixture
def known(world: World) -> Iterator[list[str]]:
    """The names of many people, whose addresses are confirmed: each of them is guessed at once, or
    delays would begin."""
    names = [f"known-{number:03}" for number in range(TIMED)]
    with world.app.app_context():
        for name in names:
            person = users.add(name, f"{name}@example.com", password_hash())
            person.email_confirmed_at = now()
        db.session.commit()
        yield names
        theirs = User.username.startswith("known-") | User.username.startswith("new-")
        for person in db.session.scalars(select(User).where(theirs)):
            db.session.delete(person)
        db.session.commit()
        db.session.remove()


def log_in(stranger: Stranger, name: str) -> tuple[float, int, str]:
    return stranger.send("/auth/login", username=name, password="not this one, surely")


def forgot(stranger: Stranger, name: str) -> tuple[float, int, str]:
    return stranger.send("/auth/forgot", email=f"{name}@example.com")


def sign_up(stranger: Stranger, name: str) -> tuple[float, int, str]:
    """Sign up with a new name, and the address of `name`. Afterwards the browser is a new one."""
    form = {"username": f"new-{name}", "email": f"{name}@example.com", "password": PASSWORD}
    answer = stranger.send("/auth/signup", **form)
    stranger.forget()
    return answer


@pytest.mark.parametrize(
    ("ask", "status", "at_one_address"),
    [
        (log_in, 401, policy.ADDRESS_GUESSES - 10),
        (forgot, 200, policy.ADDRESS_RESETS - 10),
        (sign_up, 302, policy.ADDRESS_SIGN_UPS - 10),
    ],
    ids=["log-ins", "requests for a new password", "sign-ups"],
)
def test_a_form_takes_as_long_for_somebody_unknown(
    world: World, known: list[str], note: Note, ask: Ask, status: int, at_one_address: int
) -> None:
    names = known + [name.replace("known", "other") for name in known]
    random.Random(1).shuffle(names)
    times: dict[str, list[float]] = {"known": [], "other": []}
    answers = set()
    for start in range(0, len(names), at_one_address):
        stranger = Stranger(world.url, f"127.0.{status % 250}.{start // at_one_address + 1}")
        for name in names[start : start + at_one_address]:
            took, *answer = ask(stranger, name)
            times[name.partition("-")[0]].append(took)
            answers.add(tuple(answer))
        stranger.http.close()
    chance = mann_whitney(times["known"], times["other"])
    medians = [sorted(times[which])[TIMED // 2] * 1000 for which in ("known", "other")]
    note(
        f"{ask.__name__.replace('_', ' ')}, {TIMED} with somebody known and {TIMED} without",
        f"Mann-Whitney U test finds no difference (p > {SAME}), same body",
        f"p = {chance:.3f}, medians {medians[0]:.1f} and {medians[1]:.1f} ms,"
        f" {len(answers)} different answers",
    )
    assert {status for status, _ in answers} == {status}
    assert len(answers) == 1
    if LONG:  # so few times say nothing; tests/auth/test_throttle.py compares the work
        assert chance > SAME


def mann_whitney(first: list[float], second: list[float]) -> float:
    """Return how probable so large a difference is by chance: the two-sided Mann-Whitney U test.

    It takes the normal approximation, which is good from twenty times on. No two times are equal.
    """
    ranked = sorted([(each, True) for each in first] + [(each, False) for each in second])
    ranks = sum(rank for rank, (_, is_first) in enumerate(ranked, start=1) if is_first)
    u = ranks - len(first) * (len(first) + 1) / 2
    mean = len(first) * len(second) / 2
    spread = sqrt(mean * (len(ranked) + 1) / 6)
    return erfc(abs(u - mean) / spread / sqrt(2))
