"""Answer errors with a sentence: in a page, in a fragment for HTMX, in JSON for programs."""

import logging
from http import HTTPStatus

from flask import Flask, Response, g, jsonify, make_response, render_template, request, url_for
from flask import redirect as redirect_page
from flask_babel import gettext, lazy_gettext
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, ServiceUnavailable

from . import body_limits
from .events import event
from .extensions import READ_ONLY_METHODS, db, login, was_canceled
from .htmx import is_htmx, notice, redirect

log = logging.getLogger(__name__)

SENTENCES = {
    400: lazy_gettext("This request is not valid. Go back, reload the page and try again."),
    403: lazy_gettext("You don’t have access to this."),
    404: lazy_gettext("This doesn’t exist, or you don’t have access to it."),
    405: lazy_gettext("This address does not support that kind of request."),
    500: lazy_gettext(
        "Something broke on our side. Your stored data is safe. Reload to try again."
    ),
    503: lazy_gettext("The database can’t be reached right now. Try again in a moment."),
}
REFUSALS = {400, 403, 404, 405, 413}
"""Answers to what no page of ours asks for, such as another person's id."""
TOO_LONG = lazy_gettext(
    "The database took too long, so nothing was changed. Try again in a moment."
)
STALE_PAGE = lazy_gettext("This page has been open too long. Reload it and try again.")


def init_app(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CSRFError, _csrf_error)
    for unavailable in (OperationalError, InterfaceError, PoolTimeoutError):
        app.register_error_handler(unavailable, _database_error)
    app.register_error_handler(Exception, _bug)
    login.unauthorized_handler(_require_login)


def wants_json() -> bool:
    return request.path.endswith(".json")


def answer(status: int, sentence: str) -> Response:
    if status >= 500:  # looking up the person may be what failed
        g._login_user = login.anonymous_user()
    if wants_json():
        response = jsonify(error=sentence)
    elif is_htmx():
        response = notice(_with_reference(sentence) if status >= 500 else sentence, status)
    else:
        title = HTTPStatus(status).phrase
        html = render_template("error.html", status=status, title=title, sentence=sentence)
        response = make_response(html)
    response.status_code = status
    return response


def note_refusal(status: int) -> None:
    """Log that somebody may have tried to get past a check. A wrong address alone says nothing.

    The person is not looked up for that: it may be what the check was to prevent.
    """
    if status == HTTPStatus.NOT_FOUND and request.endpoint in (None, "static"):
        return
    person = getattr(g.get("_login_user"), "opaque_id", None)
    event("refused", status=status, method=request.method, page=request.endpoint, person=person)


def _with_reference(sentence: str) -> str:
    """Say how the operator finds the error in the log."""
    return f"{sentence} {gettext('Reference: %(id)s', id=g.request_id)}"


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    if status in REFUSALS:
        note_refusal(status)
    response = answer(status, _sentence(status, error))
    if isinstance(error, MethodNotAllowed):
        response.allow.update(error.valid_methods or ())
    return response


def _sentence(status: int, error: HTTPException) -> str:
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        limit = body_limits.in_words()
        return gettext("This is larger than the limit of %(limit)s.", limit=limit)
    if isinstance(error, ServiceUnavailable):  # something else than the database
        return str(error.description)
    return str(SENTENCES.get(status, error.description or ""))


def _csrf_error(_error: CSRFError) -> Response:
    """Without a session every token is stale, so the person has to log in."""
    stays = current_user.is_authenticated or request.blueprint == "auth"
    note_refusal(400)
    return answer(400, str(STALE_PAGE)) if stays else _require_login()


def _database_error(error: SQLAlchemyError) -> Response:
    """Log only the kind of error: its text may quote private values."""
    db.session.rollback()
    log.error("The database failed: %s", type(getattr(error, "orig", error)).__name__)
    return answer(503, str(TOO_LONG if was_canceled(error) else SENTENCES[503]))


def _bug(error: Exception) -> Response:
    db.session.rollback()
    log.exception("Unhandled error on %s %s", request.method, request.url_rule, exc_info=error)
    return answer(500, str(SENTENCES[500]))


def _require_login() -> Response:
    """Send the browser to the log-in page. HTMX would show a redirect's page inside a panel."""
    if wants_json():
        return answer(401, gettext("Log in first."))
    if is_htmx():
        return redirect(url_for("auth.login"), status=401)
    here = request.full_path.rstrip("?") if request.method in READ_ONLY_METHODS else None
    return make_response(redirect_page(url_for("auth.login", next=here)))
