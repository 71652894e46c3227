"""Transactions: rows, ingest, raw pages, filters, edits, categories, and monthly totals.

May import `base`, `people` and `connections`. Monthly totals are here because an edit updates them
in its own transaction, and because reading a filter uses them as an index.
"""
