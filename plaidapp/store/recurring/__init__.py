"""Recurring payments, as Plaid finds them.

May import `base`, `connections` and `transactions`.
"""
