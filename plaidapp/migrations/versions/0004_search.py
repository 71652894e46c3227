"""search and order

Rows that were stored before get their words and their place in the orders here, by the functions
that store/words.py had when this was written.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-22 17:50:00.000000

"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SHOWN = sa.text("removed_at IS NULL")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BY_SIZE = ("ix_transaction_by_size", ["user_id", "size", "id"])
BY_TITLE = ("ix_transaction_by_title", ["user_id", "title_key", "id"])
AT_ONCE = 5000

# `detail=none` and no column sizes: words are looked for, not their places. Every letter beyond
# ASCII is part of a word, as in store/words.py.
SQLITE_INDEX = """
CREATE VIRTUAL TABLE transaction_search USING fts5(
  words, note_words, content='transaction', content_rowid='id',
  tokenize='ascii', detail='none', columnsize=0
)
"""
ADD = "INSERT INTO transaction_search (rowid, words, note_words) VALUES (new.id, new.words, new.note_words);"
FORGET = """
INSERT INTO transaction_search (transaction_search, rowid, words, note_words)
VALUES ('delete', old.id, old.words, old.note_words);
"""
SQLITE_TRIGGERS = {
    "transaction_search_insert": f'AFTER INSERT ON "transaction" BEGIN {ADD} END',
    "transaction_search_delete": f'AFTER DELETE ON "transaction" BEGIN {FORGET} END',
    "transaction_search_update": f"""
AFTER UPDATE OF words, note_words ON "transaction"
WHEN old.words <> new.words OR old.note_words <> new.note_words
BEGIN {FORGET} {ADD} END
""",
}
POSTGRESQL_INDEX = """
CREATE INDEX ix_transaction_words ON "transaction"
USING gin (array_to_tsvector(string_to_array(ltrim(words || note_words), ' ')))
"""


def upgrade():
    for name in ("words", "note_words"):
        op.add_column("transaction", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("transaction", sa.Column("title_key", TEXT, nullable=False, server_default=""))
    size = sa.Column("size", sa.BigInteger(), sa.Computed("abs(amount)", persisted=True), nullable=False)
    with op.batch_alter_table("transaction") as batch:
        batch.add_column(size)
    _fill()
    for name, columns in (BY_SIZE, BY_TITLE):
        op.create_index(name, "transaction", columns, postgresql_where=SHOWN, sqlite_where=SHOWN)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(POSTGRESQL_INDEX)
        return
    op.execute(SQLITE_INDEX)
    op.execute("INSERT INTO transaction_search (transaction_search) VALUES ('rebuild')")
    for name, what in SQLITE_TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {what}")


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_transaction_words")
    else:
        for name in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        op.execute("DROP TABLE transaction_search")
    for name, _columns in (BY_SIZE, BY_TITLE):
        op.drop_index(name, "transaction")
    with op.batch_alter_table("transaction") as batch:
        for name in ("size", "title_key", "note_words", "words"):
            batch.drop_column(name)


def _fill():
    connection = op.get_bind()
    row = sa.table(
        "transaction",
        *(sa.column(name) for name in ("id", "user_id", "name", "merchant_name", "note")),
        *(sa.column(name) for name in ("title_key", "words", "note_words")),
    )
    given = (row.c.id, row.c.user_id, row.c.name, row.c.merchant_name, row.c.note)
    update = (
        row.update()
        .where(row.c.id == sa.bindparam("key"))
        .values({name: sa.bindparam(name) for name in ("title_key", "words", "note_words")})
    )
    last = -1
    while rows := connection.execute(
        sa.select(*given).where(row.c.id > last).order_by(row.c.id).limit(AT_ONCE)
    ).all():
        connection.execute(update, [_filled(found) for found in rows])
        last = rows[-1].id


def _filled(row):
    return {
        "key": row.id,
        "title_key": " ".join(_words_of(row.merchant_name or row.name))[:100].strip(),
        "words": _index_of(row.user_id, row.merchant_name, row.name),
        "note_words": _index_of(row.user_id, row.note),
    }


WORD = re.compile(r"[^\W_]+")
ALIKE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe"})


def _words_of(text):
    text = text.replace("'", "").replace("’", "")
    plain = _without_accents(_without_accents(text).casefold().translate(ALIKE))
    return [word[:60] for word in WORD.findall(plain)]


def _without_accents(text):
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _index_of(user_id, *texts):
    found = dict.fromkeys(word for text in texts if text for word in _words_of(text))
    return "".join(f" {user_id}u{word}" for word in found)
