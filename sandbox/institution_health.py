"""How healthy a bank is: its status, and the errors that follow from it.

https://plaid.com/docs/api/institutions/#institutions-get_by_id-response-institution-status
"""

import sqlite3
from typing import Any

from sandbox import errors
from sandbox.context import timestamp
from sandbox.institutions import BY_ID, Health

_BREAKDOWNS: dict[Health, dict[str, Any]] = {
    "HEALTHY": {"error_institution": 0, "error_plaid": 0, "success": 1},
    "DEGRADED": {"error_institution": 0.4, "error_plaid": 0.1, "success": 0.5},
    "DOWN": {"error_institution": 1, "error_plaid": 0, "success": 0},
}
_REFRESH_INTERVALS = {"HEALTHY": "NORMAL", "DEGRADED": "DELAYED", "DOWN": "STOPPED"}


def set_health(db: sqlite3.Connection, institution_id: str, health: Health, now: float) -> None:
    """Change the status of a bank at `now`, in Unix time."""
    db.execute(
        "INSERT OR REPLACE INTO institution_health VALUES (?, ?, ?)", (institution_id, health, now)
    )


def health_of(db: sqlite3.Connection, institution_id: str) -> Health:
    row = _row(db, institution_id)
    health: Health = row["status"] if row else BY_ID[institution_id].health
    return health


def check_is_up(db: sqlite3.Connection, institution_id: str) -> None:
    """Raise PlaidError if the bank is down, or not supported anymore."""
    if not BY_ID[institution_id].is_supported:
        raise errors.documented("INSTITUTION_NO_LONGER_SUPPORTED")
    if health_of(db, institution_id) == "DOWN":
        raise errors.documented("INSTITUTION_DOWN")


def status(db: sqlite3.Connection, institution_id: str, now: float) -> dict[str, Any]:
    """Return Plaid's InstitutionStatus, in which all products have the same status."""
    health = health_of(db, institution_id)
    row = _row(db, institution_id)
    product = {
        "breakdown": _BREAKDOWNS[health],
        "last_status_change": timestamp(row["since"] if row else now),
        "status": health,
    }
    interval = {"refresh_interval": _REFRESH_INTERVALS[health]}
    updates = product | {"breakdown": _BREAKDOWNS[health] | interval}
    return {
        "auth": product,
        "health_incidents": None,
        "identity": product,
        "investments": product,
        "investments_updates": updates,
        "item_logins": product,
        "liabilities": product,
        "liabilities_updates": updates,
        "transactions_updates": updates,
    }


def _row(db: sqlite3.Connection, institution_id: str) -> sqlite3.Row | None:
    query = "SELECT status, since FROM institution_health WHERE institution_id = ?"
    row: sqlite3.Row | None = db.execute(query, (institution_id,)).fetchone()
    return row
