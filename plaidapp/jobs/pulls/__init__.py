"""One attempt at a pull: its reports, its heartbeat, and the signal when it ends.

Imports no other subject of `jobs`; all of them may import it.
"""
