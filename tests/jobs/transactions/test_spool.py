"""Pages come out of the spool as they went in, from memory and from disk."""

from datetime import date
from decimal import Decimal

import pytest

from plaidapp.bank import payloads
from plaidapp.jobs.transactions import spool
from plaidapp.jobs.transactions.spool import Page, Spool
from tests import stored

ROWS = stored.rows_of(
    [
        payloads.PlaidTransaction("t1", "a", Decimal("7.12345678"), date(2026, 1, 31), False),
        payloads.PlaidTransaction(
            "t2", "a", Decimal(-5), date(2026, 2, 1), True, merchant_name="Café"
        ),
    ],
)
PAGES = [
    Page(ROWS, [], [], b"\x00\xff" * 50),
    Page([], [], [], b""),
    Page([], ROWS[:1], ["t2"], b"last"),
]


@pytest.mark.parametrize("in_memory", [8, 1000])
def test_pages_come_back_in_order(monkeypatch, in_memory):
    monkeypatch.setattr(spool, "IN_MEMORY", in_memory)
    with Spool() as pages:
        for page in PAGES:
            pages.append(page)
        assert len(pages) == len(PAGES)
        assert list(pages) == list(pages) == PAGES


@pytest.mark.parametrize("in_memory", [8, 1000])
def test_a_cleared_spool_is_empty_and_usable(monkeypatch, in_memory):
    monkeypatch.setattr(spool, "IN_MEMORY", in_memory)
    with Spool() as pages:
        pages.append(PAGES[0])
        pages.clear()
        assert (len(pages), list(pages)) == (0, [])
        pages.append(PAGES[2])
        assert list(pages) == [PAGES[2]]


def test_a_page_names_every_transaction_once():
    assert PAGES[2].ids() == {"t1", "t2"}
