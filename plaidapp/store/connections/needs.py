"""What a connection needs of its person, for which they are written to."""

from plaidapp.bank.error_sentences import MEANINGS, Remedy

from .item_states import ERROR, EXPIRING, LOGIN_REQUIRED, REVOKED

LOG_IN = "log_in"
"""To log in again: it has an error that nothing else ends."""
CHOOSE_ACCOUNTS = "choose_accounts"
"""To share accounts: it shares none."""
CONNECT = "connect"
"""To connect the bank again: this connection is over."""
PERMIT = "permit"
"""To log in again, if they want to: the permission was withdrawn."""
RENEW = "renew"
"""To log in again soon: the permission ends."""

_OF_REMEDY = {
    Remedy.LOG_IN: LOG_IN,
    Remedy.CHOOSE_ACCOUNTS: CHOOSE_ACCOUNTS,
    Remedy.CONNECT: CONNECT,
}
_OF_STATE = {LOGIN_REQUIRED: LOG_IN, EXPIRING: RENEW, REVOKED: PERMIT}


def of(state: str, code: str | None) -> str | None:
    """Return what an Item with this state and Plaid's `code` needs; None if nothing."""
    by_code = _OF_REMEDY.get(MEANINGS[code].remedy) if code in MEANINGS else None
    if state == ERROR or (state == REVOKED and by_code == CONNECT):
        return by_code
    return _OF_STATE.get(state)
