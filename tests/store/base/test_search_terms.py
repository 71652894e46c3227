"""The words that a search compares."""

import pytest

from plaidapp.store.base import search_terms

TEXTS = {
    "Café Zoë's No. 5": "cafe zoes no 5",
    "McDonald’s": "mcdonalds",
    "TRADER JOE'S": "trader joes",
    "7-ELEVEN #34": "7 eleven 34",
    "Straße": "strasse",
    "STRASSE": "strasse",
    "Łódź Ørsted Æbler": "lodz orsted aebler",
    "İstanbul": "istanbul",
    "ﬁnance": "finance",
    "foo_bar": "foo bar",
    "Ångström": "angstrom",
    "Кафе Ё": "кафе е",
    "東京タワー": "東京タワー",
    "☕ !? \0": "",
    "": "",
}


@pytest.mark.parametrize("text", TEXTS)
def test_case_accents_and_punctuation_do_not_matter(text):
    assert " ".join(search_terms.words_of(text)) == TEXTS[text]
    assert search_terms.sort_key(text) == TEXTS[text]


def test_both_spellings_of_an_accent_are_equal():
    assert search_terms.words_of("Cafe\u0301") == search_terms.words_of("Caf\u00e9") == ("cafe",)


def test_long_words_and_keys_are_cut():
    for long in ("a" * 500, "ﬃ" * 50):
        (word,) = search_terms.words_of(long)
        assert len(word) == search_terms.LONGEST_WORD
    assert len(search_terms.sort_key("word " * 100)) <= search_terms.LONGEST_KEY


def test_the_index_has_each_word_once_with_its_owner():
    assert search_terms.index_of(7, "Coffee", None, "The Coffee") == " 7ucoffee 7uthe"
    assert search_terms.index_of(7, None) == ""
