"""Fetching, storing and comparing transactions.

May import `jobs.pulls` and `jobs.connections`.
"""
