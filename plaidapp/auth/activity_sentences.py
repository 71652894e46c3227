"""How the activity of an account reads: a sentence for each kind, and where it came from."""

from flask_babel import gettext, lazy_gettext

from plaidapp.store import Activity
from plaidapp.store.people.activity import Kind

from .user_agents import device_name

SENTENCES = {
    Kind.SIGNED_UP: lazy_gettext("Signed up"),
    Kind.LOGGED_IN: lazy_gettext("Logged in"),
    Kind.LOGGED_IN_WITH_PASSKEY: lazy_gettext("Logged in with a passkey"),
    Kind.WRONG_PASSWORD: lazy_gettext("Wrong password"),
    Kind.LOGGED_OUT: lazy_gettext("Logged out"),
    Kind.DEVICE_LOGGED_OUT: lazy_gettext("%(detail)s logged out"),
    Kind.OTHERS_LOGGED_OUT: lazy_gettext("Logged out everywhere else"),
    Kind.PASSWORD_CHANGED: lazy_gettext("Password changed"),
    Kind.PASSWORD_REMOVED: lazy_gettext("Password removed"),
    Kind.AUTHENTICATOR_ADDED: lazy_gettext("Authenticator app turned on"),
    Kind.AUTHENTICATOR_REMOVED: lazy_gettext("Authenticator app turned off"),
    Kind.RECOVERY_CODES_MADE: lazy_gettext("New recovery codes made"),
    Kind.RECOVERY_CODE_USED: lazy_gettext("Recovery code used, %(detail)s left"),
    Kind.WRONG_CODE: lazy_gettext("Right password, but a wrong code"),
    Kind.PASSKEY_ADDED: lazy_gettext("Passkey “%(detail)s” added"),
    Kind.PASSKEY_RENAMED: lazy_gettext("Passkey renamed to “%(detail)s”"),
    Kind.PASSKEY_REMOVED: lazy_gettext("Passkey “%(detail)s” removed"),
    Kind.PASSKEY_COPIED: lazy_gettext("Passkey “%(detail)s” refused: it may have been copied"),
    Kind.EMAIL_CHANGED: lazy_gettext("Email address changed"),
    Kind.EMAIL_CONFIRMED: lazy_gettext("Email address confirmed"),
    Kind.NAME_CHANGED: lazy_gettext("Username changed to %(detail)s"),
    Kind.TIME_ZONE_CHANGED: lazy_gettext("Time zone changed to %(detail)s"),
    Kind.CONNECTED: lazy_gettext("%(detail)s connected"),
    Kind.RECONNECTED: lazy_gettext("Logged in to %(detail)s again"),
    Kind.DISCONNECTED: lazy_gettext("%(detail)s disconnected"),
    Kind.HISTORY_DELETED: lazy_gettext("History of %(detail)s deleted"),
    Kind.BANK_NEEDS_LOG_IN: lazy_gettext("%(detail)s asked for a new log-in"),
    Kind.EXPORTED: lazy_gettext("Transactions exported as %(detail)s"),
    Kind.DOWNLOADED: lazy_gettext("Everything downloaded"),
    Kind.CALENDAR_ADDRESS_MADE: lazy_gettext("Calendar address made"),
    Kind.CALENDAR_TURNED_OFF: lazy_gettext("Calendar turned off"),
    Kind.BANK_MAILS_CHANGED: lazy_gettext("Mails about banks turned on or off"),
    Kind.OPERATOR_MADE: lazy_gettext("Made an operator of this site"),
    Kind.OPERATOR_REMOVED: lazy_gettext("No longer an operator of this site"),
    Kind.PULL_RETRIED: lazy_gettext("As an operator, retried pull %(detail)s"),
    Kind.WEBHOOK_REPLAYED: lazy_gettext("As an operator, replayed webhook %(detail)s"),
    Kind.DOCTOR_RUN: lazy_gettext("As an operator, checked this site"),
}
OF_BANKS = {
    *(Kind.CONNECTED, Kind.RECONNECTED, Kind.DISCONNECTED),
    *(Kind.HISTORY_DELETED, Kind.BANK_NEEDS_LOG_IN),
}


def sentence_of(row: Activity) -> str:
    kind = Kind(row.kind)
    detail = row.detail or (gettext("A bank") if kind in OF_BANKS else "")
    return str(SENTENCES[kind]) % {"detail": detail}


def source_of(row: Activity) -> str:
    """Such as "Firefox on macOS". Empty if no request caused it."""
    if row.kind == Kind.BANK_NEEDS_LOG_IN:
        return gettext("bank notification")
    return device_name(row.browser, row.system)
