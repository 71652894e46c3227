"""The pages of the app, and what a person can have done from anywhere."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from flask import url_for
from flask_babel import gettext as _

from plaidapp.days import today
from plaidapp.formats import bank_name
from plaidapp.store import Item
from plaidapp.store.connections import item_states

from ..transactions import date_ranges, filter_urls
from ..transactions.date_ranges import DateRange
from .matching import Match, Matching
from .result import Result


class Place(NamedTuple):
    """`also` are words by which it is found too."""

    title: str
    url: str
    icon: str
    also: str = ""
    acts: bool = False
    is_file: bool = False

    def result(self, match: Match) -> Result:
        title, url, icon, _also, acts, is_file = self
        return Result(match, title, url, icon, acts=acts, is_file=is_file)


def matched(places: Iterable[Place], matching: Matching) -> Iterator[Result]:
    for place in places:
        if (found := matching([place.title, f"{place.title} {place.also}"])) is not None:
            yield place.result(found)


def pages() -> list[Place]:
    """The pages that have no other name, such as that of an account."""
    return [
        Place(_("Overview"), url_for("finance.dashboard"), "chart-line", _("home net worth")),
        Place(
            _("Transactions"), url_for("finance.explorer"), "arrow-left-right", _("rows payments")
        ),
        Place(
            _("Spending"),
            url_for("finance.spending"),
            "chart-pie",
            _("budget categories months compare income savings"),
        ),
        Place(
            _("Recurring"),
            url_for("finance.recurring"),
            "repeat",
            _("subscriptions bills upcoming due income"),
        ),
        Place(
            _("Calendar"),
            url_for("finance.recurring_calendar"),
            "calendar",
            _("upcoming bills due iCal feed subscribe"),
        ),
        Place(_("Connections"), url_for("finance.connections"), "landmark", _("banks")),
        Place(
            _("Your accounts"),
            url_for("finance.arrange_accounts"),
            "wallet",
            _("arrange rename hide accounts"),
        ),
        Place(
            _("Your account"),
            url_for("auth.account"),
            "circle-user",
            _(
                "settings profile password email passkeys devices two-factor 2FA security time zone"
                " appearance dark mode delete everything"
            ),
        ),
    ]


def actions(items: Sequence[Item], dates: DateRange | None = None) -> Iterator[Place]:
    """What can be done, for a person with these connections who typed these dates."""
    synced = [item for item in items if item.state not in item_states.NOT_SYNCED]
    if synced:
        title = _("Sync everything")
        also = _("refresh update")
        yield Place(title, url_for("finance.sync_everything"), "refresh-cw", also, acts=True)
    connect = url_for("finance.connections", _anchor="connect")
    yield Place(_("Connect a bank"), connect, "plus", _("add new account"))
    for item in synced:
        title = _("Sync %(bank)s", bank=bank_name(item))
        yield Place(title, url_for("finance.sync_item", item_id=item.id), "refresh-cw", acts=True)
    yield from _exports(dates)
    yield Place(_("Change your password"), url_for("auth.account", _anchor="password"), "pencil")
    yield Place(_("Download everything"), url_for("auth.account", _anchor="download"), "download")
    for item in items:
        if item.state not in item_states.ENDED:
            title = _("Disconnect %(bank)s", bank=bank_name(item))
            yield Place(
                title, url_for("finance.disconnect_page", item_id=item.id), "x", _("remove")
            )
    yield Place(_("Log out"), url_for("auth.logout"), "log-out", _("sign out"), acts=True)


def _exports(dates: DateRange | None) -> Iterator[Place]:
    ranges = date_ranges.named(today())
    for each in ranges:
        title = each.title[:1].lower() + each.title[1:]
        yield _export_of(each, _("Export %(dates)s", dates=title))
    if dates and dates not in ranges:
        yield _export_of(dates, _("Export %(dates)s", dates=dates.title))
    yield _export(_("Export all transactions"), {})


def _export_of(dates: DateRange, title: str) -> Place:
    also = _("taxes spreadsheet CSV") if dates.is_past_year(today()) else ""
    return _export(title, filter_urls.days_query(dates.start, dates.end), also)


def _export(title: str, query: filter_urls.Query, also: str = "") -> Place:
    url = filter_urls.address(query, "finance.export_csv")
    return Place(title, url, "download", also or _("spreadsheet CSV"), is_file=True)
