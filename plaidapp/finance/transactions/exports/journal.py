"""A journal for hledger and Ledger: https://hledger.org/1.25/hledger.html#journal-format

Every account, commodity and tag is declared, so that their strict modes are content. Pending
transactions have the status `!`. Nothing can be escaped in a journal: the few signs that mean
something to it are written as others.
"""

from collections.abc import Iterator

from plaidapp.store.base.types import exact

from .bookkeeping import Assertion, Book, Commodity, Entry, Line, Opening
from .export import Export

INDENT = "    "
SIGNS = str.maketrans(";|[]", ",/()")  # a comment, payee from note, a date


def write(export: Export) -> Iterator[str]:
    yield f"; plaidapp, {export.made_at:%Y-%m-%d %H:%M} UTC\n"
    yield "".join(f"\ntag {name}" for name in ("plaid_id", "category", "note")) + "\n"
    yield from map(_written, Book(export).lines())


def _written(line: Line) -> str:
    match line:
        case Commodity(_, symbol):
            return f"\ncommodity {_quoted(symbol)}\n"
        case Opening(_, account):
            return f"\naccount {account}\n"
        case Assertion(day, account, amount, symbol):
            held = f"{exact(amount)} {_quoted(symbol)}"
            posting = f"{INDENT}{account}{INDENT}0 {_quoted(symbol)} = {held}\n"
            return f"\n{day} * Balance\n{posting}"
        case Entry():
            return _entry(line)


def _entry(entry: Entry) -> str:
    description = " | ".join(_plain(text) for text in (entry.payee, entry.narration) if text)
    details = "".join(
        f"{INDENT}; {name}: {_plain(detail)}\n" for name, detail in entry.details.items() if detail
    )
    symbol = _quoted(entry.symbol)
    return (
        f"\n{entry.day} {'!' if entry.pending else '*'} {description}".rstrip() + f"\n{details}"
        f"{INDENT}{entry.account}{INDENT}{exact(entry.amount)} {symbol}\n"
        f"{INDENT}{entry.counter}{INDENT}{exact(-entry.amount)} {symbol}\n"
    )


def _plain(text: str) -> str:
    """A leading parenthesis would be a transaction's code."""
    plain = text.translate(SIGNS)
    return f"- {plain}" if plain.startswith("(") else plain


def _quoted(symbol: str) -> str:
    return symbol if symbol.isalpha() else f'"{symbol}"'
