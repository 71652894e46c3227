"""The words of a search, and the conditions in SQL of the rows that match them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    any_,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import aliased

from ..base.dialect import on_sqlite
from ..base.search_terms import parts_of, tokens_of
from . import rare_pairs
from .category_tree import any_of_sql
from .transactions import Transaction

MOST_TOKENS = 20
"""Pairs of a part of which the rarest are looked up. More would hardly leave out more rows."""
FOUND = aliased(Transaction, name="found")
# Each pair in the index begins with its owner's id ("7uca"), so that other people's rows do not
# make a search slower. The migration that makes the index has the same expression.
FTS5 = "transaction_search MATCH :search"
TSVECTOR = """
array_to_tsvector(string_to_array(ltrim(replace(
    translate(coalesce(found.pairs, '') || coalesce(found.note_pairs, ''), E'\\t\\n', ''),
    ' ', ' ' || CAST(found.user_id AS text) || 'u'
)), ' ')) @@ CAST(:search AS tsquery)
"""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that somebody typed, with everything that it may mean.

    A row matches if one of `parts` is in its name, merchant or note (base/search_terms.py), if it
    counts under one of `categories`, at either level, if its account is one of `account_ids`, or if
    its amount without the sign is `amount`.
    """

    parts: tuple[str, ...]
    categories: tuple[str, ...] = ()
    account_ids: tuple[int, ...] = ()
    amount: Decimal | None = None

    @property
    def is_empty(self) -> bool:
        """True for a word that matches nothing, such as a dash."""
        return not (self.parts or self.categories or self.account_ids or self.amount is not None)

    @property
    def is_text(self) -> bool:
        return not (self.categories or self.account_ids or self.amount is not None)

    @property
    def is_category(self) -> bool:
        """True for a word that means categories and nothing else."""
        others = self.parts or self.account_ids or self.amount is not None
        return bool(self.categories) and not others

    @property
    def has_index(self) -> bool:
        """True if an index finds the matching rows: there is none of categories."""
        return not self.categories and all(map(tokens_of, self.parts))


def text_word(typed: str) -> Word:
    return Word(parts_of(typed))


def words(typed: str, word_of: Callable[[str], Word] = text_word) -> tuple[Word, ...]:
    """Return what was typed, word by word. A row has to match all of them.

    Punctuation between words is skipped. If there is nothing else, no row matches.
    """
    found = tuple(dict.fromkeys(map(word_of, typed.split())))
    return tuple(word for word in found if not word.is_empty) or found[:1]


def has_index(search: Iterable[Word]) -> bool:
    """True if an index finds the rows that match one of the words."""
    return any(word.has_index for word in search)


def by_row(search: Sequence[Word]) -> list[ColumnElement[bool]]:
    """Return the conditions that each row is compared with."""
    return [or_(false(), *_meanings(word)) for word in search]


def by_index(user_id: int, search: Sequence[Word]) -> list[ColumnElement[bool]]:
    """Return the same conditions, after one that an index answers if there is one."""
    if any(word.is_empty for word in search):
        return [false()]
    indexed = [word for word in search if word.has_index]
    if texts := [word for word in indexed if word.is_text]:
        return [_is_among(_with_pairs(user_id, texts)), *by_row(search)]
    if indexed:
        return [_is_among(union_all(*_candidates(user_id, indexed[0]))), *by_row(search)]
    return by_row(search)


def _meanings(word: Word) -> Iterable[ColumnElement[bool]]:
    """The columns are in expressions, so that SQLite does not use their indexes."""
    yield from _parts_in(Transaction, word)
    if word.categories:
        yield any_of_sql(word.categories, Transaction.category, Transaction.detailed)
    if word.account_ids:
        yield (Transaction.account_id + 0).in_(word.account_ids)
    if word.amount is not None:
        yield type_coerce(Transaction.size + 0, Transaction.size.type) == word.amount


def _parts_in(row: type[Transaction], word: Word) -> Iterable[ColumnElement[bool]]:
    """A part is in one of two texts. Joining them would take as long as looking for it."""
    position = func.instr if on_sqlite() else func.strpos
    yield from (
        position(text, part) > 0 for part in word.parts for text in (row.pairs, row.note_pairs)
    )


def _candidates(user_id: int, word: Word) -> Iterable[Select[Any]]:
    if word.parts:
        yield _with_pairs(user_id, [word])
    shown = FOUND.user_id == user_id, FOUND.removed_at.is_(None)
    if word.account_ids:
        yield select(FOUND.id).where(FOUND.account_id.in_(word.account_ids))
    if word.amount is not None:
        yield select(FOUND.id).where(*shown, FOUND.size == word.amount)


def _is_among(ids: Any) -> ColumnElement[bool]:
    """Return the condition that a row is one of these. The database computes the ids first, once.

    No planner can tell how few rows have a pair. With IN, PostgreSQL may search again for each row
    as long as it has no statistics of a table that has just been filled.
    """
    if on_sqlite():
        return Transaction.id.in_(ids)
    return Transaction.id == any_(func.array(ids.scalar_subquery()))


def _with_pairs(user_id: int, texts: Sequence[Word]) -> Select[Any]:
    """Return the ids of the rows that have the rarest pairs of these words, in any order.

    PostgreSQL reads these rows, so that it leaves out those without the words at once.
    """
    sample = rare_pairs.sample(user_id)
    if on_sqlite():
        rows: Select[Any] = select(literal_column("rowid").label("id"))
        rows, index = rows.select_from(text("transaction_search")), FTS5
        terms = Terms(" AND ", " OR ", '"{}"', '"{}"*')
    else:
        rows, index = select(FOUND.id), TSVECTOR
        rows = rows.where(*(or_(*_parts_in(FOUND, word)) for word in texts))
        terms = Terms(" & ", " | ", "'{}'", "'{}':*")
    return rows.where(text(index).bindparams(search=terms.query(user_id, texts, sample)))


class Terms(NamedTuple):
    """How a full-text index spells a query. `begun` is the beginning of a term."""

    all_of: str
    any_of: str
    term: str
    begun: str

    def query(self, user_id: int, texts: Iterable[Word], sample: Sequence[str]) -> str:
        def one(token: str) -> str:
            return (self.begun if len(token) == 1 else self.term).format(f"{user_id}u{token}")

        def part(pairs: str) -> str:
            tokens = tokens_of(pairs)[:MOST_TOKENS]
            return self.all_of.join(map(one, rare_pairs.rarest(tokens, sample)))

        return self.all_of.join(f"({self.any_of.join(map(part, word.parts))})" for word in texts)
