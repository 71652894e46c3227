"""Real processes for the browser tests. Each ends with every process that it started."""

import contextlib
import json
import os
import secrets
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis
from cryptography.fernet import Fernet

from plaidapp.auth.counting import PREFIX
from run import find_redis_server
from tests.mailbox import Mailbox
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
MARK = "PLAIDAPP_E2E"
"""A variable that a process and all that it starts carry, so that none can be overlooked."""


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} within {seconds} s"
        time.sleep(0.05)


def clean_env(**more: str) -> dict[str, str]:
    """Return the environment without plaidapp's variables, and let Python keep what it compiles."""
    ours = ("PLAID_", "SECRET_KEY", "TOKEN_KEYS", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL",
            "ALLOWED_HOSTS", "TRUSTED_PROXIES", "PORT", "WEB_CONCURRENCY", "LOG_LEVEL", "FLASK_",
            "MAIL_", "MAKE", "MFLAGS", "PYTHONDONTWRITEBYTECODE")  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    return kept | more


class Running:
    """A command in its own session, with the processes that it starts."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        env: Mapping[str, str],
        cwd: Path = ROOT,
        sockets: tuple[int, ...] = (),
    ) -> None:
        self.log = log
        self._mark = uuid.uuid4().hex
        self._seen: set[psutil.Process] = set()
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                command,
                cwd=cwd,
                env={**env, MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=sockets,
            )

    def family(self) -> list[psutil.Process]:
        """Return the processes that still run: the command and its descendants.

        Redis overwrites its environment with its title, so descendants are remembered too.
        """
        with contextlib.suppress(psutil.Error):
            parent = psutil.Process(self._popen.pid)
            self._seen |= {parent, *parent.children(recursive=True)}
        self._seen |= {process for process in psutil.process_iter() if self._is_marked(process)}
        return [process for process in self._seen if _runs(process)]

    def _is_marked(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == self._mark
        except (psutil.Error, OSError):
            return False

    def wait_for(self, url: str, seconds: float = 60) -> None:
        """Wait until `url` answers 200."""
        wait_until(lambda: self.is_up() and answers(url), seconds, f"{url} answers")
        self.family()

    def is_up(self) -> bool:
        code = self._popen.poll()
        assert code is None, f"it ended with {code}:\n{self.log.read_text()}"
        return True

    def wait(self, seconds: float = 60) -> int:
        return self._popen.wait(seconds)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, as a terminal does on Ctrl-C."""
        self.family()
        os.killpg(self._popen.pid, number)

    def terminate(self) -> None:
        """Ask the command alone to stop, as a host does."""
        self.family()
        self._popen.terminate()

    def kill(self) -> None:
        """Kill the command first, so that it restarts nothing, then its descendants."""
        self.family()
        self._popen.kill()
        self._popen.wait()
        wait_until(self._is_extinct, 30, "everything that it started ends")

    def _is_extinct(self) -> bool:
        left = self.family()
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        return not left

    @property
    def ended(self) -> bool:
        return self._popen.poll() is not None

    def stop(self) -> None:
        """Ask every process to stop. After 15 seconds, kill those that are left."""
        with contextlib.suppress(ProcessLookupError):
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(15)
        self.kill()


