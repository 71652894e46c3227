"""python -m benchmarks.peak_memory PULL_ID: run one pull and print the process's peak in MB.

It runs in a worker's environment and needs Linux.
"""

import re
import sys
from pathlib import Path

import worker  # noqa: F401 it prepares the process
from plaidapp.jobs import run as jobs
from plaidapp.jobs.worker_app import worker_app
from plaidapp.store.pulls import pulls


def main() -> None:
    pull_id = int(sys.argv[1])
    with worker_app().app_context():
        jobs.run(pull_id)
        assert pulls.by_id(pull_id).state == pulls.DONE
    # getrusage would not do: its peak includes the memory of the process that forked this one.
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak) / 1024)


if __name__ == "__main__":
    main()
