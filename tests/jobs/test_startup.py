"""How a worker's process is tuned."""

import gc
import os
import sys

import pytest

from plaidapp.jobs import startup


@pytest.fixture
def settings():
    def now():
        return gc.get_threshold(), sys.getswitchinterval(), gc.get_freeze_count()

    threshold, interval, _ = now()
    gc.unfreeze()  # what tests/conftest.py has frozen
    yield now
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


def test_imported_objects_are_exempt_from_garbage_collection(settings):
    startup.warm_up()
    (youngest, *_), interval, frozen = settings()
    assert (youngest, interval) == (startup.COLLECT_EVERY, pytest.approx(startup.SWITCH_AFTER))
    assert frozen > 10_000


def test_a_worker_starts_where_the_system_refuses_to_change_its_priority(monkeypatch):
    """As a unit of systemd does whose filter of system calls leaves it out."""

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "getpriority", lambda *_: 0)
    monkeypatch.setattr(os, "setpriority", refuse)
    startup.give_way()
