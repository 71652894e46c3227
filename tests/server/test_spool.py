import asyncio
import os
import resource
from concurrent.futures import ThreadPoolExecutor

import pytest

from server.spool import Spool


@pytest.fixture
def small_disk():
    """Let no file become larger than 100,000 bytes. A full disk takes a part of a write, too."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, usual)


def test_an_answer_that_does_not_fit_on_the_disk_is_not_whole(small_disk):
    async def spool_twice():
        spool = Spool(asyncio.get_running_loop())
        spool.write(b"x" * 60_000)
        with pytest.raises(OSError, match="No space"):
            spool.write(b"x" * 60_000)
        spool.close()

    with ThreadPoolExecutor(1) as other:  # this thread may have a loop, of a browser test before
        other.submit(asyncio.run, spool_twice()).result()


def read_at_once(spool):
    """Read as the event loop does while there is something to read."""
    with pytest.raises(StopIteration) as read:
        spool.read().send(None)
    return read.value.value


def test_what_is_still_being_written_is_not_read(monkeypatch):
    """Or the next read would find nothing and take that for the end: the answer was cut off."""
    loop, pwrite, sent = asyncio.new_event_loop(), os.pwrite, []

    def read_meanwhile(*given):
        written = pwrite(*given)
        sent.append(read_at_once(spool))
        return written

    spool = Spool(loop)
    spool.write(b"one ")
    monkeypatch.setattr(os, "pwrite", read_meanwhile)
    spool.write(b"two ")
    spool.end(whole=True)
    sent += [read_at_once(spool), read_at_once(spool)]

    assert sent == [b"one ", b"two ", b""]
    spool.close()
    loop.close()
