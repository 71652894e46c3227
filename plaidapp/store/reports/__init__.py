"""What is derived from transactions and balances: balance history and its lines.

May import `base`, `connections` and `transactions`.
"""
