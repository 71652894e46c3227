"""A journal for hledger and Ledger: https://hledger.org/1.25/hledger.html#journal-format

Every account, commodity and tag is declared, so the journal passes in strict mode. Pending
transactions have the status `!`. A journal has no escapes, so characters with a meaning are
replaced by similar ones.
"""

from collections.abc import Iterator

from plaidapp.store.base.types import exact

from .bookkeeping import Assertion, Book, Commodity, Directive, Entry, Opening
from .export import Export

INDENT = "    "
REPLACED = str.maketrans(";|[]", ",/()")  # these mean comment, payee and date


def write(export: Export) -> Iterator[str]:
    yield f"; plaidapp, {export.made_at:%Y-%m-%d %H:%M} UTC\n"
    yield "".join(f"\ntag {name}" for name in ("plaid_id", "category", "note")) + "\n"
    yield from map(_written, Book(export).directives())


def _written(directive: Directive) -> str:
    match directive:
        case Commodity(_, symbol):
            return f"\ncommodity {_quoted(symbol)}\n"
        case Opening(_, account):
            return f"\naccount {account}\n"
        case Assertion(day, account, amount, symbol):
            balance = f"{exact(amount)} {_quoted(symbol)}"
            posting = f"{INDENT}{account}{INDENT}0 {_quoted(symbol)} = {balance}\n"
            return f"\n{day} * Balance\n{posting}"
        case Entry():
            return _entry(directive)


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
    """A leading parenthesis would begin a transaction code."""
    plain = text.translate(REPLACED)
    return f"- {plain}" if plain.startswith("(") else plain


def _quoted(symbol: str) -> str:
    return symbol if symbol.isalpha() else f'"{symbol}"'
