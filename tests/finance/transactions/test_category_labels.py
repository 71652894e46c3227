"""Every category of Plaid's has a label and an icon."""

import pytest

from plaidapp.finance.transactions.category_labels import (
    ICONS,
    LABELS,
    category_icon,
    category_label,
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


def test_transfers_are_recognized():
    assert is_transfer("TRANSFER_IN")
    assert is_transfer("TRANSFER_OUT")
    assert not is_transfer("INCOME")
    assert not is_transfer(None)
