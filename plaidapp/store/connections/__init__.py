"""Items, their accounts, daily balances, and accounts that move to a new Item on a reconnect.

May import `base` and `people`.
"""
