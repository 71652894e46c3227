"""The sentences that pages say of a connection, one function for each standing.

Each returns a headline, which is enough for a short list, and what else there is to know.
"""

from collections.abc import Callable
from datetime import date, datetime

from flask_babel import gettext, ngettext
from markupsafe import Markup

from plaidapp import policy
from plaidapp.bank.error_sentences import LOGIN_REQUIRED
from plaidapp.days import (
    day_of,
    exact_moment,
    inline_day,
    inline_moment,
    month_day,
    since_moment,
    today,
)
from plaidapp.formats import bank_name, number
from plaidapp.sentences import sentence
from plaidapp.store import Item
from plaidapp.store.base.types import now
from plaidapp.store.transactions import monthly_totals

from . import standing as standings

Sentences = list[Markup]
MIGRATION = "INSTITUTION_MIGRATION"
"""Plaid's reason for a PENDING_DISCONNECT: the bank moves to another way of sharing data."""


def _login_required(item: Item) -> Sentences:
    headline = _say(gettext("%(bank)s needs you to log in."), bank=bank_name(item))
    why = item.error_code and item.error_code != LOGIN_REQUIRED and _error(item)
    return [headline, why or Markup(), _nothing_since(item)]


def _revoked(item: Item) -> Sentences:
    return [
        _say(gettext("%(bank)s no longer shares data: you revoked access."), bank=bank_name(item)),
        _say(gettext("Your stored data stays here. Log in again to continue.")),
    ]


def _ended(item: Item) -> Sentences:
    headline = _say(gettext("%(bank)s is no longer connected."), bank=bank_name(item))
    return [headline, _error(item), _nothing_since(item)]


def _no_accounts(item: Item) -> Sentences:
    headline = _say(gettext("%(bank)s needs you to choose accounts."), bank=bank_name(item))
    return [headline, _error(item), _nothing_since(item)]


def _expiring(item: Item) -> Sentences:
    bank, until = bank_name(item), item.consent_expires_at
    if item.expiry_reason == MIGRATION:
        headline = _say(gettext("%(bank)s is changing how it shares data."), bank=bank)
    elif until:
        ends = gettext("%(bank)s stops sharing data on %(day)s.")
        return [_say(ends, bank=bank, day=_day(until, month_day)), _keep()]
    else:
        headline = _say(gettext("%(bank)s stops sharing data soon."), bank=bank)
    if until:
        by = gettext("Log in again by %(day)s to keep the connection.")
        return [headline, _say(by, day=_day(until, month_day))]
    return [headline, _keep()]


def _keep() -> Markup:
    return _say(gettext("Log in again to keep the connection."))


def _new_accounts(item: Item) -> Sentences:
    return [
        _say(gettext("%(bank)s has new accounts to share."), bank=bank_name(item)),
        _last_updated(item),
    ]


def _cannot_be_updated(item: Item) -> Sentences:
    headline = _say(gettext("%(bank)s can’t be updated."), bank=bank_name(item))
    return [headline, _error(item), _nothing_since(item)]


def _operator(item: Item) -> Sentences:
    headline, *rest = _cannot_be_updated(item)
    return [headline, rest[0], _again(), *rest[1:]]


def _rate_limited(item: Item) -> Sentences:
    if item.failing_until and is_ahead(item.failing_until):
        until = _time(item.failing_until, since_moment)
        headline = _say(gettext("Plaid is limiting requests until %(when)s."), when=until)
    else:
        headline = _say(gettext("Plaid is limiting requests right now."))
    return [headline, _again(), _last_updated(item)]


def _failing(item: Item) -> Sentences:
    return [Markup.escape(sentence(item.failing_message)), _again(), _last_updated(item)]


def _connecting(_item: Item) -> Sentences:
    return [_say(gettext("Connected. Your transactions are on their way."))]


def _importing(item: Item) -> Sentences:
    rows = monthly_totals.count(item.user_id, item.id).shown if item.synced_at else 0
    headline = _say(gettext("Importing."))
    if rows:
        text = ngettext(
            "Importing: %(count)s transaction so far.",
            "Importing: %(count)s transactions so far.",
            rows,
            count=number(rows),
        )
        headline = _say(text)
    since = _time(item.preparing_since or item.created_at, since_moment)
    return [headline, _say(gettext("Still preparing since %(when)s."), when=since)]


