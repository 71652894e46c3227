"""Which file has the rows of which table, and what is in none."""

from collections.abc import Iterator

import msgspec

from plaidapp.extensions import db
from plaidapp.store.base import owned_rows
from plaidapp.store.base.row_values import rows_of
from plaidapp.store.transactions import raw_pages

FILES = {
    "user": "person",
    "activity": "activity",
    "login_session": "devices",
    "known_device": "known_devices",
    "authenticator": "authenticators",
    "passkey": "passkeys",
    "recovery_code": "recovery_codes",
    "mail_link": "mail_links",
    "calendar_feed": "calendar_feed",
    "item": "connections",
    "state_change": "connection_states",
    "notice": "notices",
    "link_session": "link_sessions",
    "link_result": "link_results",
    "account": "accounts",
    "former_account": "former_accounts",
    "account_question": "account_questions",
    "account_check": "account_checks",
    "check_difference": "check_differences",
    "balance": "balances",
    "transaction": "transactions",
    "former_row": "former_transactions",
    "edit": "edits",
    "edit_row": "edited_transactions",
    "monthly_total": "monthly_totals",
    "detailed_total": "detailed_totals",
    "recurring_stream": "recurring",
    "recurring_payment": "recurring_payments",
    "pull": "pulls",
    "pull_item": "pull_connections",
    "webhook": "webhooks",
    "received_page": "pages",
    "set_aside": "set_aside",
}
"""The names of the files by table."""
IN_NONE = {"spent_token", "mail", "waiting_webhook"}
"""Tables with nothing to tell: marks of log-ins that were finished, for minutes, mails that are
about to be sent, and which webhooks wait to be handled."""
SECRET = {
    "user": {"password_hash"},
    "login_session": {"token_hash", "device"},
    "known_device": {"device"},
    "authenticator": {"sealed_secret", "last_step"},
    "passkey": {"credential_id", "public_key", "sign_count"},
    "recovery_code": {"code_hash"},
    "mail_link": {"token_hash", "bound_to"},
    "calendar_feed": {"token_hash", "sealed_token"},
    "item": {"access_token"},
    "link_session": {"token_hash", "sealed_token", "sealed_url"},
    "link_result": {"token_hash", "sealed_token"},
    "pull": {"sealed"},
    "webhook": {"token"},
}
"""Columns that open something, or that only this installation can read."""
DERIVED = {
    "user": {"username_key", "email_key", "leaving_since"},
    "transaction": {"size", "title_key", "pairs", "note_pairs"},
    "monthly_total": {"detailed_rows"},
    "former_row": {"note_pairs"},
    "edit_row": {"note_pairs"},
    "received_page": {"body"},
    "pull_item": {"comparison"},
}
"""Columns that follow from the others, or from what is in files of its own."""
PAGES = "pages"
encode = msgspec.json.Encoder().encode


def lines_of(table: str, user_id: int) -> Iterator[bytes]:
    """Yield the person's rows as JSON, one a line."""
    without = SECRET.get(table, set()) | DERIVED.get(table, set())
    for row in rows_of(db.metadata.tables[table], user_id, without):
        yield encode(row) + b"\n"


def pages_of(user_id: int) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of a file for each answer that Plaid has sent."""
    table = db.metadata.tables["received_page"]
    for page_id, body in raw_pages.bodies(owned_rows.theirs(table, user_id)):
        yield f"{PAGES}/{page_id}.json", body
