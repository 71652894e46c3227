"""A disc without a logo has letters of the name, on a tint that is always the same."""

import pytest

from plaidapp.finance.identity.monograms import TINTS, is_dark, monogram, tint


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Comcast", "C"),
        ("Trader Joe’s", "TJ"),
        ("The Cheesecake Factory", "CF"),
        ("The", "T"),
        ("uber", "U"),
        ("UBER *TRIP", "UT"),
        ("Uber 072515 SF", "US"),
        ("Uber 072515", "U"),
        ("7-Eleven", "7"),
        ("1Password", "1"),
        ("Barnes & Noble", "BN"),
        ("... - *", "."),
        ("", ""),
        ("   ", ""),
        ("élan vital", "ÉV"),
        ("e\u0301lan", "E\u0301"),
        ("ßtraße", "ß"),
        ("Ивановский рынок", "ИР"),
        ("全家便利商店 FamilyMart", "全"),
        ("스타벅스", "스"),
        ("مقهى الشرق", "م"),
        ("🍕 👨‍👩‍👧", "🍕"),
        ("👨‍👩‍👧", "👨‍👩‍👧"),
        ("🇺🇸🇨🇦", "🇺🇸"),
        ("<b>&amp;", "B"),
        ("\u202e\u200b", ""),
    ],
)
def test_letters_of_a_name(name, letters):
    assert monogram(name) == letters


def test_a_small_disc_has_one_letter():
    assert monogram("Trader Joe’s", 1) == "T"


def test_the_tint_depends_on_the_name_alone():
    assert tint("Netflix") == tint("NETFLIX")
    assert {tint(f"Shop {number}") for number in range(100)} == set(range(1, TINTS + 1))


@pytest.mark.parametrize(
    ("color", "dark"),
    [
        ("#000000", True),
        ("#004966", True),
        ("#e31837", True),
        ("#ffd200", False),
        ("#ffffff", False),
    ],
)
def test_letters_are_readable_on_a_banks_color(color, dark):
    assert is_dark(color) is dark
