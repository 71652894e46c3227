"""The calendar of recurring payments, and the address from which calendar programs read it."""

CALENDAR_MONTHS = 3
"""The months on the page: this one and those after it."""
PRICES_SHOWN = 60
"""The payments of a recurring payment whose amounts its page shows, the latest ones."""
