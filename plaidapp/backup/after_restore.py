"""What an older state of the database must not do again, and what it has missed.

A restored cursor is older than what was stored later, so a sync brings all rows since then, as if
the app had been off. An Item that was disconnected since then no longer exists at Plaid: its sync
says so, and its rows stay.
"""

from sqlalchemy import delete

from plaidapp.extensions import db
from plaidapp.store import LoginSession, Mail, MailLink
from plaidapp.store.connections import restored
from plaidapp.store.pulls import kinds, pulls

FORGET = tuple(str(delete(model)) for model in (Mail, MailLink, LoginSession))
"""Statements that belong to the restore itself: they run in its transaction.

Mails that waited may have been sent since. Links in mails may have been used up, and sessions
ended, so nobody can use them: everybody logs in again.
"""


def ask_again() -> None:
    """Have every connection synced, and Plaid asked about those that needed their person.

    Plaid does not send the webhooks again that came since. The clock rings for the pulls.
    """
    restored.request_syncs()
    pulls.add_each(kinds.STATUS, restored.in_doubt(), pulls.CLOCK)
    db.session.commit()
