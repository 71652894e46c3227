"""Every category of Plaid's has a label, and every primary one an icon."""

import pytest

from plaidapp.finance.transactions import detailed_labels
from plaidapp.finance.transactions.category_labels import (
    ICONS,
    LABELS,
    category_icon,
    category_label,
    detailed_label,
    is_transfer,
)
from plaidapp.store.transactions.categories import PRIMARY


def test_every_plaid_category_has_a_label_and_an_icon():
    assert set(LABELS) == set(ICONS) == set(PRIMARY)


def test_labels_and_icons_are_unique(app):
    with app.test_request_context():
        labels = [category_label(code) for code in PRIMARY]
    assert len(set(labels)) == len(set(ICONS.values())) == len(PRIMARY)
    assert not any("_" in label or label.isupper() for label in labels)


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("FOOD_AND_DRINK", "Food and drink"),
        ("OTHER", "Uncategorized"),
        (None, "Uncategorized"),
        ("SPACE_TRAVEL", "Space travel"),
    ],
)
def test_a_code_reads_as_words(app, code, label):
    with app.test_request_context():
        assert category_label(code) == label


def test_an_unknown_category_has_an_icon_too():
    assert category_icon("SPACE_TRAVEL") == category_icon(None) == ICONS["OTHER"]


ONLY_V1 = {"INCOME_WAGES", "INCOME_OTHER_INCOME", "TRANSFER_IN_CASH_ADVANCES_AND_LOANS"}


def test_every_detailed_category_of_both_versions_has_a_label():
    codes = set(detailed_labels.LABELS)
    assert codes > ONLY_V1
    assert len(codes - ONLY_V1) == 127
    assert all(any(code.startswith(f"{primary}_") for primary in PRIMARY) for code in codes)


@pytest.mark.parametrize(
    ("primary", "detailed", "label"),
    [
        ("FOOD_AND_DRINK", "FOOD_AND_DRINK_GROCERIES", "Groceries"),
        ("BANK_FEES", "BANK_FEES_ATM_FEES", "ATM fee"),
        ("TRAVEL", "TRAVEL_SPACE_SHIPS", "Space ships"),
        ("SPACE_TRAVEL", "SPACE_TRAVEL_THE_MOON", "The moon"),
        (None, "TRAVEL_SPACE_SHIPS", "Travel space ships"),
    ],
)
def test_a_detailed_category_reads_as_words_too(app, primary, detailed, label):
    with app.test_request_context():
        assert detailed_label(detailed, primary) == label


def test_transfers_are_recognized():
    assert is_transfer("TRANSFER_IN")
    assert is_transfer("TRANSFER_OUT")
    assert not is_transfer("INCOME")
    assert not is_transfer(None)
