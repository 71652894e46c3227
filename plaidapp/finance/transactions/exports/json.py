"""JSON for programs: all pages of transactions.json as one, with the person's edits."""

import json
from collections.abc import Iterator

from ..plaid_json import as_plaid
from .export import Export


def write(export: Export) -> Iterator[str]:
    yield '{"transactions": ['
    total = 0
    for total, row in enumerate(export.rows(), start=1):
        edits = {
            "category": row.category,
            "category_detailed": row.detailed,
            "note": row.note,
        }
        yield (",\n" if total > 1 else "\n") + json.dumps(as_plaid(row) | edits)
    yield f'\n], "total_transactions": {total}, "next": null}}\n'
