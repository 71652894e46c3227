"""Figures derived from transactions and balances: balance history, and balances as lines.

May import `base`, `connections` and `transactions`.
"""
