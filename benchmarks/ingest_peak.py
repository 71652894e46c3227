"""python -m benchmarks.ingest_peak PULL: the job of one pull in a worker's process; its peak in MB.

The environment is a worker's.
"""

import re
import sys
from pathlib import Path

import worker
from plaidapp.jobs import run as jobs
from plaidapp.store.pulls import pulls


def main() -> None:
    pull_id = int(sys.argv[1])
    with worker.app.app_context():
        jobs.transactions(pull_id)
        assert pulls.by_id(pull_id).state == pulls.DONE
    # Not getrusage: what it tells of a child counts the parent too, whose memory it began with.
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak) / 1024)


if __name__ == "__main__":
    main()
