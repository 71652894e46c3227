"""Deleting what is too old. May import nothing of the other subjects."""
