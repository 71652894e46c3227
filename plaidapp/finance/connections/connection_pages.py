"""The page of all connections and the page of one. Each polls its own address for changes.

Until there is a page for the person's account, the first also has their time zone.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app, render_template, url_for
from werkzeug import Response

from plaidapp import htmx
from plaidapp.auth.access import LARGEST_ID, owned_or_404, person
from plaidapp.htmx import is_htmx
from plaidapp.store import Account, Item
from plaidapp.store.connections import (
    account_questions,
    accounts,
    former_accounts,
    items,
    link_results,
    merged_accounts,
    refreshes,
    state_changes,
)
from plaidapp.store.pulls import shown_pulls
from plaidapp.store.transactions import item_rows, monthly_totals, set_aside
from plaidapp.store.webhooks import deliveries

from ..base.blueprint import blueprint
from ..base.ledger_polls import nothing_new
from ..pulls import pull_view
from . import account_comparison, check_view, support_text, why_nothing_new
from .account_comparison import Comparison
from .connect_forms import ConnectTestBankForm

Answer = str | Response | tuple[str, int] | tuple[str, int, dict[str, str]]
HISTORY = 100
"""How many syncs the page of a connection lists, and how many webhooks and changes of state."""


@dataclass(frozen=True)
class ItemWithAccounts:
    """A connection and its accounts, in the person's order, without those that the bank closed.

    `hidden` is how many others the person has hidden. `shared` are accounts that it lists too and
    that another connection reports.
    """

    item: Item
    accounts: Sequence[Account]
    hidden: int
    shared: Sequence[Account]


def _with_accounts(user_id: int) -> list[ItemWithAccounts]:
    """The person's connections, oldest first. Those that they disconnected have their history."""
    listed = items.of_user(user_id)
    closed_at = {item.id: item.disconnected_at for item in listed}
    accounts_of: dict[int, list[Account]] = {}
    hidden = Counter[int]()
    for account in accounts.of_user(user_id):
        if account.closed_at != closed_at.get(account.item_id):
            continue
        if account.is_hidden:
            hidden[account.item_id] += 1
        else:
            accounts_of.setdefault(account.item_id, []).append(account)
    shared = former_accounts.shared(user_id)
    return [
        ItemWithAccounts(
            item,
            accounts_of.get(item.id, ()),
            hidden[item.id],
            shared.get(item.id, ()),
        )
        for item in listed
    ]


def _questions(user_id: int) -> list[Comparison]:
    """Pairs of accounts that may be the same one."""
    questions = account_questions.of_user(user_id)
    pairs = ((question.one, question.other) for question in questions)
    return account_comparison.of_pairs(pairs)


@blueprint.get("/items")
def connections() -> str | Response:
    """The page; for HTMX the part that changes, or 204 if nothing changed since `revision`."""
    if is_htmx() and (answer := nothing_new(person().ledger_version)):
        return answer
    return render_page("_banks_live.html" if is_htmx() else "connections.html")


def render_page(template: str = "connections.html") -> str:
    return render_template(
        f"finance/connections/{template}",
        connections=_with_accounts(person().id),
        questions=_questions(person().id),
        pulls=pull_view.recent(person().id),
        connect_form=ConnectTestBankForm(),
    )


@blueprint.get("/items/<int:item_id>")
def item(item_id: int) -> str | Response:
    """The page; for HTMX its content, or 204 if nothing changed since `revision`.

    If the connection was deleted meanwhile, its open page goes to the list of the others.
    """
    if is_htmx() and item_id <= LARGEST_ID and items.is_deleted(item_id, person().id):
        return htmx.redirect(url_for("finance.connections"))
    row = owned_or_404(items.owned, item_id)
    if is_htmx() and (answer := nothing_new(person().ledger_version)):
        return answer
    listed = accounts.of_item(row.id)
    history = shown_pulls.of_item(row.id, HISTORY)
    webhooks = deliveries.of_item(row.id, HISTORY)
    sessions = link_results.sessions_of_item(person().id, row.id, HISTORY)
    environment = current_app.config["PLAIDAPP"].plaid_env
    return render_template(
        "finance/connections/_item_live.html" if is_htmx() else "finance/connections/item.html",
        item=row,
        why=why_nothing_new.facts(row, history, webhooks),
        support=support_text.write(row, history, webhooks, sessions, environment),
        changes=state_changes.of_item(row.id, HISTORY),
        webhooks=webhooks,
        accounts=listed,
        check=check_view.of_item(row.id, listed),
        mergeable=merged_accounts.mergeable(person().id),
        separable=former_accounts.separable(person().id),
        shared=former_accounts.shared(person().id).get(row.id, ()),
        offer=refreshes.offer(row),
        total=monthly_totals.count(person().id, row.id).shown,
        removed=item_rows.count_removed(row.id),
        history=history,
        set_aside=set_aside.count(row.id),
        successor=former_accounts.successor(row.id),
    )
