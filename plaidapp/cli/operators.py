"""Say who may open the pages for operators."""

import click
from flask.cli import with_appcontext

from ..events import event
from ..extensions import db
from ..store.people import activity, factors, users
from . import arguments


@click.command("make-operator")
@click.argument("name")
@click.option("--remove", is_flag=True, help="Take this right away.")
@with_appcontext
def make_operator(name: str, remove: bool) -> None:
    """Let the person with this username or email address open /ops."""
    user = arguments.person(name)
    command = "make-operator --remove" if remove else "make-operator"
    event("operator", command=command, person=users.opaque_id_of(user))
    if user.is_operator is remove:
        user.is_operator = not remove
        kinds = activity.Kind
        activity.note(user.id, kinds.OPERATOR_REMOVED if remove else kinds.OPERATOR_MADE)
    db.session.commit()
    if remove:
        click.echo(f"{user.username} is not an operator.")
        return
    click.echo(f"{user.username} is an operator and can open /ops.")
    if not factors.of_person(user.id):
        click.echo("They have no second factor. Ask them to set one up on their account page.")
