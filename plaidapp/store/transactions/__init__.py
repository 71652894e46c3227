"""Transactions: rows, ingest, raw pages, filters, edits, categories, transfers, monthly totals.

May import `base`, `people` and `connections`. Monthly totals are here because an edit updates them
in the same database transaction, and because they work as an index when a filter is read.
"""
