"""Starts the app's processes and restarts those that die, as a hosting platform does."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

LOOK_EVERY = 0.1
CRASH_LOOP = 1.0
"""A process is restarted this many seconds after its last start at the earliest."""


class Role:
    """One process of the formation: how to start it, and whether it should be running."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], directory: Path, log: Path
    ) -> None:
        self.name = name
        self.wanted = True
        self.starts = 0
        self._command, self._env, self._directory, self._log = command, env, directory, log
        self._started = 0.0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self.starts += 1
        self._started = time.monotonic()
        with self._log.open("ab") as log:
            # In its own session, so that a kill takes its children too, as when a container ends.
            return subprocess.Popen(
                self._command,
                env=dict(self._env),
                cwd=self._directory,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL the process and its children, and return once the process has exited."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_child(self) -> None:
        """SIGKILL the first child only, as the kernel does when memory runs out."""
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children()[:1]:
                child.kill()

    def restart_if_needed(self) -> None:
        """Restart the process if it should be running and is not."""
        is_due = time.monotonic() - self._started > CRASH_LOOP
        if self.wanted and is_due and self.process.poll() is not None:
            self.process = self._start()


class Formation:
    """The roles, and a thread that restarts them until `close`."""

    def __init__(self, directory: Path, logs: Path, env: Mapping[str, str]) -> None:
        self._directory, self._logs, self._env = directory, logs, env
        self._roles: dict[str, Role] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="formation")
        self._thread.start()

    def add(self, name: str, *command: str) -> None:
        with self._lock:
            log = self._logs / f"{name}.log"
            self._roles[name] = Role(name, command, self._env, self._directory, log)

    def replace(self, name: str, *command: str) -> None:
        """Kill a role, and start it with another command."""
        with self._lock:
            self._roles[name].kill()
            self.add(name, *command)

    def kill(self, name: str, *, stay_down: bool = False) -> None:
        """Kill a role. With `stay_down` it is restarted only after `bring_back`."""
        with self._lock:
            role = self._roles[name]
            role.wanted = not stay_down
            role.kill()

    def kill_child(self, name: str) -> None:
        with self._lock:
            self._roles[name].kill_child()

    def bring_back(self, name: str) -> None:
        with self._lock:
            self._roles[name].wanted = True

    def starts(self) -> dict[str, int]:
        """Return how often each role has been started."""
        return {name: role.starts for name, role in self._roles.items()}

    def close(self) -> None:
        """Kill every process; this suite's processes are used to it."""
        self._closed.set()
        self._thread.join()
        for role in reversed(self._roles.values()):
            role.kill()

    def _watch(self) -> None:
        while not self._closed.wait(LOOK_EVERY):
            with self._lock:
                for role in self._roles.values():
                    role.restart_if_needed()
