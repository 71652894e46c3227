"""Webhooks give way to clicks, for a moment."""

import asyncio
import multiprocessing
import time
from itertools import chain

import pytest

from plaidapp import clicks_under_way, policy
from server.webhook_line import WebhookLine
from tests.server.served import CLOSE
from tests.server.test_requests import body_of

LONG, NOT_LONG = 60.0, 0.1
WEBHOOK = b"POST /webhooks/plaid HTTP/1.1\r\n" + CLOSE + b"Content-Length: 0\r\n\r\n"


@pytest.fixture
def expect(served):
    """Have the server expect a click for some seconds."""

    def ask(seconds):
        served.ask(f"GET /expect/{seconds} HTTP/1.1\r\n".encode() + CLOSE + b"\r\n")

    yield ask
    ask(0.0)


def test_a_webhook_waits_until_nobody_waits_for_a_click(served, expect):
    expect(NOT_LONG)
    assert body_of(served.ask(WEBHOOK)) == {"somebody_waits": False}


def test_a_webhook_waits_for_a_click_only_briefly(served, expect):
    expect(LONG)
    assert body_of(served.ask(WEBHOOK)) == {"somebody_waits": True}


@pytest.fixture
def nobody_waits():
    clicks_under_way.expect(0.0)
    yield
    clicks_under_way.expect(0.0)


@pytest.fixture
def looks(monkeypatch):
    """Return what a line of so many webhooks runs at each look, while somebody waits at some."""

    def of(number, *, somebody_waits_at, patience=LONG):
        found = []

        def are_there():
            found.append([])
            return len(found) <= somebody_waits_at

        async def run():
            line = WebhookLine(lambda webhook: found[-1].append(webhook))
            for webhook in range(number):
                line.add(webhook)
            deadline = time.monotonic() + 20
            while sum(map(len, found)) < number:
                assert time.monotonic() < deadline, found
                await asyncio.sleep(0.001)

        monkeypatch.setattr(policy, "WEBHOOK_GIVES_WAY", patience)
        monkeypatch.setattr(clicks_under_way, "are_there", are_there)
        asyncio.run(run())
        return found

    return of


def test_webhooks_that_waited_run_one_after_another(looks):
    assert looks(3, somebody_waits_at=2) == [[], [], [0], [1], [2]]


def test_of_a_long_line_more_run_at_each_look(looks):
    found = looks(30, somebody_waits_at=1)
    assert found[:3] == [[], [0, 1, 2], [3, 4, 5]]
    assert list(chain(*found)) == list(range(30))


def test_in_a_line_no_webhook_waits_too_long(looks):
    found = looks(3, somebody_waits_at=1_000_000, patience=NOT_LONG)
    assert list(chain(*found)) == [0, 1, 2]


@pytest.mark.usefixtures("nobody_waits")
def test_another_process_knows_of_a_click():
    process = multiprocessing.get_context("fork").Process(
        target=clicks_under_way.expect, args=(LONG,)
    )
    process.start()
    process.join()
    assert clicks_under_way.are_there()


@pytest.mark.usefixtures("nobody_waits")
def test_the_end_of_one_click_is_not_that_of_another():
    first = clicks_under_way.expect(LONG)
    second = clicks_under_way.expect(LONG)
    clicks_under_way.ended(first)
    assert clicks_under_way.are_there()
    clicks_under_way.ended(second)
    assert not clicks_under_way.are_there()
