import contextlib

import pytest

from tests.server.served import Served


@pytest.fixture
def stalled():
    """Keep connections open until the end of the test."""
    with contextlib.ExitStack() as connections:
        yield lambda client: connections.enter_context(client)


@pytest.fixture
def serve(tmp_path):
    """Start a server that ends with the test."""
    with contextlib.ExitStack() as started:

        def start(app, *options):
            server = Served(app, tmp_path, *options)
            started.callback(server.running.stop)
            return server

        yield start


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    running = Served("app:app", tmp_path_factory.mktemp("server"), "--threads=4")
    yield running
    running.running.stop()


@pytest.fixture(scope="module")
def impatient(tmp_path_factory):
    running = Served("impatient:app", tmp_path_factory.mktemp("impatient"), "--threads=4")
    yield running
    running.running.stop()
