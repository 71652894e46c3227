"""The pages of Link, rendered from what a session knows."""

import flask
from flask import Response

from sandbox.hosted_link import choices
from sandbox.hosted_link.flow import Flow
from sandbox.hosted_link.sessions import Step
from sandbox.link_tokens import LinkToken
from sandbox.users import ANY_PASSWORD, DYNAMIC

_NUMBERS: dict[Step, int] = {
    "institution": 1,
    "credentials": 2,
    "recaptcha": 2,
    "device": 2,
    "code": 2,
    "questions": 2,
    "selections": 2,
    "oauth": 2,
    "accounts": 3,
    "connected": 4,
}
"""Of the four parts that a person goes through."""


def page(flow: Flow) -> Response:
    """Render the page of the current step."""
    state = flow.state
    name = "leave" if state.leaving else state.step
    html = flask.render_template(
        f"link/{_TEMPLATES.get(name, name)}.html",
        step=name,
        number=_NUMBERS.get(state.step),
        flow=flow,
        state=state,
        link=flow.link,
        client=flow.request.shown_name,
        **_details(flow),
    )
    return Response(html)


_TEMPLATES = dict.fromkeys(("device", "code", "questions", "selections"), "second_step")


def _details(flow: Flow) -> dict[str, object]:
    """Return what only some pages show."""
    state = flow.state
    if state.leaving:
        return {}
    if state.step == "institution":
        with flow.sandbox.store.read() as db:
            return {"banks": choices.banks(db, flow.request, state.query)}
    if state.step in ("accounts", "grant"):
        return {"accounts": choices.accounts(flow), "selection": choices.selection(flow.request)}
    if state.step == "credentials":
        return {"users": ANY_PASSWORD, "dynamic": DYNAMIC}
    return {}


def refused(link: LinkToken | None) -> Response:
    """Say that a link is unknown, used or expired."""
    reason = "unknown"
    if link is not None:
        reason = "used" if link.used is not None else "expired"
    html = flask.render_template(
        "link/refused.html",
        step="refused",
        reason=reason,
        link=link,
        client=link.request.shown_name if link else None,
    )
    return Response(html, status=404 if link is None else 410)
