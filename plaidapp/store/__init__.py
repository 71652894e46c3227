"""What is kept: one file a table, the model and its queries. Nothing here commits."""

from .accounts import Account
from .inbox import Webhook
from .items import Item
from .pulls import Pull, PullItem
from .transactions import Transaction
from .users import User
from .webhook_keys import WebhookKey

__all__ = ["Account", "Item", "Pull", "PullItem", "Transaction", "User", "Webhook", "WebhookKey"]
