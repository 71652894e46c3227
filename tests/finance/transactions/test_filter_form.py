"""The form of the explorer's filter: what it accepts, and the filter that it makes."""

from datetime import date
from decimal import Decimal

import pytest
from werkzeug.datastructures import MultiDict

from plaidapp.finance.transactions.filter_form import ExplorerForm


@pytest.fixture
def filled(app):
    """Fill in the form with the fields of an address."""
    with app.test_request_context():
        yield lambda **fields: ExplorerForm(MultiDict(fields))


def test_the_ends_of_a_range_may_be_equal(filled):
    form = filled(smallest="12.5", largest="12.50", start_date="2026-03-01", end_date="2026-03-01")
    assert form.validate(), form.errors
    wanted = form.filter_of(1)
    assert wanted.smallest == wanted.largest == Decimal("12.5")
    assert wanted.start == wanted.end == date(2026, 3, 1)


def test_the_ends_of_a_range_may_not_be_the_wrong_way_round(filled):
    form = filled(smallest="12.51", largest="12.5", start_date="2026-03-02", end_date="2026-03-01")
    assert not form.validate()
    assert form.errors.keys() == {"largest", "end_date"}


def test_the_first_counts_of_several_values_where_one_is_meant(filled):
    form = filled(start_date=["2026-03-01", "soon"], largest=["5", "-"], sort=["a-z", "up"])
    assert form.validate(), form.errors
    wanted = form.filter_of(1)
    assert (wanted.start, wanted.largest, wanted.sort) == (date(2026, 3, 1), Decimal(5), "name")
