"""The events of a session (https://plaid.com/docs/link/web/#onevent)."""

import sqlite3
from typing import Any

import msgspec

from sandbox.context import Sandbox, timestamp
from sandbox.http_json import encode
from sandbox.store import next_number


def record(
    sandbox: Sandbox, db: sqlite3.Connection, session_id: str, name: str, metadata: dict[str, str]
) -> None:
    event_id = sandbox.ids.uuid("link_event", next_number(db, "link_event"))
    row = (session_id, event_id, name, sandbox.now(), encode(metadata).decode())
    db.execute(
        "INSERT INTO link_event (session, event_id, name, time, metadata) VALUES (?, ?, ?, ?, ?)",
        row,
    )


def listed(db: sqlite3.Connection, session_id: str) -> list[dict[str, Any]]:
    """Return Plaid's LinkEvents, the newest first."""
    query = "SELECT * FROM link_event WHERE session = ? ORDER BY id DESC"
    return [
        {
            "event_id": row["event_id"],
            "event_metadata": msgspec.json.decode(row["metadata"]),
            "event_name": row["name"],
            "timestamp": timestamp(row["time"]),
        }
        for row in db.execute(query, (session_id,))
    ]
