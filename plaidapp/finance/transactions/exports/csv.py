"""CSV for spreadsheets: https://www.rfc-editor.org/rfc/rfc4180

It begins with a byte order mark: without one, Excel reads UTF-8 as the local code page. Programs
should read the JSON instead.

A spreadsheet runs a cell that begins like a formula, and strangers choose the merchants' names.
Such text gets an apostrophe in front: https://owasp.org/www-community/attacks/CSV_Injection
Amounts stay numbers, with Plaid's sign: positive is money out. Categories have codes and, in
the last columns, the names of the pages. New columns come last.
"""

import csv
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from io import StringIO

from plaidapp.store import Transaction
from plaidapp.store.base.types import exact

from ..category_labels import category_label
from .export import Export

BYTE_ORDER_MARK = "\ufeff"
COLUMNS = (
    "date",
    "authorized_date",
    "name",
    "merchant_name",
    "amount",
    "currency",
    "category",
    "category_detailed",
    "personal_finance_category_primary",
    "personal_finance_category_detailed",
    "note",
    "pending",
    "hidden",
    "account_name",
    "account_mask",
    "institution_name",
    "payment_channel",
    "transaction_id",
    "pending_transaction_id",
    "account_id",
    "category_name",
    "category_detailed_name",
)
# A cell also begins after a tab or, where it is the list separator, after a semicolon.
FORMULA = re.compile(
    r"(?:^|(?<=[;\t\r\n]))(?=[^\S\t\r\n]*[=+\-@＝＋－＠])"
    r"|^(?=[\t\r\n])"
)


def write(export: Export) -> Iterator[str]:
    yield BYTE_ORDER_MARK + _line(COLUMNS)
    label = lru_cache(maxsize=1_000)(category_label)  # the same categories occur again and again
    for row in export.rows():
        yield _line(_cells(row, export.bank_of(row.account), label))


def safe(text: str | None) -> str:
    """The text as a cell that no spreadsheet runs as a formula."""
    return FORMULA.sub("'", text) if text else ""


def _cells(row: Transaction, bank: str, label: Callable[..., str]) -> tuple[str, ...]:
    return (
        row.date.isoformat(),
        row.authorized_date.isoformat() if row.authorized_date else "",
        safe(row.name),
        safe(row.merchant_name),
        exact(row.amount) or "",
        safe(row.currency),
        safe(row.category),
        safe(row.detailed),
        safe(row.category_primary),
        safe(row.category_detailed),
        safe(row.note),
        str(row.pending).lower(),
        str(row.is_left_out).lower(),
        safe(row.account.exact_title),
        safe(row.account.mask),
        safe(bank),
        safe(row.payment_channel),
        safe(row.public_id),
        safe(row.pending_transaction_id),
        safe(row.account.public_id),
        safe(label(row.category)),
        safe(label(row.detailed, row.category)) if row.detailed else "",
    )


def _line(cells: tuple[str, ...]) -> str:
    line = StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue()
