"""The people who sign in, and the lock and revision of each person's ledger.

May import `base`.
"""
