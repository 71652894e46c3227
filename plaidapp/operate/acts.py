"""What an operator does on these pages: it is logged, and in their own activity."""

from flask import Response, flash, redirect
from werkzeug import Response as BaseResponse

from plaidapp.auth.access import person
from plaidapp.events import event
from plaidapp.htmx import is_htmx, notice
from plaidapp.store.people import activity
from plaidapp.store.people.activity import Kind


def note(command: str, kind: Kind, row_id: int | None = None) -> None:
    """Log it, and note it in the caller's transaction. `row_id` is what it was done to."""
    event("operator", command=command, row=row_id, by=person().opaque_id)
    activity.note(person().id, kind, "" if row_id is None else str(row_id))


def refuse(sentence: str, page: str) -> Response | BaseResponse:
    """Say why nothing was done. Without HTMX, `page` says it."""
    if is_htmx():
        return notice(sentence, 409)
    flash(sentence)
    return redirect(page, 303)


def tell(sentence: str, fragment: str, page: str) -> str | BaseResponse:
    """Say what was done: HTMX gets the fragment, a plain form the page with the sentence."""
    if is_htmx():
        return fragment
    flash(sentence)
    return redirect(page, 303)
