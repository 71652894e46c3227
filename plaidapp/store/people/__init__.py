"""The people who sign in, their log-in sessions, and the lock and revision of each one's ledger.

May import `base`.
"""