def _runs(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
        return answer.status == 200
    return False


def post_json(url: str, content: object) -> Any:
    """Return the response. Its numbers are Decimals with all their digits."""
    request = urllib.request.Request(  # noqa: S310
        url,
        json.dumps(content).encode(),
        {"Content-Type": "application/json", "PLAID-CLIENT-ID": "local", "PLAID-SECRET": "local"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return json.loads(answer.read(), parse_float=Decimal)


class Bank:
    """A local sandbox. Its control plane makes it misbehave."""

    def __init__(self, url: str) -> None:
        self.url = url

    def misbehave(self, kind: str, path: str = "*", **details: object) -> None:
        """Set one rule of sandbox/fault_rules.py and remove all others."""
        post_json(f"{self.url}/_control/faults", [{"kind": kind, "path": path, **details}])

    def behave(self) -> None:
        """Remove all rules. Calls that were delayed go on."""
        post_json(f"{self.url}/_control/faults", [])

    def ask(self, path: str, access_token: str) -> None:
        """Call Plaid's API for an Item."""
        keys = {"client_id": "local", "secret": "local"}
        post_json(f"{self.url}{path}", {"access_token": access_token, **keys})

    def calls(self, path: str) -> int:
        """Return how many calls to `path` have come in, answered or not."""
        with urllib.request.urlopen(f"{self.url}/_control/faults", timeout=5) as answer:  # noqa: S310
            return json.load(answer)["calls"].get(path, 0)


class Deployment:
    """The Procfile's processes as a PaaS runs them.

    With a redis-server over TCP, a mail server and a sandbox.
    """

    def __init__(self, directory: Path, database_url: str) -> None:
        self._directory = directory
        self.running: dict[str, Running] = {}
        self.procfile = dict(
            line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines()
        )
        self._redis_port, bank_port, port = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.bank = Bank(f"http://127.0.0.1:{bank_port}")
        self.mailbox = Mailbox()
        self.env = clean_env(
            SECRET_KEY=secrets.token_hex(),
            TOKEN_KEYS=Fernet.generate_key().decode(),
            DATABASE_URL=database_url,
            REDIS_URL=f"redis://127.0.0.1:{self._redis_port}/0",
            PLAID_BASE_URL=self.bank.url,
            PUBLIC_URL=self.url,
            PORT=str(port),
            WEB_CONCURRENCY="2",
            PYTHONUNBUFFERED="1",
        )

    def start(self) -> None:
        self.mailbox.start()
        self.env |= {"MAIL_URL": self.mailbox.url, "MAIL_FROM": "no-reply@example.com"}
        redis_server = shlex.join([find_redis_server(), "--save", "", "--dir"])
        self.run("redis", f"{redis_server} {self._directory} --port {self._redis_port}")
        wait_until(self._redis_listens, 30, "redis-server listens")
        self.start_bank()
        assert self.run("release", self.procfile["release"]).wait() == 0
        for name in ("web", "worker", "clock"):
            self.run(name, self.procfile[name])
        self.running["web"].wait_for(f"{self.url}/readyz")

    def run(self, name: str, command: str) -> Running:
        """Run a line of the Procfile through the shell, as honcho and Heroku do."""
        log = self._directory / f"{name}.log"
        self.running[name] = Running(["sh", "-c", f"exec {command}"], log, self.env)
        return self.running[name]

    @property
    def bank_state(self) -> Path:
        return self._directory / "sandbox.db"

    def newest_access_token(self) -> str:
        """Return the token of the newest Item. Only the bank has it unencrypted."""
        with contextlib.closing(sqlite3.connect(self.bank_state)) as state:
            query = "SELECT access_token FROM item ORDER BY number DESC LIMIT 1"
            token: str = state.execute(query).fetchone()[0]
            return token

    def let_links_add_several_banks(self) -> None:
        """Let each link connect several banks, which the app never asks for."""
        several = "UPDATE link_token SET request = json_set(request, ?, json('true'))"
        self._change_bank(several, "$.enable_multi_item_link")

    def let_links_expire(self) -> None:
        """End the half hour of each link, at the bank and in the app."""
        self._change_bank("UPDATE link_token SET expires = created")
        with psycopg.connect(self.env["DATABASE_URL"]) as stored:
            stored.execute("UPDATE link_session SET expires_at = created_at")

    def _change_bank(self, change: str, *values: str) -> None:
        """Change what the control plane can't."""
        with contextlib.closing(sqlite3.connect(self.bank_state)) as state, state:
            state.execute(change, values)

    def start_bank(self) -> None:
        port = self.bank.url.rpartition(":")[2]
        bank = self.run("sandbox", f"python -m sandbox --port {port} --state {self.bank_state}")
        bank.wait_for(f"{self.bank.url}/_control/faults")

    def mend(self) -> None:
        """Undo what a test did: restart what ended, make the bank behave, forget sign-ups."""
        with contextlib.suppress(ProcessLookupError):
            self.running["sandbox"].send(signal.SIGCONT)
        if self.running["sandbox"].ended:
            self.start_bank()
        self.bank.behave()
        with redis.Redis(port=self._redis_port) as counts:
            for key in counts.scan_iter(f"{PREFIX}*"):
                counts.delete(key)
        for name in ("web", "worker", "clock"):
            if self.running[name].ended:
                self.run(name, self.procfile[name])

    def stop(self) -> None:
        for process in reversed(self.running.values()):
            process.stop()
        self.mailbox.stop()

    def take_mail(self, address: str, subject: str) -> EmailMessage:
        """Wait for a mail to `address`, and take it out of the mailbox."""

        def found() -> list[EmailMessage]:
            mails = self.mailbox.mails
            return [mail for mail in mails if (mail["To"], mail["Subject"]) == (address, subject)]

        wait_until(found, 30, f"a mail to {address}")
        (mail,) = found()
        self.mailbox.mails.remove(mail)
        return mail

    def _redis_listens(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self._redis_port), 1),
        ):
            return True
        return False
