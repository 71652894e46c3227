"""The button that downloads everything."""

from collections.abc import Iterator
from contextlib import ExitStack
from threading import BoundedSemaphore

from flask import Response, abort, redirect, stream_with_context, url_for
from flask_babel import gettext
from flask_login import login_required
from werkzeug import Response as BaseResponse

from plaidapp import extensions, policy
from plaidapp.days import today
from plaidapp.events import event
from plaidapp.store.base.types import now
from plaidapp.store.people import activity

from ..access import person
from ..blueprint import blueprint
from ..confirmation import needs_confirmation
from . import archive

PART = 64 * 1024
_places = BoundedSemaphore(policy.DOWNLOADS_AT_ONCE)


@blueprint.get("/download")
@login_required
def downloads() -> BaseResponse:
    """Where somebody goes on who had to confirm who they are: to the button."""
    return redirect(url_for("auth.account", _anchor="your-data"))


@blueprint.post("/download")
@needs_confirmation
def download() -> Response:
    """Send the ZIP file. It has one state of everything: what changes meanwhile is not in it."""
    if not _places.acquire(blocking=False):
        abort(503, gettext("Several people are downloading right now. Try again in a minute."))
    with ExitStack() as place:
        place.callback(_places.release)
        user_id, name = person().id, f"plaidapp-{today()}.zip"
        activity.note(user_id, activity.Kind.DOWNLOADED)
        event("export", person=person().opaque_id, format="zip")
        extensions.read_one_snapshot()
        pieces = archive.pieces(user_id, now())
        response = Response(stream_with_context(_parts(pieces)), content_type="application/zip")
        response.call_on_close(place.pop_all().close)
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    return response


def _parts(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join short pieces: a row has a few bytes when it is compressed."""
    part = bytearray()
    for piece in pieces:
        part += piece
        if len(part) >= PART:
            yield bytes(part)
            part.clear()
    yield bytes(part)
