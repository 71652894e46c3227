"""python -m benchmarks [--quick]: run every benchmark and print docs/benchmarks.md."""

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

SCRIPTS = (
    *("ingest", "click_to_panel", "jobs", "pages", "growth", "sweep", "scrape", "memory"),
    *("hundred_thousand_items", "year_of_an_item"),
)
LIBRARIES = ("flask", "gunicorn", "sqlalchemy", "psycopg", "redis", "rq", "msgspec", "plaid-python")


def main() -> None:
    print("# Benchmarks\n")
    command = "make bench QUICK=1" if "--quick" in sys.argv else "make bench"
    print(f"Written by `{command}`. In each comparison, the variants took turns in one run. The")
    print("ratios therefore hold on other machines too; the absolute figures do not.\n")
    print(f"- {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {_processor()},")
    print(f"  {platform.system()} {platform.machine()}, Python {platform.python_version()}")
    print("- " + ", ".join(f"{name} {version(name)}" for name in LIBRARIES), flush=True)
    for script in SCRIPTS:
        print(f"\n## {script}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{script}", *sys.argv[1:]], check=True)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.exists() else ():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.processor()


if __name__ == "__main__":
    main()
