"""Webhooks give way to clicks, for a moment."""

import multiprocessing

import pytest

from plaidapp import clicks_under_way
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
