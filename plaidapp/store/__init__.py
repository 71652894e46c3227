"""The tables: a package for each subject, with models and queries. Nothing here commits."""

from .base.old_texts import OldText
from .connections.account_questions import AccountQuestion
from .connections.accounts import Account
from .connections.balances import Balance
from .connections.checks import AccountCheck, CheckDifference
from .connections.former_accounts import FormerAccount
from .connections.institutions import Institution
from .connections.item import Item
from .connections.link_results import LinkResult
from .connections.link_sessions import LinkSession
from .connections.notices import Notice
from .connections.state_changes import StateChange
from .health.duties import Duty
from .health.walks import Walk
from .identity.logos import BankLogo, MerchantLogo
from .people.activity import Activity
from .people.authenticators import Authenticator
from .people.calendar_feeds import CalendarFeed
from .people.known_devices import KnownDevice
from .people.login_sessions import LoginSession
from .people.mail_links import MailLink
from .people.outbox import Mail
from .people.passkeys import Passkey
from .people.recovery_codes import RecoveryCode
from .people.spent_tokens import SpentToken
from .people.tries import Tries
from .people.users import User
from .pulls.pulls import Pull, PullItem
from .recurring.recurring_streams import Stream
from .transactions.detailed_totals import DetailedTotal
from .transactions.edits import Edit, EditRow
from .transactions.former_rows import FormerRow
from .transactions.monthly_totals import MonthlyTotal
from .transactions.raw_pages import ReceivedPage
from .transactions.set_aside import SetAside
from .transactions.transactions import Transaction
from .webhooks.deliveries import WaitingWebhook, Webhook
from .webhooks.signing_keys import WebhookKey

__all__ = [
    "Account",
    "AccountCheck",
    "AccountQuestion",
    "Activity",
    "Authenticator",
    "Balance",
    "BankLogo",
    "CalendarFeed",
    "CheckDifference",
    "DetailedTotal",
    "Duty",
    "Edit",
    "EditRow",
    "FormerAccount",
    "FormerRow",
    "Institution",
    "Item",
    "KnownDevice",
    "LinkResult",
    "LinkSession",
    "LoginSession",
    "Mail",
    "MailLink",
    "MerchantLogo",
    "MonthlyTotal",
    "Notice",
    "OldText",
    "Passkey",
    "Pull",
    "PullItem",
    "ReceivedPage",
    "RecoveryCode",
    "SetAside",
    "SpentToken",
    "StateChange",
    "Stream",
    "Transaction",
    "Tries",
    "User",
    "WaitingWebhook",
    "Walk",
    "Webhook",
    "WebhookKey",
]
