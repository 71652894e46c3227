"""How text becomes the words that a search compares."""

import pytest

from plaidapp.store import words

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
def test_case_accents_and_signs_are_no_difference(text):
    assert " ".join(words.words_of(text)) == TEXTS[text]
    assert words.sort_key(text) == TEXTS[text]


def test_accents_may_be_spelled_in_two_ways():
    assert words.words_of("Cafe\u0301") == words.words_of("Caf\u00e9") == ("cafe",)


def test_what_is_too_long_is_cut():
    for long in ("a" * 500, "ﬃ" * 50):
        (word,) = words.words_of(long)
        assert len(word) == words.LONGEST_WORD
    assert len(words.sort_key("word " * 100)) <= words.LONGEST_KEY


def test_each_word_is_in_the_index_once_and_its_owners():
    assert words.index_of(7, "Coffee", None, "The Coffee") == " 7ucoffee 7uthe"
    assert words.index_of(7, None) == ""
