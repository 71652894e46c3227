"""Pulls: the queue of record, and every change of a pull's state.

May import `base`, `people` and `connections`.
"""
