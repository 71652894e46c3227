"""The clock's look for pulls that are due stays short, however many there are."""

import pytest
from sqlalchemy import event, text

from plaidapp.extensions import db
from plaidapp.store import Pull
from plaidapp.store.pulls import kinds, line, pulls


def add(owner, count, **values):
    for _ in range(count):
        db.session.add(Pull(user_id=owner, kind=kinds.TRANSACTIONS, **values))
    db.session.flush()


def executed(way):
    """Return the statements that `way` executes, with their parameters."""
    found = []

    def note(_connection, _cursor, statement, values, _context, _many):
        found.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        way()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return found


def nodes(plan):
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_line_is_numbered_once_even_if_postgresql_takes_it_to_be_short(owner):
    """Its statistics are of before a crowd of webhooks came."""
    add(owner, 30, asked_by=pulls.WEBHOOK, state=pulls.DONE)
    db.session.execute(text("ANALYZE pull"))
    add(owner, 30, asked_by=pulls.WEBHOOK)
    numbering = [each for each in executed(line.due) if "row_number" in each[0]]
    assert numbering
    for statement, values in numbering:
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        (plan,) = db.session.connection().exec_driver_sql(explain, values).scalar_one()
        numbered = [node for node in nodes(plan["Plan"]) if node["Node Type"] == "WindowAgg"]
        assert [node["Actual Loops"] for node in numbered] == [1]
