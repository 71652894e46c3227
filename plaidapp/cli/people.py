"""Commands about one person."""

import click
from flask.cli import with_appcontext

from ..events import event
from ..extensions import db
from ..store.people import login_sessions, users


@click.command("log-out")
@click.argument("name")
@with_appcontext
def log_out(name: str) -> None:
    """Log out the person with this username or email address on every device."""
    user = users.by_name(name)
    if user is None:
        raise click.BadParameter("There is no such person.", param_hint="NAME")
    event("operator", command="log-out", person=users.opaque_id_of(user))
    login_sessions.end_others(user.id, None)
    db.session.commit()
    click.echo(f"{user.username} is logged out everywhere.")
