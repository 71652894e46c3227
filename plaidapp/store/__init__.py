"""What is kept: one file a table, the model and its queries. Nothing here commits."""

from .accounts import Account
from .balances import Balance
from .edits import Edit, EditRow
from .inbox import Webhook
from .items import Item
from .pulls import Pull, PullItem
from .received import ReceivedPage
from .recurring import Stream
from .takeover import FormerAccount
from .totals import MonthlyTotal
from .transactions import Transaction
from .users import User
from .webhook_keys import WebhookKey

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
    "Stream",
    "Transaction",
    "User",
    "Webhook",
    "WebhookKey",
]
