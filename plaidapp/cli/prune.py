"""`flask prune`: delete what is too old now."""

import time
from collections import Counter

import click
from flask.cli import with_appcontext

from plaidapp import policy
from plaidapp.events import event
from plaidapp.jobs.retention import prune as retention

from .output import as_json as json_option
from .output import show


@click.command("prune")
@json_option
@with_appcontext
def prune(as_json: bool) -> None:
    """Delete now what is older than docs/retention.md says. The clock does it every night.

    The app may run meanwhile. An interrupted run can be repeated.
    """
    event("operator", command="prune")
    deleted: Counter[str] = Counter()
    for step in retention.everything():
        deleted.update(step)
        time.sleep(policy.PRUNE_PAUSE)
    rows = [{"what": name, "deleted": number} for name, number in sorted(deleted.items())]
    show(("what", "deleted"), rows, as_json=as_json)
