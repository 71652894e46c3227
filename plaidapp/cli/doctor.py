"""`flask doctor`: what is wrong with this site, and how to fix it."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from .. import policy
from ..events import event
from ..operate.doctor import checkup
from . import output

WORDS = {True: "ok", False: "FAILED", None: "-"}


@click.command()
@output.as_json
@with_appcontext
def doctor(as_json: bool) -> None:
    """Check everything that this site needs, a line for each, with how to fix it.

    Exit with 1 if a check fails. What can't be checked is marked with a dash and is no failure.
    Plaid is asked to send a test webhook.
    """
    event("operator", command="doctor")
    app = current_app._get_current_object()  # type: ignore[attr-defined] # for other threads
    results = checkup.run(app, policy.DOCTOR_PATIENCE)
    if as_json:
        output.show_document(
            [
                {
                    "check": each.name,
                    "ok": each.ok,
                    "sentence": str(each.sentence),
                    "fix": str(each.fix),
                }
                for each in results
            ]
        )
    else:
        for each in results:
            fix = f" {each.fix}" if each.fix else ""
            click.echo(f"{WORDS[each.ok]:<7} {each.title}: {each.sentence}{fix}")
    sys.exit(1 if any(each.ok is False for each in results) else 0)
