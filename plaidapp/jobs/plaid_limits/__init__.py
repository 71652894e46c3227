"""Plaid's limits of calls, kept by all workers together. Redis counts.

May be imported by the other subjects of `jobs`; imports none of them.
"""
