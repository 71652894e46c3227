"""Mails about a person's banks: when they are written, and how many."""

from datetime import timedelta

NOTICE_QUIET = timedelta(minutes=10)
"""How long a bank must need the person, or a difference must last, before they get a mail. What
ends sooner is not told."""
NOTICES_TOGETHER = timedelta(minutes=5)
"""What would be told so soon after is told in the same mail."""
NOTICE_INTERVAL = timedelta(days=1)
"""A person gets at most one mail about the same bank in this time."""
NOTICES_BATCH = 50
"""The most people to whom the clock writes at a time."""
