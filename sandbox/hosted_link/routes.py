"""The addresses of hosted links: /hl/<link>, which starts a session at /hl/<link>/<session>.

A session continues at its own address, so reloading and going back are safe, and no cookie is
needed. Opening the link again starts another session.
"""

import flask
from flask import Blueprint, Response
from werkzeug.wrappers import Response as AnyResponse

from sandbox import link_tokens
from sandbox.context import Sandbox, current_sandbox
from sandbox.hosted_link import pages, sessions, steps
from sandbox.hosted_link.flow import Flow
from sandbox.http_json import MAX_BODY
from sandbox.link_tokens import LinkToken

bp = Blueprint("hosted_link", __name__, template_folder="templates")

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@bp.after_request
def add_headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response


@bp.get("/hl/link.css")
def css() -> Response:
    return Response(flask.render_template("link/link.css"), content_type="text/css; charset=utf-8")


@bp.get("/hl/<hosted_id>")
def open_link(hosted_id: str) -> AnyResponse:
    """Start a session."""
    sandbox = current_sandbox()
    with sandbox.store.read() as db:
        link = link_tokens.find_hosted(db, hosted_id)
    if link is None or not _is_open(sandbox, link):
        return pages.refused(link)
    if flask.request.method == "HEAD":
        return Response()
    with sandbox.store.write() as db:
        session = sessions.create(sandbox, db, link)
    flow = Flow(sandbox, link, session)
    steps.open_link(flow)
    _save(flow)
    return _see_other(_address(link, session.id))


@bp.get("/hl/<hosted_id>/<session_id>")
def show(hosted_id: str, session_id: str) -> AnyResponse:
    """Show the page of the current step."""
    sandbox = current_sandbox()
    flow = _find(sandbox, hosted_id, session_id)
    if flow is None or (flow.session.finished is None and not _is_open(sandbox, flow.link)):
        return pages.refused(flow.link if flow else None)
    return pages.page(flow)


@bp.post("/hl/<hosted_id>/<session_id>")
def submit(hosted_id: str, session_id: str) -> AnyResponse:
    """Do what the form says. One that was sent before, or from an old page, changes nothing."""
    sandbox = current_sandbox()
    flask.request.max_form_memory_size = MAX_BODY  # the password of a custom user is long
    form = flask.request.form
    flow = _find(sandbox, hosted_id, session_id)
    if flow is None or (flow.session.finished is None and not _is_open(sandbox, flow.link)):
        return pages.refused(flow.link if flow else None)
    if flow.session.finished is not None:
        flow.leaves = True
    elif form.get("turn") == str(flow.session.turn) and _take_turn(sandbox, flow):
        steps.submit(flow, form)
        flow.leaves = _save(flow) and flow.leaves
    after = flow.link.completion_redirect_uri if flow.leaves else None
    return _see_other(after or flask.request.path)


def _find(sandbox: Sandbox, hosted_id: str, session_id: str) -> Flow | None:
    with sandbox.store.read() as db:
        link = link_tokens.find_hosted(db, hosted_id)
        session = sessions.find(db, session_id)
    if link is None or session is None or session.token != link.token:
        return None
    return Flow(sandbox, link, session)


def _is_open(sandbox: Sandbox, link: LinkToken) -> bool:
    return link.used is None and sandbox.now() < link.expires


def _take_turn(sandbox: Sandbox, flow: Flow) -> bool:
    with sandbox.store.write() as db:
        return sessions.take_turn(db, flow.session)


def _save(flow: Flow) -> bool:
    """Save what the form has changed. Return False if the link has been used meanwhile."""
    with flow.sandbox.store.write() as db:
        saved = flow.save(db)
    flow.sandbox.webhook_queue.wake()
    return saved


def _address(link: LinkToken, session_id: str) -> str:
    return flask.url_for(".show", hosted_id=link.hosted_id, session_id=session_id)


def _see_other(address: str) -> AnyResponse:
    return flask.redirect(address, 303)
