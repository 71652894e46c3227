"""Choosing the accounts to share, on Link's page or on that of an OAuth bank."""

from collections.abc import Sequence

from werkzeug.datastructures import MultiDict

from sandbox import errors, linking
from sandbox.hosted_link import choices
from sandbox.hosted_link.choices import AccountChoice
from sandbox.hosted_link.completion import complete
from sandbox.hosted_link.flow import Flow


def choose_accounts(flow: Flow) -> None:
    """Let the person choose accounts, or connect the bank if there is nothing to choose."""
    offered = offer_accounts(flow)
    preset = preset_ids(flow, offered)
    if not offered:
        flow.fail(errors.documented("NO_ACCOUNTS"), "credentials")
    elif preset is None:
        flow.go("accounts")
    else:
        complete(flow, offered, preset)


def offer_accounts(flow: Flow) -> list[AccountChoice]:
    """Return the accounts of the person, who has just logged in.

    For a new Item this reserves its number, which determines the ids of the accounts.
    """
    if flow.link.item is None and flow.state.item_number is None:
        flow.state.item_number = linking.reserve_number(flow.sandbox)
    return choices.accounts(flow)


def preset_ids(flow: Flow, offered: Sequence[AccountChoice]) -> set[str] | None:
    """Return the ids of the accounts to share if the person has no choice, else None."""
    if not flow.link.selects_accounts:
        return {choice.account_id for choice in offered if choice.shared}
    if choices.selection(flow.request) == "all":
        return {choice.account_id for choice in offered}
    return None


def submit_accounts(flow: Flow, form: MultiDict[str, str]) -> None:
    offered = choices.accounts(flow)
    chosen = preset_ids(flow, offered)
    if chosen is None:
        chosen = {choice.account_id for choice in offered} & set(form.getlist("account_id"))
        only_one = choices.selection(flow.request) == "one"
        if not chosen:
            flow.state.notice = "Choose an account." if only_one else "Choose at least one account."
            return
        if only_one and len(chosen) > 1:
            flow.state.notice = "Choose only one account."
            return
    complete(flow, offered, chosen)
