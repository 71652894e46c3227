import pytest

from tests.server.served import Served


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
