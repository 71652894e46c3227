"""python -m benchmarks [--quick]: every benchmark, as the Markdown of docs/benchmarks.md."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

SCRIPTS = ("ingest", "click_to_panel", "jobs", "pages", "growth", "memory")
LIBRARIES = ("flask", "gunicorn", "sqlalchemy", "psycopg", "redis", "rq", "msgspec", "plaid-python")


def main() -> None:
    print("# Benchmarks\n")
    command = "make bench QUICK=1" if "--quick" in sys.argv else "make bench"
    print(f"Made by `{command}`. Ways that are compared took turns in one run, so the ratios")
    print("hold where the figures, which are this machine's, do not.\n")
    print(f"- {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {_processor()},")
    print(f"  {platform.system()} {platform.machine()}, Python {platform.python_version()}")
    print("- " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES), flush=True)
    for script in SCRIPTS:
        print(f"\n## {script}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{script}", *sys.argv[1:]], check=True)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.processor()


if __name__ == "__main__":
    main()
