"""A browser, people who use it, and a deployment of the whole product.

They end with the last test of this package that a process runs: an idle deployment would take
processor time from the other tests.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests import network_changes
from tests.e2e.person import Person, be_done
from tests.e2e.processes import Deployment

CHROMIUMS = ("chromium-headless-shell", "chromium")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
failed = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    item.stash[failed] = item.stash.get(failed, False) or report.failed
    return report


@pytest.fixture(scope="session", autouse=True)
def _stop_processes_on_sigterm() -> Iterator[None]:
    """End the processes of the tests too if something, such as CI, stops the run."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    named = os.environ.get("CHROMIUM")
    found = map(shutil.which, [named] if named else CHROMIUMS)
    path = next(filter(None, found), None)
    if path is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("There is no Chromium. `make test` installs it.")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _network_stays() -> Iterator[None]:
    with network_changes.browsing():
        yield


@pytest.fixture
def visit(
    browser: Browser, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[..., Person]]:
    """`visit(url)` returns a new person. Fail if their browser logged an error or a warning.

    Also fail if axe-core finds a problem on the page that is open at the end of the test.
    """
    people: list[Person] = []

    def come(url: str, **options: Any) -> Person:
        people.append(Person(browser, url, **options))
        return people[-1]

    yield come
    complaints = [complaint for person in people for complaint in person.last_look()]
    wrong = complaints or request.node.stash.get(failed, True)
    for person in people:
        person.leave(tmp_path / f"{person.name}.png" if wrong else None)
    assert complaints == []


@pytest.fixture(scope="package")
def _deployed(postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    postgres.psql("CREATE DATABASE e2e")
    deployment = Deployment(tmp_path_factory.mktemp("deployment"), postgres.get_uri("e2e"))
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()
        postgres.psql("DROP DATABASE e2e WITH (FORCE)")


@pytest.fixture
def deployment(_deployed: Deployment) -> Iterator[Deployment]:
    """The Procfile's processes on PostgreSQL. All tests share them, repaired after each."""
    yield _deployed
    _deployed.mend()


@pytest.fixture
def person(deployment: Deployment, visit: Callable[..., Person]) -> Person:
    """A new person who has signed up."""
    person = visit(deployment.url)
    person.join()
    return person


@pytest.fixture(scope="package")
def _household(browser: Browser, _deployed: Deployment) -> Iterator[Person]:
    person = Person(browser, _deployed.url)
    person.join()
    be_done(person.connect())
    yield person
    person.leave()


@pytest.fixture
def resident(
    deployment: Deployment, visit: Callable[..., Person], _household: Person
) -> Callable[..., Person]:
    """`resident(viewport=...)` returns a person with nine accounts, in a browser of that kind.

    All tests share this person, so none of them may change the person's data.
    """

    def come(**options: Any) -> Person:
        known = _household.context.storage_state()
        person = visit(deployment.url, storage_state=known, **options)
        person.name = _household.name
        return person

    return come
