"""Why a connection has nothing new: one plain conclusion, and the facts that it follows from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from plaidapp import policy
from plaidapp.days import inline_moment, since_moment
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
    def has_ended(self) -> bool:
        return self.item.state in item_states.ENDED

    @property
    def is_new(self) -> bool:
        """Something new has just arrived, so nothing has to be explained."""
        return not _of_connection(self.item, self.pending) and _has_just_changed(self.item)

    @property
    def conclusion(self) -> str:
        return _of_connection(self.item, self.pending) or _of_bank(self.item)


def facts(item: Item, history: Sequence[PullItem], webhooks: Sequence[Webhook]) -> Facts:
    """`history` and `webhooks` are the connection's latest, newest first."""
    pending = [part for part in history if part.pull.active]
    return Facts(item, pending, webhooks[0] if webhooks else None)


def _of_connection(item: Item, pending: Sequence[PullItem]) -> str | None:
    """What is the matter with the connection itself, if anything is."""
    if item.state in item_states.ENDED:
        return _("This connection has ended, so nothing new arrives.")
    if item.state in (*item_states.NOT_SYNCED, item_states.ERROR):
        return _("Nothing new can arrive while the connection isn’t working.")
    if any(part.pull.state == pulls.RUNNING and part.pull.facts.syncs for part in pending):
        return _("A sync is running now.")
    if item.failing_since:
        since = since_moment(item.failing_since)
        return _(
            "Syncs have failed since %(since)s. They are tried again automatically.", since=since
        )
    if item.sync_refusal:
        return _("This bank provides no transactions.")
    if item.synced_at is None:
        return _("The bank has not answered for the first time yet.")
    if item.preparing_since:
        since = since_moment(item.preparing_since)
        return _("The bank has been preparing its history since %(since)s.", since=since)
    return None


def _has_just_changed(item: Item) -> bool:
    changed, synced = item.changed_at, item.synced_at
    return bool(changed and synced and changed >= synced - policy.UNFINISHED_INTERVAL)


def _of_bank(item: Item) -> str:
    """What Plaid has had from the bank. `item` has been synced."""
    synced = item.synced_at or item.created_at
    asked = inline_moment(synced)
    if item.refreshed_at and item.refreshed_at > synced:
        when = inline_moment(item.refreshed_at)
        return _("Plaid was asked to check the bank %(when)s. A sync follows.", when=when)
    got, failed = item.bank_updated_at, item.bank_failed_at
    if failed and got and failed > got:
        return _(
            "Plaid has had nothing from the bank since %(got)s; its last try, %(failed)s, failed.",
            got=since_moment(got),
            failed=inline_moment(failed),
        )
    if got and got < now() - policy.CURRENT_FOR:
        return _(
            "The bank has delivered nothing to Plaid since %(got)s; last checked %(asked)s.",
            got=since_moment(got),
            asked=asked,
        )
    if _has_just_changed(item):
        return _("Something new arrived %(when)s.", when=inline_moment(item.changed_at or synced))
    if item.changed_at is None:
        return _("The bank has sent no transactions so far; last checked %(asked)s.", asked=asked)
    return _(
        "The bank has had nothing new since %(changed)s; last checked %(asked)s.",
        changed=since_moment(item.changed_at),
        asked=asked,
    )
