"""Words for where an Item is: its state, and how much of its history Plaid has."""

GOOD = "good"
LOGIN_REQUIRED = "login_required"
ERROR = "error"
REVOKED = "revoked"  # the person or the bank withdrew the permission
EXPIRING = "expiring"  # works for a few more days
NEW_ACCOUNTS = "new_accounts"  # works, and the bank has more accounts to share
REPLACED = "replaced"  # reconnected: another Item has its accounts now, for good
DISCONNECTING = "disconnecting"  # by the person; Plaid has not confirmed it yet
DISCONNECTED = "disconnected"  # by the person, who keeps the history
DELETED = "deleted"  # with its history: only the ids are left, so that late webhooks are known
BY_PERSON = (DISCONNECTING, DISCONNECTED, DELETED)
"""States of Items that the person disconnected: nothing more of the bank's is stored."""
ENDED = (REPLACED, *BY_PERSON)
"""States that only the end of another one follows: no error and no answer changes them."""
ALL = (GOOD, LOGIN_REQUIRED, ERROR, REVOKED, EXPIRING, NEW_ACCOUNTS, *ENDED)
NOT_LISTED = (REPLACED, DELETED)
"""States of Items that no list shows."""
OVER = (REVOKED, *ENDED)
"""States of connections that are over: connecting the bank again is right, not a duplicate."""
NOT_SYNCED = (LOGIN_REQUIRED, REVOKED, *ENDED)
"""States in which the bank is not asked for transactions."""
REPORTING = (GOOD, EXPIRING, NEW_ACCOUNTS)
"""States in which the bank answers."""
NEEDING_CARE = (LOGIN_REQUIRED, ERROR, REVOKED, EXPIRING, NEW_ACCOUNTS)
"""States that may need the person."""

RECENT = "INITIAL_UPDATE_COMPLETE"
COMPLETE = "HISTORICAL_UPDATE_COMPLETE"
"""The `update_status` once Plaid has the last 30 days of an Item, and once it has everything."""
STATUSES = ("NOT_READY", RECENT, COMPLETE)
"""Any other status says nothing: https://plaid.com/docs/api/products/transactions/"""
