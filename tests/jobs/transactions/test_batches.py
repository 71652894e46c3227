"""Pages are stored together, as long as that does not change what comes of them."""

from plaidapp.jobs.transactions import sync
from plaidapp.jobs.transactions.spool import Page
from plaidapp.store.transactions.ingest import Row


def row(name):
    return Row(
        "account", name, None, "2026-01-31", None, 1, "USD", None, name, None, None, None, None,
        name, name, False, 0,
    )  # fmt: skip


def page(*added, modified=(), removed=()):
    return Page([row(name) for name in added], [row(name) for name in modified], list(removed), b"")


def batches(*pages):
    return [
        (
            [row.plaid_transaction_id for row in batch.added],
            [row.plaid_transaction_id for row in batch.modified],
            batch.removed,
        )
        for batch in sync._batches(pages)
    ]


def test_pages_that_have_nothing_to_do_with_each_other_are_one():
    together = batches(page("a", "b"), page("c", modified=["d"]), page(removed=["e"]))
    assert together == [(["a", "b", "c"], ["d"], ["e"])]


def test_what_a_later_page_says_of_a_row_is_done_later():
    assert batches(page("a"), page(removed=["a"]), page("a")) == [
        (["a"], [], []),
        ([], [], ["a"]),
        (["a"], [], []),
    ]
    assert batches(page("a"), page(modified=["a"])) == [(["a"], [], []), ([], ["a"], [])]


def test_no_batch_is_longer_than_it_should_be(monkeypatch):
    monkeypatch.setattr(sync, "ROWS_AT_ONCE", 3)
    assert batches(page("a", "b"), page("c"), page("d"), page("e", "f", "g", "h")) == [
        (["a", "b", "c"], [], []),
        (["d"], [], []),
        (["e", "f", "g", "h"], [], []),
    ]


def test_an_update_of_nothing_is_one_empty_batch():
    assert batches(page()) == [([], [], [])]
