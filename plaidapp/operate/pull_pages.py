"""Failed pulls of everybody, and *Retry*."""

from flask import abort, render_template, url_for
from flask_babel import gettext
from werkzeug import Response

from plaidapp.auth.access import LARGEST_ID
from plaidapp.auth.confirmation import needs_confirmation
from plaidapp.extensions import db
from plaidapp.jobs import queue
from plaidapp.store import Pull
from plaidapp.store.people.activity import Kind
from plaidapp.store.pulls import overview, transitions
from plaidapp.store.pulls.pulls import FAILED

from . import acts, keyset
from .blueprint import blueprint


@blueprint.get("/pulls")
def pulls() -> str:
    return render_template(
        "operate/pulls.html",
        page=keyset.page(overview.failed, LARGEST_ID),
        total=overview.failed_count(),
    )


@blueprint.post("/pulls/<int:pull_id>/retry")
@needs_confirmation
def retry(pull_id: int) -> str | Response:
    """Begin a failed pull again, as *Try again* does on its person's page."""
    pull = db.session.get(Pull, pull_id) if pull_id <= LARGEST_ID else None
    if pull is None:
        abort(404)
    if not (pull.state == FAILED and transitions.queue_again(pull_id)):
        return acts.refuse(gettext("This pull has not failed."), url_for("operate.pulls"))
    acts.note("retry", Kind.PULL_RETRIED, pull_id)
    db.session.refresh(pull)  # an UPDATE changed it behind the session's back
    queue.ring(pull)  # commits first
    sentence = gettext("Pull %(id)s waits for a worker.", id=pull_id)
    return acts.tell(
        sentence, f'<p class="done small dim">{sentence}</p>', url_for("operate.pulls")
    )
