"""Why a connection has nothing new: one plain conclusion, and the facts that it follows from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from plaidapp import policy
from plaidapp.days import inline_moment
from plaidapp.store import Item, PullItem, Webhook
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, sync_progress
from plaidapp.store.pulls import pulls


@dataclass(frozen=True)
class Facts:
    """`pending` are the pulls at this connection that are running or waiting."""

    item: Item
    pending: Sequence[PullItem]
    webhook: Webhook | None

    @property
    def next_look(self) -> datetime | None:
        """When the next sync is planned; None if none is, and now if one is due."""
        due = sync_progress.due_at(self.item)
        return max(due, now()) if due else None

    @property
    def conclusion(self) -> str:
        return _of_connection(self.item, self.pending) or _of_bank(self.item)


def facts(item: Item, history: Sequence[PullItem], webhooks: Sequence[Webhook]) -> Facts:
    """`history` and `webhooks` are the connection's latest, newest first."""
    pending = [part for part in history if part.pull.active]
    return Facts(item, pending, webhooks[0] if webhooks else None)


def _of_connection(item: Item, pending: Sequence[PullItem]) -> str | None:
    """What is the matter with the connection itself, if anything is."""
    if item.state in (*item_states.NOT_SYNCED, item_states.ERROR):
        return _("Nothing new can arrive while the connection doesn't work.")
    if any(part.pull.state == pulls.RUNNING and part.pull.facts.syncs for part in pending):
        return _("A sync is running now.")
    if item.failing_since:
        since = inline_moment(item.failing_since)
        return _("Syncs have failed since %(since)s. They are tried again.", since=since)
    if item.sync_refusal:
        return _("This bank provides no transactions.")
    if item.synced_at is None:
        return _("The bank has not answered for the first time yet.")
    if item.preparing_since:
        since = inline_moment(item.preparing_since)
        return _("The bank has been preparing its history since %(since)s.", since=since)
    return None


def _of_bank(item: Item) -> str:
    """What Plaid has had from the bank. `item` has been synced."""
    synced = item.synced_at or item.created_at
    asked = inline_moment(synced)
    if item.refreshed_at and item.refreshed_at > synced:
        when = inline_moment(item.refreshed_at)
        return _("Plaid was asked to look at the bank %(when)s. A sync follows.", when=when)
    got, failed = item.bank_updated_at, item.bank_failed_at
    if failed and got and failed > got:
        return _(
            "Plaid has had nothing from the bank since %(got)s; its last try, %(failed)s, failed.",
            got=inline_moment(got),
            failed=inline_moment(failed),
        )
    if got and got < now() - policy.CURRENT_FOR:
        return _(
            "The bank has delivered nothing to Plaid since %(got)s; we asked %(asked)s.",
            got=inline_moment(got),
            asked=asked,
        )
    if item.changed_at and item.changed_at >= synced - policy.UNFINISHED_INTERVAL:
        return _("The last sync, %(asked)s, brought something new.", asked=asked)
    if item.changed_at is None:
        return _("The bank has sent no transactions so far; we asked %(asked)s.", asked=asked)
    return _(
        "The bank has had nothing new since %(changed)s; we asked %(asked)s.",
        changed=inline_moment(item.changed_at),
        asked=asked,
    )
