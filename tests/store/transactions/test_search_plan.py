"""How the search is carried out, where a slow way would go unnoticed."""

from sqlalchemy import select, text

from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.transactions.filters import Filter


def test_the_words_are_looked_for_once_and_not_for_each_row(owner, item, save, transaction):
    """Also in a table that has just been filled, of which PostgreSQL knows nothing yet."""
    if db.engine.dialect.name == "sqlite":
        looked = "LIST SUBQUERY"  # SQLite's word for what is worked out once
        explain = "EXPLAIN QUERY PLAN "
    else:
        looked = "InitPlan"
        explain = "EXPLAIN "
    save(item, *(transaction(f"t{number}") for number in range(20)))
    query = select(Transaction.id).where(*Filter(owner, search="coffee").conditions())
    compiled = query.compile(db.engine, compile_kwargs={"literal_binds": True})
    plan = "\n".join(
        map(str, db.session.execute(text(explain + str(compiled).replace(":", r"\:"))))
    )
    assert looked in plan
