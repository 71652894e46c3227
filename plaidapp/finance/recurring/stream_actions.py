"""What a person says of a recurring payment: it is not recurring, or it has ended. And undo."""

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug import Response

from plaidapp.auth.access import LARGEST_BIG_ID, owned_or_404
from plaidapp.extensions import db
from plaidapp.formats import shown_title
from plaidapp.htmx import is_htmx, retarget
from plaidapp.store import Stream
from plaidapp.store.recurring import recurring_streams, stream_choices

from ..base.blueprint import blueprint


@blueprint.post("/recurring/<int:stream_id>/not-recurring")
def stream_is_not_recurring(stream_id: int) -> Response:
    stream = _chosen(stream_id, recurring_streams.NOT_RECURRING)
    return _answer(stream, _("%(title)s is not recurring.", title=shown_title(stream)))


@blueprint.post("/recurring/<int:stream_id>/ended")
def stream_has_ended(stream_id: int) -> Response:
    stream = _chosen(stream_id, recurring_streams.OVER)
    return _answer(stream, _("%(title)s has ended.", title=shown_title(stream)))


@blueprint.post("/recurring/<int:stream_id>/undo")
def undo_stream_choice(stream_id: int) -> Response:
    stream = _chosen(stream_id, None)
    return _answer(stream, _("Undone: %(title)s is as before.", title=shown_title(stream)))


def _chosen(stream_id: int, choice: str | None) -> Stream:
    stream = owned_or_404(recurring_streams.owned, stream_id, LARGEST_BIG_ID)
    stream_choices.choose(stream, choice)
    db.session.commit()
    return stream


def _answer(stream: Stream, sentence: str) -> Response:
    """Say what changed, with *Undo*. The page's poll brings the lists at once."""
    undo = url_for("finance.undo_stream_choice", stream_id=stream.id) if stream.choice else None
    if not is_htmx():
        flash(sentence, undo or "message")
        return redirect(url_for("finance.recurring"))
    html = render_template("_notice.html", sentence=sentence, undo=undo)
    answer = make_response(retarget(html, "#notice", 200, "innerHTML"))
    answer.headers["HX-Trigger"] = "ledger-changed"
    return answer
