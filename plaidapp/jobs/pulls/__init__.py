"""One attempt at a pull: its reports, its heartbeat, and who is told when it ends.

The other subjects of `jobs` may import it; it imports none of them.
"""
