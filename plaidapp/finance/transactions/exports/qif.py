"""QIF for old finance programs: https://en.wikipedia.org/wiki/Quicken_Interchange_Format

A line is a letter and a value; `^` ends a record. Each currency of each account has a section.
Dates are MM/DD/YYYY, as Quicken in the United States writes them; other programs ask. Money out is
negative. A detailed category is a subcategory, such as "Food and drink:Groceries".

The format has neither ids nor currencies. So the account's description names the currency, and
pending rows are left out: they could not be matched with the posted ones later.
"""

from collections.abc import Iterator

from plaidapp.store import Transaction
from plaidapp.store.base.types import exact
from plaidapp.store.connections.account_types import CREDIT, DEPOSITORY, LOAN

from .export import Export, Statement
from .names import category_levels

KINDS = {DEPOSITORY: "Bank", CREDIT: "CCard", LOAN: "Oth L"}
RESERVED = str.maketrans(":/[]", "-- -")  # these mean subcategory, class and transfer


def write(export: Export) -> Iterator[str]:
    yield "!Option:AllXfr\n"
    for statement in export.statements(export.accounts):
        kind = KINDS.get(statement.account.type, "Oth A")
        yield f"!Account\n{_line('N', _name(statement))}T{kind}\n"
        yield f"{_line('D', statement.currency)}^\n!Type:{kind}\n"
        yield from map(_record, statement.rows)


def _name(statement: Statement) -> str:
    """A name that no other account has. Two accounts may share their name and mask."""
    account = statement.account
    parts = [account.exact_title, account.mask, f"({account.id})"]
    if statement.currency != account.currency:
        parts.append(statement.currency)
    return " ".join(filter(None, parts)).translate(RESERVED)


def _record(row: Transaction) -> str:
    memo = " · ".join(filter(None, (row.name if row.merchant_name else None, row.note)))
    category = ":".join(level.translate(RESERVED) for level in category_levels(row))
    return (
        f"D{row.date:%m/%d/%Y}\nT{exact(-row.amount)}\n"
        f"{_line('P', row.title)}{_line('M', memo)}{_line('L', category)}^\n"
    )


def _line(letter: str, text: str | None) -> str:
    value = " ".join((text or "").split())
    return f"{letter}{value}\n" if value else ""
