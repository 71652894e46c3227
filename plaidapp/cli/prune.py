"""`flask prune`: delete what is too old now."""

import time
from collections import Counter

import click
from flask.cli import with_appcontext

from plaidapp import policy
from plaidapp.events import event
from plaidapp.jobs.retention import prune as retention

from . import output


@click.command("prune")
@output.as_json
@with_appcontext
def prune(as_json: bool) -> None:
    """Delete now what is older than docs/retention.md says. The clock does it every night.

    The app may run meanwhile. An interrupted run can be repeated.
    """
    event("operator", command="prune")
    deleted: Counter[str] = Counter()
    with output.progress_of("Deleting", retention.everything(), drawn_every=1) as steps:
        for step in steps:
            deleted.update(step)
            time.sleep(policy.PRUNE_PAUSE)
    rows = [{"what": name, "deleted": number} for name, number in sorted(deleted.items())]
    output.show(("what", "deleted"), rows, as_json=as_json)
