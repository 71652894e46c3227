"""What deploys the app: the image, compose.yaml, the units of systemd, app.json.

No registry and no Docker daemon is needed: the files are read, and the image's processes run from
the files that the image gets, in a read-only folder and not as root.
"""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from config import Config
from run import find_redis_server
from tests.e2e.processes import Running, clean_env, wait_until
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
UNITS = ROOT / "deploy/systemd"
DOCKERFILE = ROOT / "Dockerfile"
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
UID = 10001
LEAST_SAFE = 2.5
"""The exposure that systemd-analyze may find in a unit at most, of 10."""
KNOWS_FILES = 250
"""The version of systemd from which on `systemd-analyze security` reads files."""


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.fixture
def made_env(tmp_path):
    """The variables of a new .env, with the keys of Plaid filled in."""
    path = tmp_path / ".env"
    subprocess.run([ROOT / "deploy/make-env.sh", path], check=True, stdout=subprocess.DEVNULL)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = subprocess.run([ROOT / "deploy/make-env.sh", path], capture_output=True)
    assert again.returncode != 0, "it must not replace keys"
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_new_keys_are_good_ones(made_env):
    assert not made_env["PLAID_CLIENT_ID"]
    config = Config.from_env(made_env | {"PLAID_CLIENT_ID": "a", "PLAID_SECRET_KEY": "b"})
    assert config.trusted_proxies == 1
    assert re.fullmatch(r"[\w-]{40,}", made_env["POSTGRES_PASSWORD"]), "it is part of an address"


def test_compose_runs_the_procfile_without_privileges(compose):
    services = compose["services"]
    assert set(PROCFILE) | {"db", "valkey"} == set(services)
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is True, name
        assert service.get("restart") == ("no" if name == "release" else "unless-stopped"), name
        published = service.get("ports", [])
        assert published == (["127.0.0.1:${PUBLISHED_PORT:-8000}:8000"] if name == "web" else [])
    for name, command in PROCFILE.items():
        assert services[name]["command"] == command.split(), name
        needed = services[name]["depends_on"]
        assert needed["db"] == {"condition": "service_healthy"}
        if name != "release":
            assert needed["release"] == {"condition": "service_completed_successfully"}
    assert services["db"]["networks"] == services["valkey"]["networks"] == ["inside"]
    assert compose["networks"]["inside"] == {"internal": True}
    assert "noeviction" in services["valkey"]["command"]


def test_the_image_is_not_root_and_compiles_nothing():
    stages = re.split(r"^FROM ", DOCKERFILE.read_text(), flags=re.MULTILINE)
    last = stages[-1]
    assert f"USER {UID}:{UID}" in last
    assert "HEALTHCHECK" in last
    assert "/healthz" in last
    assert "--require-hashes" in stages[1]
    assert not re.search(r"gcc|build-essential|-dev\b|ADD |:latest", "".join(stages))


def image_files(target):
    """Copy what `COPY . .` copies, as .dockerignore says, with what Python has compiled."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for source in (path for pattern in patterns for path in ROOT.glob(pattern)):
        if source.is_dir():
            shutil.copytree(source, target / source.name)
        else:
            shutil.copy(source, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.fixture
def place():
    """A folder that anybody may enter, unlike pytest's."""
    with tempfile.TemporaryDirectory(prefix="image-") as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "app").mkdir()
        image_files(place / "app")
        (place / "tmp").mkdir()
        (place / "tmp").chmod(0o777)
        yield place
        for path in (place / "app", *(place / "app").rglob("*")):
            if path.is_dir():
                path.chmod(0o755)


