"""The finance pages: connections, transactions, reports, recurring payments, and the dashboard.

A package per subject. The dashboard is made of the others; `base` is what they share.
"""

from flask import Flask

from .accounts import account_page
from .base import attention, standing_lines
from .base.blueprint import blueprint, polled
from .connections import (
    accounts_json,
    arrange_accounts,
    connection_pages,
    disconnect_page,
    link_pages,
    plaid_plan,
    same_account_pages,
    set_aside_page,
)
from .dashboard import dashboard_page, pull_buttons
from .explain import (
    account_parts,
    available,
    balances,
    cash_flow,
    compared,
    due,
    earned,
    recurring_month,
    spending_compared,
    tallies,
)
from .explain import net_worth as explained_net_worth
from .explain import recurring as explained_recurring
from .explain import spending as explained_spending
from .find import find_page
from .identity import logo_pages, monograms
from .pulls import pull_panel
from .recurring import calendar_page, feed, recurring_pages, stream_actions, stream_page
from .spending import spending_page
from .transactions import category_labels, edit_actions, explorer, transactions_json
from .transactions.exports import download

__all__ = [  # these register their routes when they are imported
    "account_page",
    "account_parts",
    "accounts_json",
    "arrange_accounts",
    "attention",
    "available",
    "balances",
    "calendar_page",
    "cash_flow",
    "compared",
    "connection_pages",
    "dashboard_page",
    "disconnect_page",
    "download",
    "due",
    "earned",
    "edit_actions",
    "explained_net_worth",
    "explained_recurring",
    "explained_spending",
    "explorer",
    "find_page",
    "link_pages",
    "logo_pages",
    "plaid_plan",
    "pull_buttons",
    "pull_panel",
    "recurring_month",
    "recurring_pages",
    "same_account_pages",
    "set_aside_page",
    "spending_compared",
    "spending_page",
    "standing_lines",
    "stream_actions",
    "stream_page",
    "tallies",
    "transactions_json",
]


def init_app(app: Flask) -> None:
    app.register_blueprint(blueprint)
    app.register_blueprint(polled)
    app.register_blueprint(feed.blueprint)
    category_labels.init_app(app)
    monograms.init_app(app)
    app.add_url_rule("/", "index", dashboard_page.index)
