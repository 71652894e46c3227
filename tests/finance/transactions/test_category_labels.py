"""Every category of Plaid's has a name that a person would use, and a picture."""

import pytest

from plaidapp.finance.transactions.category_labels import (
    ICONS,
    LABELS,
    category_icon,
    category_label,
    is_transfer,
)
from plaidapp.store.transactions.categories import PRIMARY


def test_all_of_plaids_are_there_and_no_others():
    assert set(LABELS) == set(ICONS) == set(PRIMARY)


def test_no_two_look_or_read_the_same(app):
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


def test_what_is_not_known_has_a_picture_all_the_same():
    assert category_icon("SPACE_TRAVEL") == category_icon(None) == ICONS["OTHER"]


def test_money_between_ones_own_accounts_is_told_from_the_rest():
    assert is_transfer("TRANSFER_IN")
    assert is_transfer("TRANSFER_OUT")
    assert not is_transfer("INCOME")
    assert not is_transfer(None)
