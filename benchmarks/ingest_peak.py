"""python -m benchmarks.ingest_peak PULL: the job of one pull in a worker's process; its peak in MB.

The environment is a worker's.
"""

import resource
import sys

import worker
from plaidapp.jobs import pulls


def main() -> None:
    with worker.app.app_context():
        pulls.transactions(int(sys.argv[1]))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
