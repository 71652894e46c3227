"""python -m benchmarks.ingest_peak DATABASE_URL BANK ROWS: one job; its peak in MB."""

import resource
import sys

from benchmarks.ingest import World, run_job


def main() -> None:
    url, bank, rows = sys.argv[1:]
    world = World(url, bank, int(rows))
    with world.fresh():
        run_job(world)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
