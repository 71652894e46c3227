"""A ledger for Beancount: https://beancount.github.io/docs/beancount_language_syntax.html

Pending transactions have the flag `!`. An assertion holds at the start of its day, so it is dated
one day later.
"""

from collections.abc import Iterator

from plaidapp.store.base.dates import days_later
from plaidapp.store.base.types import exact

from .bookkeeping import Assertion, Book, Commodity, Directive, Entry, Opening
from .export import Export


def write(export: Export) -> Iterator[str]:
    yield f";; plaidapp, {export.made_at:%Y-%m-%d %H:%M} UTC\n"
    yield from map(_written, Book(export).directives())


def _written(directive: Directive) -> str:
    match directive:
        case Commodity(day, symbol, code):
            return f"\n{day} commodity {symbol}\n  name: {_text(code)}\n"
        case Opening(day, account, symbol, title):
            name = f"  name: {_text(title)}\n" if title else ""
            return f"\n{day} open {account} {symbol or ''}".rstrip() + f"\n{name}"
        case Assertion(day, account, amount, symbol):
            return f"\n{days_later(day, 1)} balance {account}  {exact(amount)} {symbol}\n"
        case Entry():
            return _entry(directive)


def _entry(entry: Entry) -> str:
    payee = f"{_text(entry.payee)} " if entry.payee else ""
    details = "".join(
        f"  {name}: {_text(detail)}\n" for name, detail in entry.details.items() if detail
    )
    return (
        f"\n{entry.day} {'!' if entry.pending else '*'} {payee}{_text(entry.narration)}\n{details}"
        f"  {entry.account}  {exact(entry.amount)} {entry.symbol}\n"
        f"  {entry.counter}  {exact(-entry.amount)} {entry.symbol}\n"
    )


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
