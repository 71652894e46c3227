"""Group transactions by day, as every list of them shows them."""

from collections.abc import Sequence
from datetime import date
from itertools import groupby

from plaidapp.store import Transaction


def by_day(rows: Sequence[Transaction]) -> list[tuple[date, list[Transaction]]]:
    """One group for each day, in the order of the rows. Rows of a day must follow each other."""
    return [(day, list(group)) for day, group in groupby(rows, key=lambda row: row.date)]
