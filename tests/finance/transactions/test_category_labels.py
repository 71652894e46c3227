"""Every category of Plaid's has a label, and every primary one an icon."""

import pytest

from plaidapp.finance.transactions import detailed_labels
from plaidapp.finance.transactions.category_labels import (
    ICONS,
    LABELS,
    categories_with,
    category_icon,
    category_label,
    is_transfer,
)
from plaidapp.store.transactions.categories import PRIMARY
from plaidapp.store.transactions.category_tree import RENAMED, TREE, primary_of


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


def test_every_detailed_category_has_a_place_and_a_label(app):
    codes = [code for detailed in TREE.values() for code in detailed]
    assert sorted(codes) == sorted(detailed_labels.LABELS)
    assert len(codes) == len(set(codes)) == 128
    assert {primary_of(code) for code in codes} == set(PRIMARY)
    with app.test_request_context():
        labels = [category_label(code) for code in codes if code != "OTHER_OTHER"]
        assert len({*labels, *map(category_label, PRIMARY)}) == len(labels) + len(PRIMARY)


def test_renamed_categories_meet_under_one_label(app):
    """Rows of the first version are found under the same name as those of the second."""
    with app.test_request_context():
        for former, now in RENAMED.items():
            assert category_label(former) == category_label(now)
            assert primary_of(former) == primary_of(now)
        assert category_label("TRANSFER_IN_CASH_ADVANCES_AND_LOANS") == "Cash advance or loan"


@pytest.mark.parametrize(
    ("detailed", "primary", "label"),
    [
        ("FOOD_AND_DRINK_GROCERIES", "FOOD_AND_DRINK", "Groceries"),
        ("BANK_FEES_ATM_FEES", "BANK_FEES", "ATM fee"),
        ("LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", "TRANSFER_OUT", "Credit card payment"),
        ("TRAVEL_SPACE_SHIPS", "TRAVEL", "Space ships"),
        ("SPACE_TRAVEL_THE_MOON", "SPACE_TRAVEL_THE_MOON", "Space travel the moon"),
    ],
)
def test_a_detailed_category_reads_as_words_too(app, detailed, primary, label):
    with app.test_request_context():
        assert primary_of(detailed) == primary
        assert category_label(detailed) == label


def test_categories_are_sorted_by_what_people_read(app):
    """What fits nowhere else comes last, and unknown codes of rows are in the list."""
    with app.test_request_context():
        found = categories_with("TRAVEL_SPACE_SHIPS", "SPACE_TRAVEL", "INCOME_WAGES", None)
    labels = [group.label for group in found]
    assert labels == sorted(labels)
    assert set(labels) > {"Space travel", "Travel", "Food and drink"}
    detailed = {group.code: [each.label for each in group.detailed] for group in found}
    assert detailed["TRAVEL"] == [
        "Flights",
        "Lodging",
        "Rental cars",
        "Space ships",
        "Other travel",
    ]
    assert detailed["SPACE_TRAVEL"] == []
    assert len(detailed["INCOME"]) == len(TREE["INCOME"])


def test_transfers_are_recognized():
    assert is_transfer("TRANSFER_IN")
    assert is_transfer("TRANSFER_OUT")
    assert not is_transfer("INCOME")
    assert not is_transfer(None)