def without_privileges():
    """Return the start of a command that runs the rest as nobody or, where Python is closed to
    others, as a root that file permissions bind too."""
    if os.geteuid() != 0:
        return []
    bound = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    nobody = [*bound, f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
    ask = [sys.executable, "-c", "import sys; print(sys.version)"]
    told = subprocess.run([*nobody, *ask], capture_output=True, text=True, cwd="/").stdout
    return nobody if told.strip() == sys.version else bound


def is_healthy(env):
    """Ask as Docker does."""
    found = re.search(
        r"^HEALTHCHECK.*?CMD (\[.*?\])$", DOCKERFILE.read_text(), re.DOTALL | re.MULTILINE
    )
    return subprocess.run(json.loads(found[1]), env=env, stderr=subprocess.DEVNULL).returncode == 0


def test_the_image_runs_in_a_read_only_folder(place, compose, made_env, migrated_sqlite):
    """The other two processes are more commands of `flask --app wsgi`."""
    port, drop, writable = free_port(), without_privileges(), place / "tmp"
    env = clean_env(
        **made_env
        | {
            "HOME": "/nonexistent",
            "TMPDIR": str(writable),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATABASE_URL": f"sqlite:///{writable}/app.db",
            "REDIS_URL": f"unix://{writable}/redis",
            "PLAID_BASE_URL": "http://127.0.0.1:1",
            "PORT": str(port),
            "WEB_CONCURRENCY": "1",
        }
    )
    shutil.copy(migrated_sqlite, writable / "app.db")
    (writable / "app.db").chmod(0o666)
    running = {}

    def start(name, *command):
        log = Path(tempfile.mkstemp(dir=place, suffix=f"-{name}.log")[1])
        running[name] = Running([*drop, *command], log, env, cwd=place / "app")

    services = compose["services"]
    try:
        redis = [find_redis_server(), "--port", "0", "--unixsocket", f"{writable}/redis"]
        start("redis", *redis, "--save", "", "--dir", str(writable))
        for name in ("web", "worker"):
            start(name, *services[name]["command"])
        running["web"].wait_for(f"http://127.0.0.1:{port}/readyz")
        assert is_healthy(env)
        wait_until(lambda: "Listening on" in running["worker"].log.read_text(), 60, "a worker")
        for name in ("web", "worker"):
            running[name].send(15)
            assert running[name].wait() == 0, running[name].log.read_text()
        assert not is_healthy(env)
    finally:
        for process in reversed(running.values()):
            process.stop()
    refused = subprocess.run([*drop, "touch", place / "app/new"], capture_output=True)
    assert refused.returncode != 0, "the folder was read-only"


@pytest.fixture
def units(tmp_path):
    """The units as they are installed, for this folder."""
    for unit in UNITS.iterdir():
        text = unit.read_text().replace(
            "/srv/plaidapp/current/.venv/bin", str(Path(sys.executable).parent)
        )
        (tmp_path / unit.name).write_text(text.replace("/srv/plaidapp/current", str(ROOT)))
    return tmp_path


def test_the_units_run_the_procfile(units):
    for name, command in PROCFILE.items():
        if name != "release":
            (unit,) = UNITS.glob(f"plaidapp-{name}*.service")
            assert f"\nExecStart=/srv/plaidapp/current/.venv/bin/{command}\n" in unit.read_text()


def test_systemd_accepts_the_units_and_finds_them_hardened(units):
    analyze = shutil.which("systemd-analyze")
    told = analyze and subprocess.run([analyze, "--version"], capture_output=True, text=True).stdout
    version = re.search(r"systemd (\d+)", told or "")
    if version is None or int(version[1]) < KNOWS_FILES:
        pytest.skip("There is no systemd here that can judge files, and nothing else knows how.")
    files = sorted(map(str, units.iterdir()))
    verified = subprocess.run([analyze, "verify", *files], capture_output=True, text=True)
    ours = [line for line in verified.stderr.splitlines() if "plaidapp" in line]
    assert ours == []
    for unit in units.glob("*.service"):
        options = "--offline=true", f"--threshold={LEAST_SAFE * 10:.0f}"
        judged = subprocess.run([analyze, "security", *options, unit], capture_output=True)
        assert judged.returncode == 0, (unit.name, judged.stdout[-200:])


def test_a_paas_is_told_what_to_ask_for():
    app = json.loads((ROOT / "app.json").read_text())
    assert set(app["formation"]) == set(PROCFILE) - {"release"}
    required = {name for name, asked in app["env"].items() if asked.get("required", True)}
    assert {"TOKEN_KEYS", "PLAID_CLIENT_ID", "PLAID_SECRET_KEY", "PUBLIC_URL"} <= required
    readme = (ROOT / "README.md").read_text()
    assert all(f"`{name}`" in readme for name in app["env"])
