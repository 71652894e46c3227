"""The calendar of recurring payments, and the address from which calendar programs read it."""

from datetime import timedelta

CALENDAR_MONTHS = 3
"""The months on the page: this one and those after it."""
CALENDAR_AHEAD = 12
"""The months that the calendar beside the list can show, one at a time: this one and those after
it."""
PRICES_SHOWN = 60
"""The payments of a recurring payment whose amounts its page shows, the latest ones."""
FEED_PAST = timedelta(days=92)
"""How long a calendar program is shown what was paid."""
FEED_AHEAD = timedelta(days=184)
"""How far ahead it is shown what is expected."""
FEED_REFRESH = timedelta(hours=6)
"""How often such a program is asked to read again. Most decide themselves."""
CALENDAR_READS = 60
"""Readings of a person's whole calendar in ADDRESS_PERIOD; the next one has to wait. One that has
not changed since is not counted."""
