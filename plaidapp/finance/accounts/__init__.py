"""The page of one account: its balance and history, and its transactions as a statement.

May import `base`, `charts`, `connections`, `reports` and `transactions`.
"""
