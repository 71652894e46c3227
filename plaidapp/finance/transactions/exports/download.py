"""The addresses that download the transactions of the explorer's filter, one for each format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from flask import Response, request, stream_with_context

from plaidapp.auth.access import person
from plaidapp.events import event
from plaidapp.extensions import writing
from plaidapp.store.people import activity
from plaidapp.store.transactions import reader

from ...base.blueprint import blueprint
from .. import explorer_request
from . import beancount, csv, journal, json, ofx, qif
from .export import Export

PIECES_AT_ONCE = 500  # in one write


@dataclass(frozen=True)
class Format:
    extension: str
    content_type: str
    write: Callable[[Export], Iterator[str]]


FORMATS = (
    Format("csv", "text/csv; charset=utf-8; header=present", csv.write),
    Format("json", "application/json", json.write),  # UTF-8 by definition
    Format("ofx", "application/x-ofx; charset=utf-8", ofx.write),
    Format("qif", "application/qif; charset=utf-8", qif.write),
    Format("beancount", "text/plain; charset=utf-8", beancount.write),
    Format("journal", "text/plain; charset=utf-8", journal.write),
)


def _route(format_: Format) -> None:
    path = f"/export/transactions.{format_.extension}"

    @blueprint.get(path, endpoint=f"export_{format_.extension}")
    def download() -> Response:
        """Take the explorer's fields. Abort with 422 and sentences if they are not valid."""
        form = explorer_request.valid(request.args)
        with writing():
            activity.note_again(person().id, activity.Kind.EXPORTED, format_.extension.upper())
        event("export", person=person().opaque_id, format=format_.extension)
        export = Export.of(form.filter_of(person().id, hidden_accounts=True))
        pieces = format_.write(export)
        response = Response(_streamed(pieces), content_type=format_.content_type)
        name = _file_name(export, format_.extension)
        response.headers["Content-Disposition"] = f"attachment; filename={name}"
        return response


def _file_name(export: Export, extension: str) -> str:
    """plaidapp-transactions-2026-01-01-to-2026-11-22.csv"""
    filter_ = export.filter
    end: date = filter_.end or export.today
    start = filter_.start or reader.first_date(filter_.user_id) or end
    return f"plaidapp-transactions-{start}-to-{end}.{extension}"


def _streamed(pieces: Iterator[str]) -> Iterator[bytes]:
    """Send the file in parts while it is read from the database.

    The first part is read before the answer begins, so a failure in it becomes an error page. A
    later failure closes the connection without HTTP's end mark, so that nobody takes half a file
    for a whole one.
    """
    first = _part(pieces)

    def parts() -> Iterator[bytes]:
        part = first
        while part:
            yield part
            part = _part(pieces)

    return stream_with_context(parts())


def _part(pieces: Iterator[str]) -> bytes:
    return "".join(islice(pieces, PIECES_AT_ONCE)).encode()


for _format in FORMATS:
    _route(_format)
