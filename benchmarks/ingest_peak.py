"""python -m benchmarks.ingest_peak PULL: the job of one pull in a worker's process; its peak in MB.

The environment is a worker's.
"""

import re
import sys
from pathlib import Path

import worker
from plaidapp.jobs import pulls


def main() -> None:
    with worker.app.app_context():
        pulls.transactions(int(sys.argv[1]))
    # Not getrusage: what it tells of a child counts the parent too, whose memory it began with.
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak) / 1024)


if __name__ == "__main__":
    main()
