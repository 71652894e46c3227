"""Print what a command found: a table for people, or one JSON document for programs."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click
from sqlalchemy import Select

from .. import extensions
from ..extensions import db

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

T = TypeVar("T")
Row = Mapping[str, object]

as_json: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document."
)
"""The option of every command that prints rows."""


def show_all(query: Select[*tuple[Any, ...]], *, as_json: bool) -> None:
    """Print the rows of a query with the names of its columns."""
    extensions.read_one_snapshot()
    found = db.session.execute(query)
    show(list(found.keys()), found.mappings(), as_json=as_json)  # type: ignore[arg-type]
    db.session.rollback()


def show(columns: Sequence[str], rows: Iterable[Row], *, as_json: bool) -> None:
    """Print the columns of `rows` in this order. JSON is a list of objects with the same names.

    Times are in UTC, such as 2026-11-26T08:00:00Z. What is unknown is null in JSON and empty in a
    table.
    """
    cells = [{name: _plain(row[name]) for name in columns} for row in rows]
    if as_json:
        show_document(cells)
        return
    table = [list(columns), *([_word(cell[name]) for name in columns] for cell in cells)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        padded = (word.ljust(width) for word, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def show_document(document: object) -> None:
    """Print one JSON document."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=_plain))


def progress(label: str, length: int, *, hidden: bool = False) -> "ProgressBar[int]":
    """Return a bar that only a terminal shows. It is no part of what a command prints."""
    hidden = hidden or not sys.stderr.isatty()  # click would print the label
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=hidden)


def progress_of(label: str, things: Iterable[T], drawn_every: int) -> "ProgressBar[T]":
    """Return such a bar over things that nobody has counted. It is drawn again after so many."""
    hidden = not sys.stderr.isatty()  # click would print the label
    return click.progressbar(
        things, label=label, file=sys.stderr, hidden=hidden, update_min_steps=drawn_every
    )


def one_line(text: str) -> str:
    """Return `text` on one line: a bank's words must not look like more rows, or move a cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _plain(value: object) -> object:
    if not isinstance(value, datetime):
        return value
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _word(value: object) -> str:
    if value is None:
        return ""
    return one_line(("no", "yes")[value] if isinstance(value, bool) else str(value))
