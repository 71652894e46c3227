"""The panel of one pull: its page and poll, *Try again* and *Dismiss*."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_login import login_required
from werkzeug import Response

from plaidapp.auth.access import claim, owned_or_404
from plaidapp.extensions import db
from plaidapp.htmx import is_htmx, notice
from plaidapp.jobs import queue
from plaidapp.jobs.press import TooOftenError, allow
from plaidapp.store import Pull
from plaidapp.store.people import users
from plaidapp.store.pulls import clicks, link_pulls, pulls, transitions

from ..base.blueprint import blueprint, polled
from . import long_poll, pull_view, too_often

Answer = str | Response
View = Callable[[int], Answer]


def wait_for_change(view: View) -> View:
    """Wait briefly for a change to the pull. Answer 204 if there is none; otherwise call the view.

    `revision` is the pull's revision that the panel shows. Each look at the pull checks the log-in
    too: without an open session it finds nothing, and the view refuses the request.
    """
    view_after_login: View = login_required(view)

    @wraps(view)
    def poll(pull_id: int) -> Answer:
        revision, claimed = request.args.get("revision"), claim()
        if revision and claimed and is_htmx():
            event = long_poll.next_poll(pull_id, claimed, revision)
            if event is not None:
                return Response("", 204, {"HX-Trigger": event} if event else None)
        return view_after_login(pull_id)

    return poll


@polled.get("/pulls/<int:pull_id>")
@wait_for_change
def pull(pull_id: int) -> Answer:
    """The panel for HTMX, otherwise a page with it.

    When the panel changes there may be new rows, so the lists of the page are told to poll too.
    """
    row = owned_or_404(pulls.owned, pull_id)
    if not is_htmx():
        return render_template("finance/pulls/pull.html", view=pull_view.view_of(row))
    response = make_response(pull_view.render(row))
    response.headers["HX-Trigger"] = "ledger-changed"
    return response


@blueprint.post("/pulls/<int:pull_id>/retry")
def try_again(pull_id: int) -> Answer:
    row = owned_or_404(pulls.owned, pull_id)
    users.lock_clicks(row.user_id)
    try:
        if row.state in (pulls.QUEUED, pulls.FAILED):
            allow(clicks.begun(row.user_id, row.kind), len(row.items))
    except TooOftenError as limit:
        return _refuse(row, limit.until)
    if transitions.queue_again(row.id):
        queue.ring(row)
        db.session.refresh(row)  # an UPDATE changed it behind the session's back
    return pull_view.answer(row)


def _refuse(row: Pull, until: datetime) -> Response:
    sentence = too_often.sentence(row.kind, until)
    if is_htmx():
        return too_often.until(until, notice(sentence, 429))
    flash(sentence)
    page = render_template("finance/pulls/pull.html", view=pull_view.view_of(row))
    return too_often.until(until, (page, 429))


@blueprint.post("/pulls/<int:pull_id>/dismiss")
def dismiss(pull_id: int) -> Answer:
    """Remove the panel here and on every open page. A pull that is being tried again stays."""
    row = owned_or_404(pulls.owned, pull_id)
    if transitions.dismiss(row.id) or link_pulls.dismiss(row.id):
        users.ledger_changed(row.user_id)
        db.session.commit()
        db.session.refresh(row)  # an UPDATE changed it behind the session's back
    if row.state != pulls.DISMISSED:
        return pull_view.answer(row)
    return "" if is_htmx() else redirect(url_for("finance.dashboard", _anchor="activity"))
