"""Commands about people."""

import click
from flask.cli import with_appcontext

from ..events import event
from ..extensions import db
from ..store.connections import everybody
from ..store.people import login_sessions, users
from . import arguments, output


@click.command("people")
@output.as_json
@with_appcontext
def list_people(*, as_json: bool) -> None:
    """List the people who have an account here."""
    event("operator", command="people")
    output.show_all(everybody.people(), as_json=as_json)


@click.command("log-out")
@click.argument("name")
@with_appcontext
def log_out(name: str) -> None:
    """Log out the person with this username or email address on every device."""
    user = arguments.person(name)
    event("operator", command="log-out", person=users.opaque_id_of(user))
    login_sessions.end_others(user.id, None)
    db.session.commit()
    click.echo(f"{user.username} is logged out everywhere.")
