"""Pages are stored together as long as the result is the same."""

from plaidapp.jobs.transactions import store_update
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
        for batch in store_update._batches(pages)
    ]


def test_pages_with_different_transactions_share_a_batch():
    together = batches(page("a", "b"), page("c", modified=["d"]), page(removed=["e"]))
    assert together == [(["a", "b", "c"], ["d"], ["e"])]


def test_a_transaction_that_a_later_page_names_again_begins_a_batch():
    assert batches(page("a"), page(removed=["a"]), page("a")) == [
        (["a"], [], []),
        ([], [], ["a"]),
        (["a"], [], []),
    ]
    assert batches(page("a"), page(modified=["a"])) == [(["a"], [], []), ([], ["a"], [])]


def test_a_batch_has_at_most_so_many_rows_unless_one_page_has_more(monkeypatch):
    monkeypatch.setattr(store_update, "BATCH_ROWS", 3)
    assert batches(page("a", "b"), page("c"), page("d"), page("e", "f", "g", "h")) == [
        (["a", "b", "c"], [], []),
        (["d"], [], []),
        (["e", "f", "g", "h"], [], []),
    ]


def test_an_empty_update_is_one_empty_batch():
    assert batches(page()) == [([], [], [])]
