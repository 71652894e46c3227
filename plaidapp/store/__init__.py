"""The tables: a package for each subject, with models and queries. Nothing here commits."""

from .connections.accounts import Account
from .connections.balances import Balance
from .connections.items import Item
from .connections.reconnected_accounts import FormerAccount
from .people.users import User
from .pulls.pulls import Pull, PullItem
from .recurring.recurring_streams import Stream
from .transactions.edits import Edit, EditRow
from .transactions.monthly_totals import MonthlyTotal
from .transactions.raw_pages import ReceivedPage
from .transactions.set_aside import SetAside
from .transactions.transactions import Transaction
from .webhooks.deliveries import Webhook
from .webhooks.signing_keys import WebhookKey

__all__ = [
    "Account",
    "Balance",
    "Edit",
    "EditRow",
    "FormerAccount",
    "Item",
    "MonthlyTotal",
    "Pull",
    "PullItem",
    "ReceivedPage",
    "SetAside",
    "Stream",
    "Transaction",
    "User",
    "Webhook",
    "WebhookKey",
]
