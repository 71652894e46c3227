"""Restoring a backup."""

RESTORE_WAITS = 5
"""How many seconds a restore waits for the processes that use the database. Then it changes
nothing: they have to be stopped first."""
