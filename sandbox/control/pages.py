"""`/_control/items` and `/_control/institutions`: see docs/sandbox.md. No answer has a token."""

import sqlite3
from typing import TypeVar

import flask
import msgspec
from flask import Blueprint
from werkzeug.wrappers import Response

from sandbox import account_access, institution_health, items
from sandbox.context import current_sandbox
from sandbox.control import guard
from sandbox.control.changes import Change, apply
from sandbox.control.guard import PREFIX, Refused, json_response
from sandbox.institutions import BY_ID, INSTITUTIONS, Health, Institution
from sandbox.items import Item

bp = Blueprint("control", __name__, url_prefix=PREFIX)
BodyT = TypeVar("BodyT")


class InstitutionChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    status: Health


@bp.before_request
def refuse() -> Response | None:
    return guard.refusal(flask.request)


@bp.errorhandler(Refused)
def report_refusal(refused: Refused) -> Response:
    return guard.bad_request(str(refused))


@bp.get("items")
def list_items() -> Response:
    with current_sandbox().store.read() as db:
        rows = db.execute("SELECT * FROM item ORDER BY number").fetchall()
        return json_response([_describe_item(db, Item(**row)) for row in rows])


@bp.post("items/<item_id>")
def change_item(item_id: str) -> Response:
    change = _read(Change)
    sandbox = current_sandbox()
    with sandbox.store.write() as db:
        row = db.execute("SELECT * FROM item WHERE item_id = ?", (item_id,)).fetchone()
        if row is None:
            return guard.bad_request(f"There is no Item {item_id}", 404)
        if row["removed"]:
            raise Refused("The client removed this Item")
        apply(sandbox, db, Item(**row), change)
        description = _describe_item(db, items.by_number(db, row["number"]))
    sandbox.webhook_queue.wake()
    return json_response(description)


@bp.get("institutions")
def list_institutions() -> Response:
    with current_sandbox().store.read() as db:
        return json_response([_describe_institution(db, one) for one in INSTITUTIONS])


@bp.post("institutions/<institution_id>")
def change_institution(institution_id: str) -> Response:
    change = _read(InstitutionChange)
    sandbox = current_sandbox()
    if institution_id not in BY_ID:
        return guard.bad_request(f"There is no institution {institution_id}", 404)
    with sandbox.store.write() as db:
        institution_health.set_health(db, institution_id, change.status, sandbox.now())
        return json_response(_describe_institution(db, BY_ID[institution_id]))


def _read(body_type: type[BodyT]) -> BodyT:
    try:
        return msgspec.json.decode(flask.request.get_data(), type=body_type)
    except ValueError as error:  # msgspec's errors and UnicodeDecodeError
        raise Refused(str(error)) from error


def _describe_item(db: sqlite3.Connection, item: Item) -> dict[str, object]:
    bodies = [
        (row["access"], msgspec.json.decode(row["body"]))
        for row in account_access.all_rows(db, item)
    ]
    return {
        "item_id": item.item_id,
        "institution_id": item.institution_id,
        "state": "removed" if item.removed else item.error_code or "good",
        "exchanged": item.access_token is not None,
        "removed": bool(item.removed),
        "accounts": [
            {name: body[name] for name in ("account_id", "name", "mask")} | {"access": access}
            for access, body in bodies
        ],
    }


def _describe_institution(db: sqlite3.Connection, institution: Institution) -> dict[str, object]:
    return {
        "institution_id": institution.institution_id,
        "name": institution.name,
        "status": institution_health.health_of(db, institution.institution_id),
    }
