"""Search any part of a word: columns for the pairs of characters, and SQLite's index of them.

The rows that are stored already are filled in by store/transactions/search_backfill.py. The next
release may drop `words` and `note_words`, which only the code before this one uses.

Revision ID: 0009
Revises: 0008

"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The index has a row's text only while `pairs` is filled in. `content=''` does not store it again,
# `detail=none` and `columnsize=0` keep the index small: a search only asks whether a pair occurs.
# The ASCII tokenizer treats every character beyond ASCII as part of a pair. The owner's id goes in
# front of each pair: see store/transactions/search.py.
SEARCH_TABLE = """
CREATE VIRTUAL TABLE transaction_search USING fts5(
  pairs, content='', tokenize='ascii', detail='none', columnsize=0
)
"""
PAIRS = """
replace(coalesce({row}.pairs, '') || coalesce({row}.note_pairs, ''), ' ', ' ' || {row}.user_id || 'u')
"""
ADD = f"INSERT INTO transaction_search (rowid, pairs) VALUES (new.id, {PAIRS.format(row='new')});"
DELETE = f"""
INSERT INTO transaction_search (transaction_search, rowid, pairs)
VALUES ('delete', old.id, {PAIRS.format(row="old")});
"""
CHANGED = "(old.pairs IS NOT new.pairs OR old.note_pairs IS NOT new.note_pairs)"
TRIGGERS = {
    "transaction_search_insert": f"""
AFTER INSERT ON "transaction" WHEN new.pairs IS NOT NULL BEGIN {ADD} END
""",
    "transaction_search_delete": f"""
AFTER DELETE ON "transaction" WHEN old.pairs IS NOT NULL BEGIN {DELETE} END
""",
    "transaction_search_before_update": f"""
BEFORE UPDATE OF pairs, note_pairs ON "transaction"
WHEN old.pairs IS NOT NULL AND {CHANGED} BEGIN {DELETE} END
""",
    "transaction_search_after_update": f"""
AFTER UPDATE OF pairs, note_pairs ON "transaction"
WHEN new.pairs IS NOT NULL AND {CHANGED} BEGIN {ADD} END
""",
}

# As in 0001_initial.
FORMER_TABLE = """
CREATE VIRTUAL TABLE transaction_search USING fts5(
  words, note_words, content='transaction', content_rowid='id',
  tokenize='ascii', detail='none', columnsize=0
)
"""
FORMER_ADD = """
INSERT INTO transaction_search (rowid, words, note_words)
VALUES (new.id, new.words, new.note_words);
"""
FORMER_DELETE = """
INSERT INTO transaction_search (transaction_search, rowid, words, note_words)
VALUES ('delete', old.id, old.words, old.note_words);
"""
FORMER_TRIGGERS = {
    "transaction_search_insert": f"""
AFTER INSERT ON "transaction" BEGIN {FORMER_ADD} END
""",
    "transaction_search_delete": f"""
AFTER DELETE ON "transaction" BEGIN {FORMER_DELETE} END
""",
    "transaction_search_update": f"""
AFTER UPDATE OF words, note_words ON "transaction"
WHEN old.words <> new.words OR old.note_words <> new.note_words
BEGIN {FORMER_DELETE} {FORMER_ADD} END
""",
}


def upgrade():
    for table, name in (("transaction", "pairs"), *NOTES):
        op.add_column(table, sa.Column(name, sa.Text(), nullable=True))
    with op.batch_alter_table("edit_row") as batch:
        batch.alter_column("note_words", existing_type=sa.Text(), server_default="")
    op.execute("ALTER TABLE former_row RENAME COLUMN note_words TO note_pairs")
    if is_sqlite():
        replace_index(FORMER_TRIGGERS, SEARCH_TABLE, TRIGGERS)


def downgrade():
    if is_sqlite():
        replace_index(TRIGGERS, FORMER_TABLE, FORMER_TRIGGERS)
        op.execute("INSERT INTO transaction_search (transaction_search) VALUES ('rebuild')")
    op.execute("ALTER TABLE former_row RENAME COLUMN note_pairs TO note_words")
    with op.batch_alter_table("edit_row") as batch:
        batch.alter_column("note_words", existing_type=sa.Text(), server_default=None)
    for table, name in (*reversed(NOTES), ("transaction", "pairs")):
        op.drop_column(table, name)


NOTES = (("transaction", "note_pairs"), ("edit_row", "note_pairs"))


def replace_index(former_triggers, table, triggers):
    for name in former_triggers:
        op.execute(f"DROP TRIGGER {name}")
    op.execute("DROP TABLE transaction_search")
    op.execute(table)
    for name, body in triggers.items():
        op.execute(f"CREATE TRIGGER {name} {body}")


def is_sqlite():
    return op.get_bind().dialect.name == "sqlite"
