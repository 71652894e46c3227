"""The form with the person's time zone."""

from collections.abc import Mapping, Sequence
from functools import cache

from flask_babel import gettext, lazy_gettext
from wtforms import Field, StringField, ValidationError

from plaidapp.forms import TextForm
from plaidapp.store.people import time_zones

from .access import person

Regions = Mapping[str, Sequence[tuple[str, str]]]
_OTHER_SIGN = str.maketrans("+-", "\N{MINUS SIGN}+")


class TimeZoneForm(TextForm):
    """Shows the person's own zone, also after another value was refused."""

    time_zone = StringField(lazy_gettext("Time zone"))

    @property
    def regions(self) -> Regions:
        return regions()

    def validate_time_zone(self, field: Field) -> None:
        if field.data not in time_zones.names():
            field.data = person().time_zone
            raise ValidationError(gettext("Choose one from the list."))


@cache
def regions() -> Regions:
    """Each zone's name and place by region: "Los Angeles" in "America". The region of a name
    without one, such as UTC, is empty and comes last. Etc/GMT+5 is five hours behind GMT, so it
    reads as "GMT−5"."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(time_zones.names(), key=lambda name: ("/" not in name, name)):
        region, slash, place = name.partition("/")
        label = (place if slash else name).replace("_", " ")
        if region == "Etc":
            label = label.translate(_OTHER_SIGN)
        found.setdefault(region if slash else "", []).append((name, label))
    return found
