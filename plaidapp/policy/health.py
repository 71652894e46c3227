"""What an operator sees: how fresh it is, and when a process counts as gone."""

from datetime import timedelta

DUTIES_NOTED = 10.0
"""Seconds between two times that the clock stores when it did what."""
CLOCK_GONE = timedelta(minutes=1)
"""A clock that has stored nothing for this long is not running."""
