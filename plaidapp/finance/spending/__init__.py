"""The page of spending: a month beside the one before, twelve months, and where income went.

May import base, charts, reports and transactions.
"""
