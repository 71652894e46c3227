"""Leaving a session: at any page, after a question."""

from sandbox.hosted_link import choices
from sandbox.hosted_link.flow import Flow, error_metadata

_STATUSES = {
    "institution": "requires_credentials",
    "credentials": "requires_credentials",
    "recaptcha": "requires_recaptcha",
    "device": "choose_device",
    "code": "requires_code",
    "questions": "requires_questions",
    "selections": "requires_selections",
    "oauth": "requires_oauth",
    "accounts": "requires_account_selection",
}
"""https://plaid.com/docs/link/web/#onexit: where the person left."""


def ask_to_leave(flow: Flow) -> None:
    flow.state.leaving = True
    flow.event("TRANSITION_VIEW", view_name="EXIT")


def submit_exit(flow: Flow, action: str) -> None:
    """Leave or stay. What was connected before stays connected."""
    if action == "stay":
        flow.state.leaving = False
        flow.show_view()
    elif action == "leave":
        _leave(flow)


def _leave(flow: Flow) -> None:
    state = flow.state
    state.leaving, state.notice, flow.leaves = False, None, True
    if state.results:
        state.step = "connected"
        flow.finish("SUCCESS")
        return
    state.left_at = _status(flow)
    problem = error_metadata(state.problem) if state.problem else {}
    flow.event("EXIT", exit_status=state.left_at, **problem)
    state.step = "left"
    flow.finish("EXITED")


def _status(flow: Flow) -> str:
    """Return the status of the exit. After an error it is that of the page before it."""
    state = flow.state
    if state.step == "institution" and state.query and not _finds_banks(flow):
        return "institution_not_found"
    if state.step != "error":
        return _STATUSES[state.step]
    if state.problem and state.problem.error_code == "INSTITUTION_NO_LONGER_SUPPORTED":
        return "institution_not_supported"
    return "requires_oauth" if flow.institution.oauth else "requires_credentials"


def _finds_banks(flow: Flow) -> bool:
    with flow.sandbox.store.read() as db:
        return bool(choices.banks(db, flow.request, flow.state.query))
