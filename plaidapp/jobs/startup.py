"""A worker's process: made ready before its first job, and tuned for what jobs do."""

import gc
import sys

from sqlalchemy.orm import configure_mappers

from plaidapp.bank import client

COLLECT_EVERY = 10_000
"""How many objects more there are at a garbage collection than at the one before. Rows come by the
thousand, and in no cycles."""
SWITCH_AFTER = 0.001
"""Seconds that one thread computes while another waits. Python's own 5 ms are what making a page
into rows takes: the thread that asks for the next page would be kept until it is done."""


def warm_up() -> None:
    """Does now what the first job would wait for, and spares every later collection looking at it.

    To be called when all is imported.
    """
    configure_mappers()
    client.warm_up()
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY)
    sys.setswitchinterval(SWITCH_AFTER)
