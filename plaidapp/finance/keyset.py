"""Paging by the last row seen, never by counting: as quick on the last page as on the first."""

import re
from collections.abc import Sequence
from datetime import date
from urllib.parse import urlencode

from flask import abort, request

from plaidapp.store import Transaction

PLACE = re.compile(r"(\d{4}-\d\d-\d\d)_(\d{1,18})", re.ASCII)  # 18 digits fit 64 bits


def asked() -> tuple[date, int] | None:
    """The (date, id) after which this page begins, from the address; 400 when it is not one."""
    after = request.args.get("after")
    if not after:
        return None
    place = PLACE.fullmatch(after)
    if not place:
        abort(400)
    try:
        return date.fromisoformat(place[1]), int(place[2])
    except ValueError:
        abort(400)


def next_url(rows: Sequence[Transaction], size: int) -> str | None:
    """The address of the page after `rows`; None unless there are more than `size` of them."""
    if len(rows) <= size:
        return None
    last = rows[size - 1]
    arguments = request.args.to_dict() | {"after": f"{last.date}_{last.id}"}
    return f"{request.path}?{urlencode(arguments)}"
