"""What a word in the search field may mean: part of a text, a category, an account, an amount."""

import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import TypeVar

from flask_babel import get_locale

from plaidapp.store.base.search_terms import begins_in, parts_of
from plaidapp.store.connections import accounts
from plaidapp.store.transactions import search
from plaidapp.store.transactions.category_tree import TREE
from plaidapp.store.transactions.search import Word

from .amounts import from_typed
from .category_labels import category_label

Key = TypeVar("Key", int, str)
SIGNS = "+-−–()"


def words_of(user_id: int, typed: str) -> tuple[Word, ...]:
    """Return the words of a search of this person, in the visitor's language."""
    if not typed.strip():
        return ()
    labels = labels_of(str(get_locale()))
    names = {
        row.id: f"{row.title} {row.name} {row.mask or ''}" for row in accounts.of_user(user_id)
    }

    def word_of(part: str) -> Word:
        named = tuple(code for form in forms_of(part) for code in _named(labels, form))
        return Word(parts_of(part), named, _named(names, part), _amount(part))

    return search.words(typed, word_of)


def forms_of(word: str) -> tuple[str, ...]:
    """Return a word and its plural, if it ends in y: many labels are plurals, as "Groceries" is."""
    return (word, f"{word[:-1]}ies") if word[-1:] in ("y", "Y") else (word,)


@cache
def labels_of(_locale: str) -> dict[str, str]:
    """Return the labels of all categories in the visitor's language, by code."""
    return {code: category_label(code) for pair in TREE.items() for code in (pair[0], *pair[1])}


def _named(names: Mapping[Key, str], typed: str) -> tuple[Key, ...]:
    return tuple(key for key, name in names.items() if begins_in(name, typed))


def _amount(typed: str) -> Decimal | None:
    """Read an amount in any spelling. Its sign and currency are left out: "-$17.99" is 17.99."""
    plain = unicodedata.normalize("NFKC", typed)
    symbols = "".join(char for char in plain if unicodedata.category(char) == "Sc")
    with suppress(ValueError):
        return from_typed(plain.strip(SIGNS + symbols))
    return None
