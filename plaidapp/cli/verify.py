"""Compare what is stored with the bank."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import click
from flask.cli import with_appcontext

from ..bank.errors import BankError
from ..events import event
from ..extensions import db
from ..formats import bank_name
from ..jobs import run as jobs
from ..jobs.transactions import bank_comparison
from ..store import Item, SetAside
from ..store.connections import items
from ..store.pulls import kinds, pulls
from ..store.transactions import set_aside
from . import output
from .items import named

Tell = Callable[[str], None]


@click.command()
@click.argument("item_id", type=int, required=False, metavar="[ITEM]")
@click.option("--repair", is_flag=True, help="Read again from the beginning what differs.")
@output.as_json
@with_appcontext
def verify(item_id: int | None, *, repair: bool, as_json: bool) -> None:
    """Compare what is stored with the bank, row by row. Exit with 1 if anything differs.

    Also check the daily balances and monthly totals that are computed from the rows. Rows that
    can't be stored are listed; they are no difference.
    """
    event("operator", command="verify --repair" if repair else "verify", item=item_id)
    chosen = [item for item in items.everyone() if item_id in (None, item.id)]
    db.session.commit()  # asking the banks takes a while, so no transaction stays open
    if item_id is not None and not chosen:
        raise click.BadParameter(f"There is no Item {item_id}.", param_hint="ITEM")
    results = []
    with output.progress("Comparing", len(chosen), hidden=not as_json) as bar:
        for item in chosen:
            results.append(_verify(item, repair=repair, tell=_quiet if as_json else _teller(item)))
            bar.update(1)
    if as_json:
        output.show_document(results)
    sys.exit(0 if all(result["exact"] for result in results) else 1)


def _verify(item: Item, *, repair: bool, tell: Tell) -> Mapping[str, Any]:
    """Tell of each difference that there is in the end, and return all of them."""
    found = {"id": item.id, "bank": bank_name(item), "exact": False, "error": None}
    try:
        differences = bank_comparison.find(item)
        if differences and repair:
            tell(f"{len(differences)} differences, reading it again")
            _repair(item)
            differences = bank_comparison.find(item)
    except BankError as error:
        tell(f"can’t be compared: {error.message} ({error.code})")
        return found | {"error": error.code, "differences": [], "set_aside": []}
    rows = [_described(row) for row in set_aside.of_item(item.id)]
    db.session.commit()
    for difference in differences:
        tell(str(difference))
    for row in rows:
        tell(row)
    count = f"{len(differences)} differences" if differences else "exact"
    tell(f"{count}, {len(rows)} set aside" if rows else count)
    listed = {"differences": list(map(str, differences)), "set_aside": rows}
    return found | {"exact": not differences} | listed


def _described(row: SetAside) -> str:
    what = f"{'a part of ' if row.is_part else ''}{row.kind} {row.plaid_id or 'without an id'}"
    return f"{what} is set aside: {' '.join(row.reason.splitlines())}"


def _repair(item: Item) -> None:
    """Repair in a pull, so that it is in the Item's history, but run it in this process."""
    pull = pulls.add(item.user_id, kinds.REPAIR, items=[item], asked_by=pulls.OPERATOR)
    db.session.commit()
    jobs.run(pull.id)
    db.session.expire_all()  # the job wrote past the accounts that the comparison had loaded


def _teller(item: Item) -> Tell:
    return lambda text: click.echo(f"{named(item)}: {output.one_line(text)}")


def _quiet(_text: str) -> None:
    """With --json, everything is in the document."""
