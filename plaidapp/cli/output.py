"""Print what a command found: a table for people, or one JSON document for programs."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

Row = Mapping[str, object]

as_json: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document."
)
"""The option of every command that prints rows."""


def show(columns: Sequence[str], rows: Iterable[Row], *, as_json: bool) -> None:
    """Print the columns of `rows` in this order. JSON is a list of objects with the same names.

    Times are ISO 8601 in UTC. What is unknown is null in JSON and empty in a table.
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


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _word(value: object) -> str:
    """Return `value` on one line: a bank's words must not look like more rows, or move a cursor."""
    if value is None:
        return ""
    text = ("no", "yes")[value] if isinstance(value, bool) else str(value)
    return "".join(letter if letter.isprintable() else " " for letter in text)
