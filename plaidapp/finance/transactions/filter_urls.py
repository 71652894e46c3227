"""The explorer's filter as an address. The same filter has the same address, as short as can be."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlencode

from babel.numbers import format_decimal
from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from plaidapp.days import long_day, today
from plaidapp.store import Account
from plaidapp.store.transactions.filters import Filter

from . import date_ranges
from .amounts import to_plain
from .category_labels import category_label
from .date_ranges import DateRange
from .filter_form import NO_CURRENCY, ExplorerForm

Query = dict[str, list[str]]
DAYS = ("start_date", "end_date")
AMOUNTS = ("smallest", "largest")


class Chip(NamedTuple):
    """One part of the filter in words, and the filter without it."""

    label: str
    without: Query


def query_of(form: ExplorerForm) -> Query:
    """The fields of a valid form that are not empty and not at their default."""
    data = form.data
    query = {
        "q": [data["q"].strip()] if (data["q"] or "").strip() else [],
        **{name: [data[name].isoformat()] if data[name] else [] for name in DAYS},
        **{name: list(data[name]) for name in ("account", "category", "currency")},
        **{name: [to_plain(data[name])] if data[name] is not None else [] for name in AMOUNTS},
        **{
            name: [data[name]] if data[name] != form[name].default else []
            for name in ("direction", "pending", "hidden", "scope", "sort")
        },
    }
    return {name: values for name, values in query.items() if values}


def address(query: Mapping[str, list[str]], endpoint: str = "finance.explorer", **ids: int) -> str:
    path = url_for(endpoint, **ids)  # type: ignore[arg-type]
    return f"{path}?{urlencode(query, doseq=True)}" if query else path


def filter_of(user_id: int, query: Query) -> Filter:
    """The filter of an address with these fields, which are valid."""
    form = ExplorerForm(MultiDict(query))
    form.validate()
    return form.filter_of(user_id)


def without(query: Query, *names: str) -> Query:
    return {name: values for name, values in query.items() if name not in names}


def presets(query: Query) -> list[tuple[str, str, bool]]:
    """Common ranges of dates: title, address, and whether the filter has it now."""
    current = {name: query[name] for name in DAYS if name in query}
    ranges = [(title, days_query(start, end)) for title, start, end in date_ranges.named(today())]
    return [
        (title, address(without(query, *DAYS) | days), days == current)
        for title, days in (*ranges, (_("All"), Query()))
    ]


def days_query(start: date, end: date) -> Query:
    return dict(zip(DAYS, ([str(start)], [str(end)]), strict=True))


def chips(form: ExplorerForm, query: Query, accounts: Mapping[int, Account]) -> Iterator[Chip]:
    """The parts of the filter, in the order of the form."""
    if "q" in query:
        yield Chip(_("“%(words)s”", words=query["q"][0]), without(query, "q"))
    if label := _days_label(form.start_date.data, form.end_date.data):
        yield Chip(label, without(query, *DAYS))
    for value in query.get("account", ()):
        yield Chip(account_label(accounts.get(int(value))), _without_value(query, "account", value))
    for value in query.get("category", ()):
        yield Chip(category_label(value), _without_value(query, "category", value))
    for value in query.get("currency", ()):
        label = _("No currency") if value == NO_CURRENCY else value
        yield Chip(label, _without_value(query, "currency", value))
    if "smallest" in query:
        label = _("At least %(amount)s", amount=_localized(query["smallest"][0]))
        yield Chip(label, without(query, "smallest"))
    if "largest" in query:
        label = _("At most %(amount)s", amount=_localized(query["largest"][0]))
        yield Chip(label, without(query, "largest"))
    for name in ("direction", "pending", "hidden", "scope"):
        if name in query:
            labels = {choice.value: str(choice.label) for choice in form[name].choices}
            yield Chip(labels[query[name][0]], without(query, name))


def _localized(amount: str) -> str:
    return format_decimal(Decimal(amount), locale=get_locale(), decimal_quantization=False)


def account_label(account: Account | None) -> str:
    if account is None:
        return str(_("Deleted account"))
    return f"{account.title} {account.mask or ''}".strip()


def _days_label(start: date | None, end: date | None) -> str | None:
    if start and end:
        return DateRange("", start, end).label
    if start:
        return str(_("From %(day)s", day=long_day(start)))
    return str(_("Through %(day)s", day=long_day(end))) if end else None


def _without_value(query: Query, name: str, value: str) -> Query:
    rest = [other for other in query[name] if other != value]
    return query | {name: rest} if rest else without(query, name)
