"""What each form of Link does (https://plaid.com/docs/link/web/#link-flow)."""

from collections.abc import Callable

from werkzeug.datastructures import MultiDict

from sandbox import errors, items, users
from sandbox.hosted_link import choices, oauth
from sandbox.hosted_link.account_selection import choose_accounts, submit_accounts
from sandbox.hosted_link.exits import ask_to_leave, submit_exit
from sandbox.hosted_link.flow import Flow
from sandbox.hosted_link.second_step import is_right, pages_of
from sandbox.hosted_link.sessions import Step
from sandbox.institution_health import check_is_up, health_of
from sandbox.institutions import BY_ID
from sandbox.log_ins import log_in_of

Form = MultiDict[str, str]
Handler = Callable[[Flow, Form], None]


def open_link(flow: Flow) -> None:
    """Show the first page: the list of banks, or the bank of the Item in update mode."""
    flow.event("OPEN")
    flow.event("TRANSITION_VIEW", view_name="CONSENT")
    if not flow.link.item:
        flow.show_view()
        return
    item = flow.item()
    flow.state.institution_id, flow.state.username = item.institution_id, item.username
    if not _loses_item(flow):
        _enter_bank(flow)


def submit(flow: Flow, form: Form) -> None:
    """Do what a form says. A form that makes no sense changes nothing, or says what is missing."""
    state, action = flow.state, form.get("action", "")
    if flow.session.finished:
        return
    if state.leaving:
        submit_exit(flow, action)
    elif action == "cancel" and state.step in CAN_CANCEL:
        ask_to_leave(flow)
    elif action == "another_bank":
        _choose_another_bank(flow)
    elif not _loses_item(flow):
        state.notice = None
        HANDLERS[state.step](flow, form)


def _loses_item(flow: Flow) -> bool:
    """Show an error if the Item of update mode can't be restored. Return whether that is so."""
    if not flow.link.item:
        return False
    item = flow.item()
    lost = bool(item.removed) or item.error_code in items.LOST
    if lost:
        flow.fail(errors.documented("ITEM_NOT_FOUND"), "credentials")
    return lost


def _choose_another_bank(flow: Flow) -> None:
    """Go back to the list of banks or, in update mode, to the bank of the Item."""
    state = flow.state
    state.notice, state.password, state.second_step, state.query = None, "", [], ""
    if flow.link.item:
        _enter_bank(flow)
        return
    state.institution_id, state.username, state.item_number = None, "", None
    flow.go("institution")


def _submit_institution(flow: Flow, form: Form) -> None:
    if form.get("action") == "search":
        flow.state.query = form.get("query", "").strip()
        flow.event("SEARCH_INSTITUTION", institution_search_query=flow.state.query)
        return
    bank = BY_ID.get(form.get("institution_id", ""))
    if bank is None or not choices.is_in_countries(bank, flow.request):
        flow.state.notice = "Choose a bank from the list."
        return
    flow.state.institution_id = bank.institution_id
    if not choices.has_products(bank, flow.request):
        flow.event("SELECT_FILTERED_INSTITUTION")
        missing = set(flow.request.products or ()) - bank.products
        flow.fail(errors.products_not_supported(missing), "institution")
        return
    flow.event("SELECT_INSTITUTION")
    _enter_bank(flow)


def _enter_bank(flow: Flow) -> None:
    """Go to the log-in of the bank, unless it is down or not supported anymore."""
    bank = flow.institution.institution_id
    with flow.sandbox.store.read() as db:
        health = health_of(db, bank)
        if health != "HEALTHY":
            flow.event(f"SELECT_{health}_INSTITUTION")
        try:
            check_is_up(db, bank)
        except errors.PlaidError as error:
            flow.fail(error, "institution")
            return
    flow.go("oauth" if flow.institution.oauth else "credentials")


def _submit_credentials(flow: Flow, form: Form) -> None:
    state = flow.state
    state.username, state.password = form.get("username", "").strip(), form.get("password", "")
    if not state.username or not state.password:
        state.notice = "Enter a user name and a password."
        return
    flow.event("SUBMIT_CREDENTIALS")
    flow.event("TRANSITION_VIEW", view_name="LOADING")
    if flow.link.item and state.username != flow.item().username:
        flow.fail(errors.documented("INVALID_UPDATED_USERNAME"), "credentials")
    else:
        _check_credentials(flow, recaptcha=False)


def _submit_recaptcha(flow: Flow, form: Form) -> None:
    if form.get("recaptcha"):
        flow.event("TRANSITION_VIEW", view_name="LOADING")
        _check_credentials(flow, recaptcha=True)
    else:
        flow.state.notice = "Confirm that you are not a robot."


def _check_credentials(flow: Flow, *, recaptcha: bool) -> None:
    """Go on after the log-in. `recaptcha` is whether the person has passed one."""
    state, sandbox = flow.state, flow.sandbox
    try:
        log_in = log_in_of(state.username, state.password)
        if log_in.recaptcha and not recaptcha:
            flow.go("recaptcha")
            return
        users.log_in(state.username, state.password, sandbox.seed, sandbox.today())
    except errors.PlaidError as error:
        flow.fail(error, "credentials")
        return
    state.second_step = pages_of(log_in)
    _go_on(flow)


def _go_on(flow: Flow) -> None:
    """Go to the next page of the second step, if one is left, else to the accounts."""
    if flow.state.second_step:
        flow.go(flow.state.second_step[0].kind)
    else:
        choose_accounts(flow)


def _submit_second_step(flow: Flow, form: Form) -> None:
    state = flow.state
    flow.event("SUBMIT_MFA", mfa_type=state.step)
    flow.event("TRANSITION_VIEW", view_name="LOADING")
    if is_right(state.second_step[0], form.getlist("answer")):
        del state.second_step[0]
        _go_on(flow)
    else:
        flow.fail(errors.documented("INVALID_MFA"), "credentials")


def _submit_connected(flow: Flow, form: Form) -> None:
    """Finish, or connect one more bank in the same session."""
    if form.get("action") == "add_another":
        _choose_another_bank(flow)
    else:
        flow.leaves = True
        flow.finish("SUCCESS")


def _ignore(_flow: Flow, _form: Form) -> None:
    """The page has no form of its own."""


HANDLERS: dict[Step, Handler] = {
    "institution": _submit_institution,
    "credentials": _submit_credentials,
    "recaptcha": _submit_recaptcha,
    "device": _submit_second_step,
    "code": _submit_second_step,
    "questions": _submit_second_step,
    "selections": _submit_second_step,
    "oauth": oauth.go_to_bank,
    "bank": oauth.submit_login,
    "grant": oauth.submit_grant,
    "accounts": submit_accounts,
    "connected": _submit_connected,
    "error": _ignore,
}
CAN_CANCEL: frozenset[Step] = frozenset(HANDLERS) - {"bank", "grant", "connected"}
