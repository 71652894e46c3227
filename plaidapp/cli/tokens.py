"""Encrypt tokens again with another key."""

import sys

import click
from flask.cli import with_appcontext

from ..events import event
from ..jobs.connections import rotation
from . import output


@click.command("rotate-tokens")
@with_appcontext
def rotate_tokens() -> None:
    """Encrypt every token again with the first of TOKEN_KEYS. Then the other keys can go.

    The app may run meanwhile, if its processes know the first key. An interrupted run can be
    repeated. Exit with 1 if there is a token that no key decrypts.
    """
    event("operator", command="rotate-tokens")
    renewed, unreadable = 0, 0
    with output.progress_of("Encrypting", rotation.rotate(), drawn_every=1) as batches:
        for batch in batches:
            renewed += batch.renewed
            unreadable += len(batch.unreadable)
            for row_id in batch.unreadable:
                click.echo(f"No key in TOKEN_KEYS decrypts the secret of {batch.table} {row_id}.")
    click.echo(f"Encrypted again: {renewed}. Can't be decrypted: {unreadable}.")
    sys.exit(1 if unreadable else 0)
