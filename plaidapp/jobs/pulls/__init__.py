"""One attempt at a pull: its reports, its heartbeat, and the signal when it ends.

May import `plaid_limits` of `jobs`; all others may import it.
"""
