"""Logos of merchants and banks: what is fetched, how large it may be, and how it is retried."""

from datetime import timedelta

LARGEST_LOGO = 200 * 1024
"""Bytes. More is not read. Plaid's have 3 to 10 KB."""
LARGEST_PICTURE = 1_000_000
"""Pixels of a logo as it is sent. Plaid's have 100 × 100 or 152 × 152. Without this, a small file
could unfold to gigabytes."""
LOGO_SIDE = 80
"""Pixels of a stored logo: twice the largest disc, for sharp screens. It has one or two KB."""
LOGO_DEADLINE = 10.0
"""Seconds for one logo, from connecting to its last byte."""
LOGOS_INTERVAL = 5.0
"""Seconds between two looks for logos that are due."""
LOGOS_BATCH = 20
"""The most logos that one look fetches."""
NEW_LOGOS = 1_000
"""The most merchants of one sync whose logos are noted."""
LONGEST_OF_LOGO = 500
"""Characters of a merchant’s name or a logo’s address. One with more has no logo."""
FIRST_LOGO_DELAY = timedelta(minutes=10)
"""How long a logo waits after the first failed try. It doubles each time."""
LOGO_TRIES = 12
"""After so many failed tries, four weeks in all, there is no logo."""


def logo_delay(tries: int) -> timedelta:
    """Return how long a logo waits after the `tries`-th failed try."""
    return FIRST_LOGO_DELAY * 2.0 ** min(tries - 1, LOGO_TRIES)
