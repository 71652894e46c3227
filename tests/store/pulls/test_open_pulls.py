"""A webhook's look for a pull that is under way stays short, however many pulls wait."""

import pytest
from sqlalchemy import text

from plaidapp.extensions import db
from plaidapp.store.connections import items
from plaidapp.store.pulls import kinds, open_pulls, pulls

from .test_line import executed, nodes


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_only_the_pulls_of_the_item_are_read_even_if_postgresql_takes_few_to_wait(owner):
    """Its statistics are of before a crowd of webhooks came."""
    connected = [
        items.add(user_id=owner, plaid_item_id=f"item-{number}", access_token=b"")
        for number in range(100)
    ]
    for _ in range(3):
        pulls.add_each(kinds.TRANSACTIONS, connected, pulls.WEBHOOK)
    db.session.execute(text("UPDATE pull SET state = 'done'"))
    db.session.execute(text("ANALYZE pull, pull_item"))
    pulls.add_each(kinds.TRANSACTIONS, connected, pulls.WEBHOOK)
    ((statement, values),) = executed(lambda: open_pulls.syncing(connected[-1].id))
    explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
    (plan,) = db.session.connection().exec_driver_sql(explain, values).scalar_one()
    read = [node["Actual Rows"] * node["Actual Loops"] for node in nodes(plan["Plan"])]
    assert max(read) < len(connected)
