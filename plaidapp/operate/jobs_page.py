"""What the workers and the clock can do: kinds of pull, and duties."""

from flask import render_template
from flask_babel import lazy_gettext

from plaidapp.jobs import clock, clock_threads, presence
from plaidapp.jobs.pull_job import REGISTERED
from plaidapp.store.pulls import kinds, overview

from .blueprint import blueprint

DOES = {
    kinds.LINK: lazy_gettext("connects a test bank"),
    kinds.CONNECT: lazy_gettext("follows a person through Link, then connects the bank"),
    kinds.RECONNECT: lazy_gettext("follows a person who logs in to a bank again"),
    kinds.LOOK: lazy_gettext("looks whether a link was used after its pull had ended"),
    kinds.ACCOUNTS: lazy_gettext("asks banks for balances"),
    kinds.TRANSACTIONS: lazy_gettext("syncs transactions"),
    kinds.TOTAL: lazy_gettext("syncs transactions, then counts them"),
    kinds.REPAIR: lazy_gettext("reads a connection again from the beginning, then checks it"),
    kinds.CHECK: lazy_gettext("compares what is stored with the bank"),
    kinds.RECURRING: lazy_gettext("reads recurring payments"),
    kinds.REFRESH: lazy_gettext("has Plaid look for new transactions at the bank"),
    kinds.STATUS: lazy_gettext("asks Plaid when the bank last delivered data"),
    kinds.REMOVE: lazy_gettext("ends a replaced connection at Plaid; tried until it succeeds"),
    kinds.DISCONNECT: lazy_gettext("ends a connection at Plaid; tried until it succeeds"),
    kinds.ERASE: lazy_gettext("deletes everything of a person; tried until it succeeds"),
}

DUTIES = {
    duty.__name__: " ".join((duty.__doc__ or "").partition("\n\n")[0].split())
    for duty in clock.DUTIES
} | clock_threads.DUTIES
"""What the clock does, in the words of its code: they are not translated."""


@blueprint.get("/jobs")
def jobs() -> str:
    return render_template(
        "operate/jobs.html",
        functions=sorted(REGISTERED),
        kinds=kinds.KINDS.values(),
        does=DOES,
        open_pulls=overview.open_by_kind(),
        duties=DUTIES,
        done=presence.duties_done(),
        late=presence.late_duties(),
    )
