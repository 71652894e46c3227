"""Commands about pulls, the requests to the banks: list them, and try one again."""

import click
from flask.cli import with_appcontext

from ..events import event
from ..extensions import db
from ..jobs import queue
from ..store import Pull
from ..store.pulls import everybody, transitions
from . import output
from .arguments import MOST


@click.command("pulls")
@click.option("--failed", is_flag=True, help="Only those that have failed.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--retry", "pull_id", type=int, metavar="ID", help="Try this one again.")
@output.as_json
@with_appcontext
def list_pulls(limit: int, pull_id: int | None, *, failed: bool, as_json: bool) -> None:
    """List the latest requests to the banks (pulls), or try one again that has failed."""
    event("operator", command="pulls" if pull_id is None else "pulls --retry", pull=pull_id)
    if pull_id is None:
        output.show_all(everybody.latest(limit, failed=failed), as_json=as_json)
    else:
        _retry(pull_id)


def _retry(pull_id: int) -> None:
    pull = db.session.get(Pull, pull_id) if 0 < pull_id <= MOST else None
    if pull is None:
        raise click.BadParameter(f"There is no pull {pull_id}.", param_hint="--retry")
    if not transitions.queue_again(pull.id):
        db.session.rollback()
        raise click.ClickException(f"Pull {pull_id} is {pull.state}: there is nothing to try.")
    db.session.refresh(pull)
    queue.ring(pull)
    click.echo(f"Pull {pull_id} is tried again.")
