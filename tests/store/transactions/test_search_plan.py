"""The query plan of a search: a slow plan would go unnoticed otherwise."""

from sqlalchemy import select, text

from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.transactions import search
from plaidapp.store.transactions.filters import Filter


def test_the_search_index_is_read_once_and_not_for_each_row(owner, item, save, transaction):
    """Even in a table that has just been filled, for which PostgreSQL has no statistics yet."""
    if db.engine.dialect.name == "sqlite":
        computed_once = "LIST SUBQUERY"
        explain = "EXPLAIN QUERY PLAN "
    else:
        computed_once = "InitPlan"
        explain = "EXPLAIN "
    save(item, *(transaction(f"t{number}") for number in range(20)))
    query = select(Transaction.id).where(*Filter(owner, search=search.words("coffee")).conditions())
    compiled = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    plan = "\n".join(
        map(str, db.session.execute(text(explain + str(compiled).replace(":", r"\:"))))
    )
    assert computed_once in plan
