"""Transactions as files for other programs. Each format is a module.

A format's `write` turns an `Export` into pieces of text, about one for each row. `download` lists
the formats and serves them.
"""
