"""Paging by the last row seen, never by counting: as quick on the last page as on the first."""

from collections.abc import Sequence
from datetime import date
from urllib.parse import urlencode

from flask import abort, request

from plaidapp.store import Transaction


def asked() -> tuple[date, int] | None:
    """The (date, id) after which this page begins, from the address; 400 when it is not one."""
    after = request.args.get("after")
    if not after:
        return None
    day, _, row_id = after.partition("_")
    try:
        last = date.fromisoformat(day), int(row_id)
    except ValueError:
        abort(400)
    if not 0 <= last[1] < 2**63:
        abort(400)
    return last


def next_url(rows: Sequence[Transaction], size: int) -> str | None:
    """The address of the page after `rows`; None unless there are more than `size` of them."""
    if len(rows) <= size:
        return None
    last = rows[size - 1]
    arguments = request.args.to_dict() | {"after": f"{last.date}_{last.id}"}
    return f"{request.path}?{urlencode(arguments)}"
