"""The days that *Get transaction data* and *Get total number of transactions* ask for."""

from datetime import date, timedelta
from typing import Any

from flask_babel import gettext, lazy_gettext
from wtforms import Field, ValidationError
from wtforms.validators import InputRequired

from plaidapp.bank.link_calls import DAYS_REQUESTED
from plaidapp.days import long_day, today
from plaidapp.forms import TextForm

from ..base.fields import Day, check_order


class RangeForm(TextForm):
    """The first and the last day, both included. Empty, it offers the last thirty days."""

    start_date = Day(
        lazy_gettext("From"), validators=[InputRequired(lazy_gettext("Choose a start date."))]
    )
    end_date = Day(
        lazy_gettext("To"), validators=[InputRequired(lazy_gettext("Choose an end date."))]
    )

    def __init__(self, first_transaction: date | None = None, **options: Any) -> None:
        """`first_transaction` is the date of the oldest row stored, if there is one."""
        month_ago = today() - timedelta(days=30)
        super().__init__(start_date=month_ago, end_date=today(), **options)
        self.first_transaction = first_transaction

    def validate_start_date(self, field: Field) -> None:
        earliest = today() - timedelta(days=DAYS_REQUESTED)
        if self.first_transaction:
            earliest = min(earliest, self.first_transaction)
        if field.data < earliest:
            raise ValidationError(
                gettext(
                    "Banks share at most two years of history. Choose %(day)s or later.",
                    day=long_day(earliest),
                )
            )

    def validate_end_date(self, field: Field) -> None:
        check_order(self)
        if self.first_transaction and field.data < self.first_transaction:
            first = long_day(self.first_transaction)
            raise ValidationError(
                gettext(
                    "Your first transaction is from %(day)s. Choose that day or later.", day=first
                )
            )
