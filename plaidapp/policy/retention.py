"""How long is kept what grows with time. docs/retention.md lists every table."""

from datetime import datetime, timedelta

PULLS_KEPT = timedelta(days=90)
"""How long a pull is kept, with what it did at each Item."""
HISTORY_KEPT = 20
"""An Item keeps its last pulls, webhooks and changes of state, however old they are."""
LATEST_PULLS_KEPT = 10
"""So does a person the pulls that they asked for: the overview shows the last ones."""
QUIET_PULLS_KEPT = timedelta(days=1)
"""How long a pull is kept that nobody asked for and that found nothing. An Item keeps the last one
of each kind."""
WEBHOOKS_KEPT = timedelta(days=90)
"""How long a webhook is kept, with its body."""
STATES_KEPT = timedelta(days=365)
"""How long changes of an Item's state are kept."""
LINK_SESSIONS_KEPT = timedelta(days=90)
"""How long a session of Link is kept that no connection came of."""
EDITS_KEPT = timedelta(days=30)
"""How long is kept what an edit changed. It can be undone on the explorer for a day, and with a
page that is still open for as long as this."""
PAGES_KEPT = timedelta(days=1)
"""How long a raw page is kept that no row refers to anymore."""
CHANGED_LATELY = timedelta(days=3)
"""Raw pages are looked for at Items whose rows have changed in this time. More than a night may be
missed."""
KEYS_KEPT = timedelta(days=30)
"""How long one of Plaid's keys is kept that no webhook was signed with."""
PRUNE_HOUR = 3
"""The hour of the day, in UTC, at which the clock begins to delete what is too old."""
PRUNE_OWNERS = 100
"""Items or people whose rows one tick looks through: 100,000 take 17 minutes."""
PRUNE_ROWS = 2_000
"""The most rows of each kind that one tick deletes. If there are more, it comes back to them."""
PRUNE_PAUSE = 0.05
"""Seconds between two such steps of the command, so that others can write."""


def next_prune(moment: datetime) -> datetime:
    """Return when the clock prunes again, after it has at `moment`, in UTC."""
    today = moment.replace(hour=PRUNE_HOUR, minute=0, second=0, microsecond=0)
    return today if today > moment else today + timedelta(days=1)
