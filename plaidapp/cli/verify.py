"""Compare what is stored with the bank."""

import sys

import click
from flask.cli import with_appcontext

from ..bank.errors import BankError
from ..events import event
from ..extensions import db
from ..formats import bank_name
from ..jobs import run as jobs
from ..jobs.transactions import bank_comparison
from ..store import Item
from ..store.connections import items
from ..store.pulls import kinds, pulls
from ..store.transactions import set_aside


@click.command()
@click.argument("item_id", type=int, required=False, metavar="[ITEM]")
@click.option("--repair", is_flag=True, help="Read again from the beginning what differs.")
@with_appcontext
def verify(item_id: int | None, repair: bool) -> None:
    """Compare what is stored with the bank, row by row. Exit with 1 if anything differs.

    Also check the daily balances and monthly totals that are computed from the rows. Rows that
    can't be stored are listed; they are no difference.
    """
    event("operator", command="verify --repair" if repair else "verify", item=item_id)
    chosen = [item for item in items.everyone() if item_id in (None, item.id)]
    db.session.commit()  # asking the banks takes a while, so no transaction stays open
    if item_id is not None and not chosen:
        raise click.BadParameter(f"There is no Item {item_id}.", param_hint="ITEM")
    exact = [_verify(item, repair=repair) for item in chosen]
    sys.exit(0 if all(exact) else 1)


def _verify(item: Item, *, repair: bool) -> bool:
    """Return True if there is no difference in the end."""
    try:
        differences = bank_comparison.find(item)
        if differences and repair:
            _print(item, f"{len(differences)} differences, reading it again")
            _repair(item)
            differences = bank_comparison.find(item)
    except BankError as error:
        _print(item, f"can’t be compared: {error.message} ({error.code})")
        return False
    for difference in differences:
        _print(item, str(difference))
    rows = set_aside.of_item(item.id)
    db.session.commit()
    for row in rows:
        what = f"{'a part of ' if row.is_part else ''}{row.kind} {row.plaid_id or 'without an id'}"
        _print(item, f"{what} is set aside: {' '.join(row.reason.splitlines())}")
    found = f"{len(differences)} differences" if differences else "exact"
    _print(item, f"{found}, {len(rows)} set aside" if rows else found)
    return not differences


def _repair(item: Item) -> None:
    """Repair in a pull, so that it is in the Item's history, but run it in this process."""
    pull = pulls.add(item.user_id, kinds.REPAIR, items=[item], asked_by=pulls.OPERATOR)
    db.session.commit()
    jobs.run(pull.id)
    db.session.expire_all()  # the job wrote past the accounts that the comparison had loaded


def _print(item: Item, text: str) -> None:
    click.echo(f"Item {item.id} ({bank_name(item)}): {text}")
