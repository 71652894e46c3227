"""One form of a session: what it changes, the events it causes, and how all of that is saved."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox import errors, link_tokens
from sandbox.context import Sandbox
from sandbox.hosted_link import events, sessions, webhooks
from sandbox.hosted_link.sessions import Problem, Session, State, Status, Step
from sandbox.ids import request_id
from sandbox.institutions import BY_ID, Institution
from sandbox.items import Item, by_number
from sandbox.link_request import LinkRequest
from sandbox.link_tokens import LinkToken

VIEWS: dict[Step, str] = {
    "institution": "SELECT_INSTITUTION",
    "credentials": "CREDENTIAL",
    "recaptcha": "RECAPTCHA",
    "device": "MFA",
    "code": "MFA",
    "questions": "MFA",
    "selections": "MFA",
    "oauth": "OAUTH",
    "accounts": "SELECT_ACCOUNT",
    "connected": "CONNECTED",
    "error": "ERROR",
}
"""Plaid's names of the views. The bank's own pages are no views of Link."""
RECOVERABLE = frozenset(
    (
        "INSUFFICIENT_CREDENTIALS",
        "INVALID_CREDENTIALS",
        "INVALID_MFA",
        "INVALID_OTP",
        "INVALID_PHONE_NUMBER",
        "INVALID_SEND_METHOD",
        "INVALID_UPDATED_USERNAME",
        "RECAPTCHA_BAD",
        "RECAPTCHA_REQUIRED",
        "USER_INPUT_TIMEOUT",
        "INVALID_FIELD",
    )
)
"""After these errors the person can try again at once. INVALID_FIELD is a wrong custom user."""

Save = Callable[[sqlite3.Connection], None]


@dataclass
class Flow:
    """Collects what a form changes. Nothing is stored before `save`.

    `leaves` is whether the form sends the browser back to the client.
    """

    sandbox: Sandbox
    link: LinkToken
    session: Session
    leaves: bool = False
    _saves: list[Save] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state.request_id = request_id()
        self.session.touched = self.sandbox.now()

    @property
    def state(self) -> State:
        return self.session.state

    @property
    def request(self) -> LinkRequest:
        return self.link.request

    @property
    def institution(self) -> Institution:
        return BY_ID[self.state.institution_id or ""]

    def item(self) -> Item:
        """Return the Item of update mode."""
        with self.sandbox.store.read() as db:
            return by_number(db, self.link.item or 0)

    def event(self, name: str, **metadata: str) -> None:
        """Record an event with the keys that apply to it, as in Plaid's webhooks."""
        metadata["request_id"] = self.state.request_id
        if self.state.institution_id:
            metadata["institution_id"] = self.state.institution_id
            metadata["institution_name"] = self.institution.name
        self.on_save(lambda db: events.record(self.sandbox, db, self.session.id, name, metadata))

    def on_save(self, save: Save) -> None:
        """Do this in the transaction that saves the form."""
        self._saves.append(save)

    def go(self, step: Step) -> None:
        self.state.step = step
        self.show_view()

    def show_view(self) -> None:
        """Record which view the person sees."""
        view = VIEWS.get(self.state.step)
        if view == "MFA":
            self.event("TRANSITION_VIEW", view_name=view, mfa_type=self.state.step)
        elif view:
            self.event("TRANSITION_VIEW", view_name=view)

    def fail(self, error: errors.PlaidError, retry: Step) -> None:
        """Show an error: above the form of `retry` if the person can try again, else on a page."""
        problem = Problem(error.error_type, error.error_code, error.message, error.display)
        self.state.problem = problem
        self.state.left_at = None
        self.event("ERROR", **error_metadata(problem))
        self.event("TRANSITION_VIEW", view_name="ERROR")
        if error.error_code in RECOVERABLE:
            self.state.notice = problem.sentence
            self.go(retry)
        else:
            self.state.step = "error"

    def finish(self, status: Status) -> None:
        """End the session, forget its credentials and announce it."""
        self.session.status, self.session.finished = status, self.sandbox.now()
        self.state.username = self.state.password = ""
        if status == "SUCCESS":
            self.on_save(lambda db: link_tokens.mark_used(db, self.link, self.sandbox.now()))

    def save(self, db: sqlite3.Connection) -> bool:
        """Save what the form has changed, the session, and its webhooks.

        Return False, and save nothing, if another session has used the link meanwhile.
        """
        if link_tokens.is_used(db, self.link):
            return False
        for save in self._saves:
            save(db)
        sessions.save(db, self.session)
        if self.session.finished is None:
            webhooks.wait_for_end(self.sandbox, db, self.session)
        else:
            webhooks.announce_end(self.sandbox, db, self.link, self.session)
        return True


def error_metadata(problem: Problem) -> dict[str, str]:
    return {
        "error_code": problem.error_code,
        "error_message": problem.error_message,
        "error_type": problem.error_type,
    }
