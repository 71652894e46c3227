"""The words that a search compares, and their pairs of characters."""

import pytest

from plaidapp.store.base import search_terms
from plaidapp.store.base.search_terms import begins_in, pairs_of, parts_of, words_of

TEXTS = {
    "Café Zoë's No. 5": "cafe zoes no 5",
    "McDonald’s": "mcdonalds",
    "TRADER JOE'S": "trader joes",
    "7-ELEVEN #34": "7eleven 34",
    "AT&T": "att",
    "Straße": "strasse",
    "STRASSE": "strasse",
    "Łódź Ørsted Æbler": "lodz orsted aebler",
    "İstanbul": "istanbul",
    "Hawaiʻi": "hawaii",
    "ﬁnance": "finance",
    "foo_bar": "foobar",
    "Ångström": "angstrom",
    "Кафе Ё": "кафе е",
    "東京タワー": "東京タワー",
    "ｶﾞｽ がス": "ガス がス",
    "한국어가게": "한국어가게",
    "हिन्दी": "हिनदी",
    "القَهوة": "القهوة",
    "１２３": "123",
    "☕ !? \0": "☕",
    "☕\ufe0f 👍🏽 👨\u200d👩\u200d👧": "☕ 👍🏽 👨👩👧",
    "\ud800": "",
    "\x1fa\x1cb": "a b",
    "": "",
}


@pytest.mark.parametrize("text", TEXTS)
def test_case_accents_and_punctuation_do_not_matter(text):
    assert " ".join(words_of(text)) == TEXTS[text]
    assert search_terms.sort_key(text) == TEXTS[text]


def test_both_spellings_of_an_accent_are_equal():
    assert words_of("Cafe\u0301") == words_of("Caf\u00e9") == ["cafe"]


def test_a_decimal_point_is_part_of_a_number():
    assert words_of("17.99") == words_of("17,99") == words_of("１７．９９") != words_of("1799")
    assert words_of("No.5, $17.") == ["no5", "17"]


def test_long_keys_are_cut():
    assert len(search_terms.sort_key("word " * 100)) <= search_terms.LONGEST_KEY


def test_a_text_is_written_as_its_pairs():
    assert pairs_of("Café 5", None, "🏠 東京") == " ca af fe\t 5\t\n 🏠\t 東京 京\t\n"
    assert pairs_of("Starbucks", "STARBUCKS 12") == pairs_of("STARBUCKS 12", "Starbucks")
    assert pairs_of("Starbucks", "STARBUCKS 12") == pairs_of("STARBUCKS 12")
    assert pairs_of(None, "") == ""


@pytest.mark.parametrize(
    ("typed", "text", "found"),
    [
        ("af", "Café", True),
        ("cafe", "Café", True),
        ("e", "Café", True),
        ("fez", "Cafe Zoe", False),
        ("cf", "Café", False),
        ("スカイツリー", "東京スカイツリー入場券", True),
        ("カ", "ガス", False),
        ("한국", "한국어가게", True),
        ("하", "한국어가게", False),
        ("mktplace", "AMZNMktplace", True),
        ("🏠", "🏠🏠🏠", True),
        ("👍", "👍🏽", True),
        ("👍🏽", "👍🏿", False),
        ("👩", "👨\u200d👩\u200d👧", True),
        ("wal-mart", "WALMART", True),
        ("walmart", "Wal-Mart", True),
        ("wal-mart", "Wal Mart", True),
        ("wal-mart", "Walter Mart", False),
        ("AT&T", "AT&T Wireless", True),
        ("AT&T", "AT T", True),
        ("AT&T", "Seattle", False),
        ("att", "AT&T", True),
        ("pharm", "CVS/PHARMACY", True),
        ("foo-bar", "x/foo bar/y", True),
        ("T-Mobile", "TMOBILE", True),
        ("mcdonald's", "MCDONALDS", True),
        ("mcdonalds", "McDonald's", True),
        ("17.99", "#1799", False),
        ("7-eleven", "7 Eleven", True),
    ],
)
def test_a_word_is_found_by_any_part_of_it(typed, text, found):
    assert any(part in pairs_of(text) for part in parts_of(typed)) is found


def test_punctuation_has_no_parts():
    assert parts_of("-") == parts_of("***") == parts_of("\0") == ()


@pytest.mark.parametrize(
    ("typed", "name", "found"),
    [
        ("check", "Plaid Checking 0000", True),
        ("0000", "Plaid Checking 0000", True),
        ("000", "Plaid Checking 0000", True),
        ("king", "Plaid Checking 0000", False),
        ("c", "Plaid Checking 0000", False),
        ("預金", "普通預金", True),
        ("34", "Card 1234", False),
        ("-", "Checking", False),
    ],
)
def test_a_name_is_found_by_the_beginning_of_a_word(typed, name, found):
    assert begins_in(name, typed) is found
