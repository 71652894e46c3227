"""Delete everything of a person, as the button in their account does."""

import threading
import time

import click
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy import func, select

from ..auth import throttle
from ..events import event
from ..extensions import db
from ..jobs import run as jobs
from ..jobs.people import erase
from ..store import Item, Pull, User
from ..store.people import users
from ..store.pulls import pulls
from . import arguments, output

POLL = 0.2
"""Seconds between two looks at how much is left."""


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
@with_appcontext
def delete(name: str, *, yes: bool) -> None:
    """Delete everything of the person with this username or email address.

    Their connections end at Plaid, and then nothing of them is left here. If Plaid can't be
    reached, exit with 1: they are logged out and unnamed already, and the clock goes on with the
    rest until it is done.
    """
    user = arguments.person(name)
    banks = _connections(user.id)
    db.session.commit()
    if not yes:
        ends = f"{banks} connection{'' if banks == 1 else 's'} at Plaid"
        question = f"Delete everything of {user.username}, and end {ends}?"
        click.confirm(f"{question} It cannot be undone.", abort=True, err=True)
    event("operator", command="delete", person=users.opaque_id_of(user))
    throttle.forget(user)
    pull = erase.begin(user.id)
    db.session.commit()
    problem = _wait(pull.id, user.id, banks) if pull else None
    if problem:
        raise click.ClickException(f"{problem} The clock goes on until everything is deleted.")
    click.echo("Everything is deleted.")


def _connections(user_id: int) -> int:
    return db.session.scalar(select(func.count()).where(Item.user_id == user_id)) or 0


def _wait(pull_id: int, user_id: int, banks: int) -> str | None:
    """Do the work, while a bar shows how far it is. Return what is wrong if it has to go on later.

    Nothing is wrong if a worker does it meanwhile.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # for the thread
    work = threading.Thread(target=_work, args=(app, pull_id))
    with output.progress("Ending connections", banks, hidden=not banks) as bar:
        while True:
            if not work.is_alive():
                work = threading.Thread(target=_work, args=(app, pull_id))
                work.start()
            work.join(POLL)
            bar.update(max(banks - _connections(user_id) - bar.pos, 0))
            pull, user = db.session.get(Pull, pull_id), db.session.get(User, user_id)
            db.session.remove()
            if user is None:
                return None
            if pull and pull.failures and pull.state == pulls.QUEUED:
                return pull.error_message or "It failed."
            time.sleep(POLL)  # a worker may be doing it


def _work(app: Flask, pull_id: int) -> None:
    with app.app_context():
        jobs.run(pull_id)
