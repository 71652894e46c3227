"""Commands about connections: list them, and have them synced."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from ..events import event
from ..extensions import db
from ..formats import bank_name
from ..jobs import queue
from ..jobs.pulls import item_requests
from ..store import Item, Pull
from ..store.base.writes import in_batches
from ..store.connections import everybody, item_states, items
from ..store.pulls import open_pulls, pulls
from . import arguments, output

POLL = 0.5
"""Seconds between two looks at what is under way."""
STATES = (
    *(item_states.GOOD, item_states.NEW_ACCOUNTS, item_states.EXPIRING, item_states.ERROR),
    *(item_states.LOGIN_REQUIRED, item_states.REVOKED, *item_states.ENDED),
)


@click.command("items")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--person", "name", metavar="NAME", help="Only those of this person.")
@output.as_json
@with_appcontext
def list_items(state: str | None, name: str | None, *, as_json: bool) -> None:
    """List the connections to banks (Items)."""
    event("operator", command="items")
    user_id = arguments.person(name).id if name is not None else None
    output.show_all(everybody.connections(state, user_id), as_json=as_json)


@click.command()
@click.argument("item_id", type=int, required=False, metavar="[ITEM]")
@click.option("--person", "name", metavar="NAME", help="Every connection of this person.")
@click.option("--all", "everyone", is_flag=True, help="Every connection.")
@click.option("--wait", is_flag=True, help="Wait for the end. Exit with 1 if one fails.")
@with_appcontext
def sync(item_id: int | None, name: str | None, *, everyone: bool, wait: bool) -> None:
    """Have a worker sync one connection, those of a person, or all.

    A connection that can't be synced, because the person has to log in first, is named. Exit with 1
    if there is one.
    """
    if sum((item_id is not None, name is not None, everyone)) != 1:
        raise click.UsageError("Name one of ITEM, --person NAME and --all.")
    event("operator", command="sync", item=item_id)
    pull_ids, left_out = _request(_chosen(item_id, name))
    click.echo(f"Requested: {len(pull_ids)}. Can't be synced: {left_out}.")
    failed = _wait(pull_ids) if wait else 0
    sys.exit(1 if left_out or failed else 0)


def _chosen(item_id: int | None, name: str | None) -> Sequence[Item]:
    if item_id is not None:
        return [arguments.item(item_id)]
    every = items.everyone()
    if name is None:
        return every
    user = arguments.person(name)
    return [item for item in every if item.user_id == user.id]


def _request(chosen: Sequence[Item]) -> tuple[list[int], int]:
    """Return the pulls that do it, and how many connections can't be synced."""
    pull_ids: list[int] = []
    syncable = [item for item in chosen if item.state not in item_states.NOT_SYNCED]
    for item in chosen:
        if item.state in item_states.NOT_SYNCED:
            click.echo(f"{named(item)} can't be synced: {item.state}", err=True)
    for batch in in_batches(syncable):
        new = [item_requests.sync(item, pulls.OPERATOR) for item in batch]
        db.session.flush()
        under_way = [open_pulls.syncing(item.id) for item in batch]
        pull_ids += [pull.id for pull in under_way if pull]
        queue.ring_all([pull for pull in new if pull])  # commits
        db.session.commit()
    return list(dict.fromkeys(pull_ids)), len(chosen) - len(syncable)


def _wait(pull_ids: Sequence[int]) -> int:
    """Wait until the pulls are over. Name those that have failed, and return how many have."""
    failed: list[Pull] = []
    with output.progress("Syncing", len(pull_ids)) as bar:
        for over in _over(pull_ids):
            failed += [pull for pull in over if pull.state == pulls.FAILED]
            bar.update(len(over))
    for pull in failed:
        for pull_item in pulls.by_id(pull.id).items:
            why = pull_item.error_message or pull.error_message or "it failed"
            click.echo(f"{named(pull_item.item)}: {output.one_line(why)}", err=True)
    return len(failed)


def _over(pull_ids: Sequence[int]) -> Iterator[list[Pull]]:
    """Yield pulls as they end."""
    left = set(pull_ids)
    while left:
        over = [pull for pull in _read(sorted(left)) if not pull.active]
        yield over
        left -= {pull.id for pull in over}
        if left:
            time.sleep(POLL)


def _read(pull_ids: Sequence[int]) -> Iterable[Pull]:
    for batch in in_batches(pull_ids):
        yield from db.session.scalars(select(Pull).where(Pull.id.in_(batch)))
    db.session.remove()


def named(item: Item) -> str:
    return f"Item {item.id} ({output.one_line(bank_name(item))})"
