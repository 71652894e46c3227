"""Link sessions: one for each time that a person opens a hosted link."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from sandbox.context import Sandbox
from sandbox.http_json import encode
from sandbox.link_tokens import LinkToken
from sandbox.store import next_number

Step = Literal[
    "institution",
    "credentials",
    "recaptcha",
    "device",
    "code",
    "questions",
    "selections",
    "oauth",
    "bank",
    "grant",
    "accounts",
    "connected",
    "error",
    "left",
]
Status = Literal["SUCCESS", "EXITED"]


class Page(msgspec.Struct):
    """One page of questions after the log-in. `answers` are the right ones.

    `options` are what can be chosen for each question; without them the answer is typed.
    """

    kind: Literal["device", "code", "questions", "selections"]
    questions: list[str]
    answers: list[str]
    options: list[list[str]] = msgspec.field(default_factory=list)


class Problem(msgspec.Struct):
    """Plaid's error object without the fields that every error has, and what the page says."""

    error_type: str
    error_code: str
    error_message: str
    display_message: str | None

    @property
    def sentence(self) -> str:
        return self.display_message or f"{self.error_message[:1].upper()}{self.error_message[1:]}."


class State(msgspec.Struct):
    """What the person has done so far.

    `notice` is what the page says above its form. `problem` is the last error, which an exit
    reports. `left_at` is the status of an exit. `results` are Plaid's `item_add_results`.
    """

    step: Step = "institution"
    leaving: bool = False
    notice: str | None = None
    query: str = ""
    institution_id: str | None = None
    username: str = ""
    password: str = ""
    second_step: list[Page] = msgspec.field(default_factory=list)
    item_number: int | None = None
    problem: Problem | None = None
    left_at: str | None = None
    request_id: str = ""
    results: list[dict[str, Any]] = msgspec.field(default_factory=list)


@dataclass
class Session:
    """A row of the link_session table. Times are Unix time.

    `turn` counts the forms that were sent, so that one can't be sent twice.
    """

    id: str
    token: str
    started: float
    touched: float
    finished: float | None
    status: Status | None
    turn: int
    state: State = field(default_factory=State)


def create(sandbox: Sandbox, db: sqlite3.Connection, link: LinkToken) -> Session:
    now = sandbox.now()
    session_id = sandbox.ids.uuid("link_session", next_number(db, "link_session"))
    session = Session(session_id, link.token, now, now, None, None, 0)
    db.execute(
        "INSERT INTO link_session VALUES (?, ?, ?, ?, NULL, NULL, 0, ?)",
        (session.id, link.token, now, now, encode(session.state).decode()),
    )
    return session


def find(db: sqlite3.Connection, session_id: str) -> Session | None:
    row = db.execute("SELECT * FROM link_session WHERE id = ?", (session_id,)).fetchone()
    return _from_row(row) if row else None


def of_token(db: sqlite3.Connection, token: str) -> list[Session]:
    """Return the sessions of a link token, oldest first."""
    query = "SELECT * FROM link_session WHERE token = ? ORDER BY started, rowid"
    return [_from_row(row) for row in db.execute(query, (token,))]


def _from_row(row: sqlite3.Row) -> Session:
    state = msgspec.json.decode(row["state"], type=State)
    return Session(**{**dict(row), "state": state})


def take_turn(db: sqlite3.Connection, session: Session) -> bool:
    """Count a form. Return False if it has been sent before."""
    taken = db.execute(
        "UPDATE link_session SET turn = turn + 1 WHERE id = ? AND turn = ?",
        (session.id, session.turn),
    ).rowcount
    session.turn += taken
    return bool(taken)


def save(db: sqlite3.Connection, session: Session) -> None:
    db.execute(
        "UPDATE link_session SET touched = ?, finished = ?, status = ?, state = ? WHERE id = ?",
        (
            session.touched,
            session.finished,
            session.status,
            encode(session.state).decode(),
            session.id,
        ),
    )
