"""What happens when a person has chosen the accounts: a new Item, or an Item that is repaired."""

import sqlite3
from collections.abc import Collection, Sequence

from sandbox import account_access, items, linking
from sandbox.hosted_link import webhooks
from sandbox.hosted_link.choices import AccountChoice
from sandbox.hosted_link.flow import Flow
from sandbox.http_json import encode
from sandbox.public_tokens import issue_public_token
from sandbox.transaction_store import Window
from sandbox.webhooks import announce_changes


def complete(flow: Flow, offered: Sequence[AccountChoice], chosen_ids: Collection[str]) -> None:
    """Connect the bank with the chosen accounts, or repair the Item of update mode.

    Update mode leaves accounts that were not offered as they are.
    """
    chosen = [choice for choice in offered if choice.account_id in chosen_ids]
    if flow.link.item:
        not_chosen = [choice for choice in offered if choice.account_id not in chosen_ids]
        flow.on_save(lambda db: _repair(flow, db, chosen, not_chosen))
    else:
        prepared = linking.prepare(
            flow.sandbox, _new_item(flow, chosen), flow.state.item_number or 0
        )
        flow.on_save(lambda db: _add(flow, db, prepared, chosen))
    flow.state.notice = flow.state.problem = None
    flow.go("connected")
    flow.event("HANDOFF")
    if not flow.request.enable_multi_item_link:
        flow.finish("SUCCESS")


def _new_item(flow: Flow, chosen: Sequence[AccountChoice]) -> linking.NewItem:
    request, state = flow.request, flow.state
    supported = flow.institution.products
    also = [*(request.required_if_supported_products or ()), *(request.optional_products or ())]
    window = None
    if request.transactions:
        window = Window.last_days(request.transactions.days_requested, flow.sandbox.today())
    return linking.NewItem(
        client_id=request.client_id,
        institution_id=flow.institution.institution_id,
        products=[*(request.products or ()), *(p for p in also if p in supported)],
        username=state.username,
        password=state.password,
        webhook=request.webhook,
        window=window,
        consented=request.consented,
        shared={choice.ordinal for choice in chosen},
    )


def _add(
    flow: Flow,
    db: sqlite3.Connection,
    prepared: linking.PreparedItem,
    chosen: Sequence[AccountChoice],
) -> None:
    public_token = linking.save(flow.sandbox, db, prepared)
    _add_result(flow, public_token, chosen)
    webhooks.announce_item(flow.sandbox, db, flow.link, flow.session, public_token)


def _repair(
    flow: Flow,
    db: sqlite3.Connection,
    chosen: Sequence[AccountChoice],
    not_chosen: Sequence[AccountChoice],
) -> None:
    """Put the Item into a good state, with the new choice of accounts.

    Plaid sends LOGIN_REPAIRED only to apps in which the person did not repair the Item
    (https://plaid.com/docs/api/items/#login_repaired), so it isn't sent here.
    """
    sandbox = flow.sandbox
    item = items.by_number(db, flow.link.item or 0)
    items.repair(db, item, sandbox.now())
    account_access.withhold(db, item, [c.account_id for c in not_chosen if c.shared])
    added = account_access.share(db, item, [c.account_id for c in chosen if not c.shared])
    consented = encode(sorted({*item.consented_list, *flow.request.consented})).decode()
    db.execute("UPDATE item SET consented = ? WHERE number = ?", (consented, item.number))
    item = items.by_number(db, item.number)
    if item.historical_complete(sandbox):
        announce_changes(sandbox.webhook_queue, db, item, added=added, removed=[])
    _add_result(flow, issue_public_token(sandbox, db, item.number), chosen)


def _add_result(flow: Flow, public_token: str, chosen: Sequence[AccountChoice]) -> None:
    bank = flow.institution
    flow.state.results.append(
        {
            "accounts": [choice.result() for choice in chosen],
            "institution": {"institution_id": bank.institution_id, "name": bank.name},
            "public_token": public_token,
        }
    )
