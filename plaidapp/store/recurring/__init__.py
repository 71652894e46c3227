"""Recurring payments, as Plaid finds them.

May import `base`, `people`, `connections` and `transactions`.
"""
