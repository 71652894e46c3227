"""What a platform does with an app's processes: it starts them, and starts again what died."""

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
"""Seconds that a process must have lived to be started again at once."""


class Role:
    """One process of the formation: how it is started, and whether it is meant to run."""

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
            # In a session of its own: a kill takes its children along, as the end of a container.
            return subprocess.Popen(
                self._command,
                env=dict(self._env),
                cwd=self._directory,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL to the process and its children; returns when the process is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_child(self) -> None:
        """SIGKILL to the first child alone, as the kernel does when memory runs out."""
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children()[:1]:
                child.kill()

    def look_after(self) -> None:
        """Starts it again if it is meant to run and does not."""
        rested = time.monotonic() - self._started > CRASH_LOOP
        if self.wanted and rested and self.process.poll() is not None:
            self.process = self._start()


class Formation:
    """The roles, and a thread that looks after them until `close`."""

    def __init__(self, directory: Path, logs: Path, env: Mapping[str, str]) -> None:
        self._directory, self._logs, self._env = directory, logs, env
        self._roles: dict[str, Role] = {}
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="formation")
        self._thread.start()

    def add(self, name: str, *command: str) -> None:
        with self._lock:
            log = self._logs / f"{name}.log"
            self._roles[name] = Role(name, command, self._env, self._directory, log)

    def kill(self, name: str, *, stay_down: bool = False) -> None:
        """`stay_down` until `bring_back`; otherwise it is started again by itself."""
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
        """How often each was started so far."""
        return {name: role.starts for name, role in self._roles.items()}

    def close(self) -> None:
        """Ends everything at once: a kill is what this suite's processes are used to."""
        self._closed.set()
        self._thread.join()
        for role in reversed(self._roles.values()):
            role.kill()

    def _look_after(self) -> None:
        while not self._closed.wait(LOOK_EVERY):
            with self._lock:
                for role in self._roles.values():
                    role.look_after()
