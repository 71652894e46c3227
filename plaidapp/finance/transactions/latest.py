"""The latest transactions, as the overview lists them: the explorer's rows, without its filter."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from flask import url_for
from werkzeug.datastructures import MultiDict

from plaidapp.store import Transaction

from .filter_form import ExplorerForm
from .filter_urls import Query
from .listing import Group, Listing

FIELD = "latest"
"""What the address of a row's edit has if the row is in this list."""
SHOWN = 12


@dataclass
class Latest(Listing):
    """Rows that can be opened and edited one by one. Both sides of a transfer are one row."""

    page_size: int = SHOWN
    is_latest = True

    @property
    def address(self) -> str:
        return url_for("finance.dashboard", _anchor="latest")

    @cached_property
    def query(self) -> Query:
        return {FIELD: ["y"]}

    @cached_property
    def shows_currency(self) -> bool:
        return len({row.currency for row in self.rows}) > 1

    @property
    def groups(self) -> list[Group]:
        groups = (group._replace(rows=self._joined(group.rows)) for group in super().groups)
        return [group for group in groups if group.rows]

    def _joined(self, rows: Sequence[Transaction]) -> list[Transaction]:
        """Leave out the side of a transfer that the money arrives on, if the list has both."""
        return [row for row in rows if not (row.amount < 0 and self.has_other_side(row))]

    def has_other_side(self, row: Transaction) -> bool:
        return row.other_side_id in self._ids

    @cached_property
    def _ids(self) -> set[int]:
        return {row.id for row in self.rows}


def of_user(user_id: int, page_size: int = SHOWN) -> Latest:
    form = ExplorerForm(MultiDict())
    form.validate()
    return Latest(user_id, form, page_size=page_size)
