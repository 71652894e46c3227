"""Banks with OAuth: the person leaves Link, logs in at the bank's own pages and comes back.

https://plaid.com/docs/link/oauth/
"""

from werkzeug.datastructures import MultiDict

from sandbox import errors, users
from sandbox.hosted_link.account_selection import offer_accounts, submit_accounts
from sandbox.hosted_link.flow import Flow

Form = MultiDict[str, str]


def go_to_bank(flow: Flow, _form: Form) -> None:
    flow.event("OPEN_OAUTH")
    flow.go("bank")


def submit_login(flow: Flow, form: Form) -> None:
    """Log in at the bank. Link hears nothing of what goes wrong there."""
    if _comes_back_without_access(flow, form):
        return
    state, sandbox = flow.state, flow.sandbox
    state.username, state.password = form.get("username", "").strip(), form.get("password", "")
    try:
        users.log_in(state.username, state.password, sandbox.seed, sandbox.today())
    except errors.PlaidError as error:
        state.notice = error.display or error.message
        return
    if flow.link.item and state.username != flow.item().username:
        flow.fail(errors.documented("INVALID_UPDATED_USERNAME"), "oauth")
    elif offer_accounts(flow):
        flow.go("grant")
    else:
        flow.fail(errors.documented("NO_ACCOUNTS"), "oauth")


def submit_grant(flow: Flow, form: Form) -> None:
    """Allow access to the chosen accounts, or refuse it."""
    if not _comes_back_without_access(flow, form):
        submit_accounts(flow, form)


def _comes_back_without_access(flow: Flow, form: Form) -> bool:
    """Return to Link with an error if the person refuses access or the bank fails."""
    if form.get("action") == "deny":
        flow.event("CLOSE_OAUTH")
        flow.fail(errors.documented("ACCESS_NOT_GRANTED"), "oauth")
        return True
    if form.get("action") == "fail":
        flow.event("FAIL_OAUTH")
        flow.fail(errors.documented("INSTITUTION_NOT_RESPONDING"), "oauth")
        return True
    return False
