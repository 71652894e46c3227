"""Pages come out as they went in, from memory and from disk."""

import pytest

from plaidapp.jobs import spool
from plaidapp.jobs.spool import Spool

PAGES = [b"first", b"", b"\x00\xff" * 50, b"last"]


@pytest.mark.parametrize("in_memory", [8, 1000])
def test_pages_come_back_in_order(monkeypatch, in_memory):
    monkeypatch.setattr(spool, "IN_MEMORY", in_memory)
    with Spool() as pages:
        for page in PAGES:
            pages.append(page)
        assert len(pages) == len(PAGES)
        assert list(pages) == list(pages) == PAGES


@pytest.mark.parametrize("in_memory", [8, 1000])
def test_a_cleared_spool_is_as_new(monkeypatch, in_memory):
    monkeypatch.setattr(spool, "IN_MEMORY", in_memory)
    with Spool() as pages:
        pages.append(b"a long page of an update that was thrown away")
        pages.clear()
        assert (len(pages), list(pages)) == (0, [])
        pages.append(b"short")
        assert list(pages) == [b"short"]
