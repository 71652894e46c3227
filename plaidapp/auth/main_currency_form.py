"""The form with the currency that the overview begins with."""

from collections.abc import Sequence
from functools import cached_property

from flask_babel import gettext, lazy_gettext
from wtforms import Field, StringField, ValidationError

from plaidapp.forms import TextForm
from plaidapp.store.connections import accounts

from .access import person


class MainCurrencyForm(TextForm):
    """Shows the person's own choice, also after another value was refused. Empty is no choice."""

    main_currency = StringField(lazy_gettext("Main currency"))

    @cached_property
    def currencies(self) -> Sequence[str]:
        """Those of the person's accounts."""
        return accounts.currencies(person().id)

    @property
    def is_needed(self) -> bool:
        """Is there anything to choose? A choice is shown as long as it holds."""
        return len(self.currencies) > 1 or person().main_currency is not None

    def validate_main_currency(self, field: Field) -> None:
        if field.data and field.data not in self.currencies:
            field.data = person().main_currency
            raise ValidationError(gettext("Choose one from the list."))