def _silent(item: Item) -> Sentences:
    since = _day(item.bank_updated_at or item.created_at, inline_day)
    headline = gettext("%(bank)s has been silent since %(day)s.")
    return [_say(headline, bank=bank_name(item), day=since), _last_updated(item)]


def _outdated(item: Item) -> Sentences:
    return [_say(gettext("Not up to date.")), _last_updated(item)]


def _without_rows(item: Item) -> Sentences:
    only = gettext("This bank provides balances, but no transactions.")
    return [_say(only), _last_updated(item)]


def _updating(item: Item) -> Sentences:
    return [_say(gettext("Updating.")), _last_updated(item)]


def _current(item: Item) -> Sentences:
    """When the bank last delivered data, and since when it has had nothing new, are two things."""
    delivered = quiet = Markup()
    if item.bank_updated_at:
        when = _time(item.bank_updated_at, inline_moment)
        delivered = _say(gettext("The bank last delivered data %(when)s."), when=when)
    if item.changed_at and item.changed_at < now() - policy.QUIET_AFTER:
        quiet = _nothing_new(item.changed_at)
    return [_say(gettext("Up to date.")), _last_updated(item), delivered, quiet]


def _disconnecting(item: Item) -> Sentences:
    headline = _say(gettext("%(bank)s is being disconnected."), bank=bank_name(item))
    if item.deletes_history:
        return [headline, _say(gettext("Its history is being deleted."))]
    return [headline, _say(gettext("Plaid has not confirmed it yet.")), _again()]


def _disconnected(item: Item) -> Sentences:
    day = _day(item.disconnected_at or item.created_at, inline_day)
    return [
        _say(gettext("Disconnected %(day)s."), day=day),
        _say(gettext("Its history stays here and can’t be changed.")),
    ]


def _replaced(_item: Item) -> Sentences:
    return [
        _say(gettext("You connected this bank again.")),
        _say(gettext("Its accounts and transactions are in the newer connection.")),
    ]


def _say(text: str, **values: str) -> Markup:
    """Fill in the values. Markup in them stays, anything else is escaped."""
    return Markup(text) % values if values else Markup(text)  # noqa: S704


def _error(item: Item) -> Markup:
    return Markup.escape(sentence(item.error_message))


def _again() -> Markup:
    return _say(gettext("Trying again automatically."))


def _last_updated(item: Item) -> Markup:
    if item.synced_at is None:
        return Markup()
    when = _time(item.synced_at, inline_moment)
    return _say(gettext("Last updated %(when)s."), when=when)


def _nothing_since(item: Item) -> Markup:
    return _nothing_new(item.synced_at) if item.synced_at else Markup()


def _nothing_new(since: datetime) -> Markup:
    is_today = day_of(since) == today()
    when = _time(since, since_moment) if is_today else _day(since, inline_day)
    return _say(gettext("Nothing new since %(when)s."), when=when)


def is_ahead(moment: datetime | None) -> bool:
    return moment is not None and moment > now()


def _day(moment: datetime, reads: Callable[[date], str]) -> Markup:
    return _element(moment, reads(day_of(moment)))


def _time(moment: datetime, reads: Callable[[datetime], str]) -> Markup:
    return _element(moment, reads(moment))


def _element(moment: datetime, text: str) -> Markup:
    """A time that is exact on hover, as the macro `time_of` writes it."""
    element = Markup('<time datetime="{}" title="{}">{}</time>')
    return element.format(moment.isoformat(), exact_moment(moment), text)


SENTENCES: dict[str, Callable[[Item], Sentences]] = {
    standings.LOGIN_REQUIRED: _login_required,
    standings.REVOKED: _revoked,
    standings.ENDED: _ended,
    standings.NO_ACCOUNTS: _no_accounts,
    standings.EXPIRING: _expiring,
    standings.NEW_ACCOUNTS: _new_accounts,
    standings.ERROR: _cannot_be_updated,
    standings.OPERATOR: _operator,
    standings.NOT_SUPPORTED: _cannot_be_updated,
    standings.RATE_LIMITED: _rate_limited,
    standings.BANK_DOWN: _failing,
    standings.FAILING: _failing,
    standings.CONNECTING: _connecting,
    standings.IMPORTING: _importing,
    standings.SILENT: _silent,
    standings.OUTDATED: _outdated,
    standings.WITHOUT_ROWS: _without_rows,
    standings.UPDATING: _updating,
    standings.CURRENT: _current,
    standings.DISCONNECTING: _disconnecting,
    standings.DISCONNECTED: _disconnected,
    standings.REPLACED: _replaced,
}
