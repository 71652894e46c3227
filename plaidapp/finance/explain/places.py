"""Where the figure of an explanation stands: the page that an explanation leads back to."""

from typing import NamedTuple

from flask import request, url_for
from flask_babel import gettext

OVERVIEW, SPENDING, RECURRING = "finance.dashboard", "finance.spending", "finance.recurring"
TRANSACTIONS, CONNECTIONS = "finance.explorer", "finance.connections"
SECTIONS = {
    "finance.explain_spending": SPENDING,
    "finance.explain_spending_change": SPENDING,
    "finance.explain_average": SPENDING,
    "finance.explain_earned": SPENDING,
    "finance.explain_payment": RECURRING,
    "finance.explain_recurring": RECURRING,
    "finance.explain_recurring_month": RECURRING,
    "finance.explain_due": RECURRING,
    "finance.explain_transactions": TRANSACTIONS,
}
"""The page of each explanation that is not of an account, a row or a connection, or on the
overview."""


class Place(NamedTuple):
    """A page, and the section of the navigation that it belongs to."""

    title: str
    url: str
    section: str


def of_request() -> Place:
    """Return the place of the figure that this request explains."""
    ids = request.view_args or {}
    if "account_id" in ids:
        return Place(gettext("Account"), url_for("finance.account", **ids), OVERVIEW)
    if "transaction_id" in ids:
        return Place(gettext("Transaction"), url_for("finance.transaction", **ids), TRANSACTIONS)
    if "item_id" in ids:
        return Place(gettext("Connection"), url_for("finance.item", **ids), CONNECTIONS)
    section = SECTIONS.get(request.endpoint or "", OVERVIEW)
    titles = {
        OVERVIEW: gettext("Overview"),
        SPENDING: gettext("Spending"),
        RECURRING: gettext("Recurring"),
        TRANSACTIONS: gettext("Transactions"),
    }
    return Place(titles[section], url_for(section), section)
