"""Search: any part of a word, and what else a word may mean, compared with a slow reference."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from plaidapp.bank.payloads import Category
from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.base.search_terms import parts_of, pieces_of, words_of
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts
from plaidapp.store.reports import derived
from plaidapp.store.transactions import edits, merchants, reader, search, search_backfill
from plaidapp.store.transactions.filters import Filter
from plaidapp.store.transactions.search import Word

DAY = date(2026, 1, 31)
FOOD, TRAVEL = "FOOD_AND_DRINK", "TRAVEL"
COFFEE = "FOOD_AND_DRINK_COFFEE"


def found(owner, typed):
    rows = reader.page(Filter(owner, search=search.words(typed)), 100)
    return {row.name for row in rows}


@pytest.fixture
def named(item, save, transaction):
    """Save a transaction with each of these names."""

    def save_names(*names):
        save(item, *(transaction(f"t{n}", name=name) for n, name in enumerate(names)))

    return save_names


@pytest.fixture(params=["index", "rows"])
def way(request, monkeypatch):
    """Read the search index, or compare each row."""
    if request.param == "index":
        monkeypatch.setattr(reader, "STRETCH", 1)


def test_a_search_finds_any_part_of_a_word_in_any_script(owner, named, way):
    names = (
        "東京スカイツリー入場券",
        "한국어가게",
        "AMZNMktplace",
        "🏠🏠🏠",
        "กาแฟร้อน",
        "हिन्दी दुकान",
    )
    named(*names)
    for typed, name in {
        "スカイツリー": names[0],
        "ツリー": names[0],
        "入場券": names[0],
        "東": names[0],
        "券": names[0],
        "가게": names[1],
        "mktplace": names[2],
        "zn": names[2],
        "🏠": names[3],
        "🏠🏠": names[3],
        "แฟ": names[4],
        "दुकान": names[5],
        "न्दी दुका": names[5],
    }.items():
        assert found(owner, typed) == {name}, typed
    assert found(owner, "ツリ가") == set()


LETTERS = "aábB1.-&'ßİ東京가ガか🏠👍🏽ท\u0e35%_\"*\\"
TYPED = st.text(LETTERS + "\0", max_size=6)


def is_in(typed, *texts):
    """The slow reference: what was typed is a part of the plain text, in one of its spellings."""
    pieces, word = " ".join(pieces_of(typed)), "".join(words_of(typed))
    needles = (pieces, word) if len(word) >= 5 else (pieces,)
    plain = [
        " ".join(spelled)
        for each in texts
        if each
        for spelled in (words_of(each), *map(pieces_of, each.split()))
    ]
    return any(needle and needle in each for each in plain for needle in needles)


@pytest.fixture
def world(owner, item, save, transaction):
    """Rows with random texts, amounts and categories."""
    chance = random.Random(12)

    def some_text():
        return "".join(chance.choices(LETTERS + "ab  ", k=chance.randrange(1, 14)))

    save(
        item,
        *(
            transaction(
                f"t{n}",
                DAY - timedelta(days=chance.randrange(40)),
                chance.choice(("12.5", "-12.5", "1")),
                name=some_text(),
                merchant_name=chance.choice((None, some_text())),
                category=Category(*chance.choice(((FOOD, COFFEE), (FOOD, ""), (TRAVEL, "X")))),
            )
            for n in range(150)
        ),
    )
    rows = db.session.query(Transaction).all()
    for row in rows[::3]:
        edits.apply(owner, edits.of_ids(owner, [row.id]), {"note": some_text()})
    derived.rebuild(accounts.ids_of_item(item.id).values())
    db.session.commit()
    db.session.expire_all()
    return db.session.query(Transaction).all()


MEANINGS = st.tuples(
    TYPED,
    st.sampled_from(((), (), (FOOD,), (TRAVEL, "NONE"), (COFFEE,), (TRAVEL, COFFEE))),
    st.booleans(),
    st.sampled_from((None, None, Decimal("12.5"))),
)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(meanings=st.lists(MEANINGS, max_size=3), order=st.sampled_from(("date", "amount", "name")))
def test_a_search_finds_the_same_rows_as_a_slow_reference(
    owner, world, monkeypatch, meanings, order
):
    account_id = world[0].account_id
    wanted = Filter(
        owner,
        search=tuple(
            Word(parts_of(typed), categories, (account_id,) if in_account else (), amount)
            for typed, categories, in_account, amount in meanings
        ),
        sort=order,
    )
    ids = {
        row.id
        for row in world
        if all(
            is_in(typed, row.name, row.merchant_name, row.note)
            or row.category in categories
            or row.detailed in categories
            or (in_account and row.account_id == account_id)
            or abs(row.amount) == amount
            for typed, categories, in_account, amount in meanings
        )
    }
    for stretch in (1, 5000):
        monkeypatch.setattr(reader, "STRETCH", stretch)
        rows = reader.page(wanted, 1000)
        assert {row.id for row in rows} == ids
        places = [reader.place_of(row, order) for row in rows]
        assert places == sorted(places, reverse=True)
        if rows:
            assert reader.page(wanted, 1000, places[0]) == rows[1:]
    assert reader.count(wanted) == len(ids)


def test_all_words_must_occur_in_any_order(owner, named, way):
    named("Coffee Shop", "Shop of Tea", "Coffee")
    assert found(owner, "sho offe") == {"Coffee Shop"}
    assert found(owner, "shop - coffee") == {"Coffee Shop"}
    assert found(owner, "shop xyz") == set()


def test_only_punctuation_finds_nothing(owner, named, way):
    named("Coffee - Shop")
    assert found(owner, "-") == found(owner, "%") == found(owner, "& !") == set()
    assert found(owner, "  ") == {"Coffee - Shop"}


def test_an_amount_finds_its_rows_in_and_out(owner, item, save, transaction, way):
    save(
        item,
        *(transaction(f"t{amount}", amount=amount) for amount in ("12.5", "-12.5", "12.345")),
        transaction("t4", name="No. 12.50"),
        transaction("t5", name="#1250"),
    )
    wanted = Filter(owner, search=(Word(parts_of("12.50"), amount=Decimal("12.50")),))
    rows = reader.page(wanted, 10)
    assert {row.plaid_transaction_id for row in rows} == {"t12.5", "t-12.5", "t4"}
    assert reader.count(wanted) == 3


def test_rows_from_before_the_search_had_pairs_are_filled_in(owner, item, save, transaction):
    save(item, *(transaction(f"t{n}", name=f"東京タワー {n}") for n in range(5)))
    (row, *_) = db.session.query(Transaction).order_by(Transaction.id)
    edits.apply(owner, edits.of_ids(owner, [row.id]), {"note": "birthday"})
    db.session.execute(update(Transaction).values(pairs=None, note_pairs=None, title_key="?"))
    db.session.commit()
    assert found(owner, "タワー") == found(owner, "birth") == set()
    assert [search_backfill.fill(2) for _ in range(4)] == [2, 2, 1, 0]
    db.session.commit()
    db.session.expire_all()
    assert len(found(owner, "タワー")) == 5
    assert found(owner, "birth") == {row.name}
    assert {row.title_key for row in db.session.query(Transaction)} == {
        f"東京タワー {n}" for n in range(5)
    }


def test_a_note_that_older_code_restored_is_filled_in(owner, named):
    named("Coffee")
    db.session.execute(update(Transaction).values(note="birthday"))
    db.session.commit()
    assert search_backfill.fill(9) == 1
    assert found(owner, "birth") == {"Coffee"}
    assert search_backfill.fill(9) == 0


def test_merchants_with_a_similar_name_are_found(owner, named):
    named("Netflix.com", "NETFLIX", "Whole Foods Market 123", "Uber", "東京タワー", "🏠")

    def similar(typed):
        return merchants.similar(owner, typed, 3)

    assert similar("netflx")[0] == "NETFLIX"
    assert similar("neftlix")[0] == "NETFLIX"
    assert similar("whole fods") == ["Whole Foods Market 123"]
    assert similar("東京タウー") == ["東京タワー"]
    assert similar("qwertz") == similar("") == similar("u") == similar("%") == []
    assert merchants.similar(owner + 1, "netflx", 3) == []


def test_a_long_text_is_searched(owner, named):
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 15_000)))
    named(letters, "a" * 100_000)
    assert found(owner, letters[9000:9100]) == {letters}


def test_merchants_that_begin_with_a_text_are_found(owner, named):
    named("Netflix", "NET-A-PORTER", "Netflix", "Internet Archive")

    def beginning(typed, most=3):
        return merchants.beginning(owner, typed, most)

    assert beginning("net") == ["NET-A-PORTER", "Netflix"]
    assert beginning("Netf") == ["Netflix"]
    assert beginning("net", 1) == ["NET-A-PORTER"]
    assert beginning("") == beginning("-") == merchants.beginning(owner + 1, "net", 3) == []


def test_a_misspelled_merchant_that_is_removed_meanwhile_is_not_found(owner, named):
    named("Netflix")
    assert merchants.similar(owner, "netflx", 3) == ["Netflix"]
    db.session.execute(db.update(Transaction).values(removed_at=now()))
    assert merchants.similar(owner, "netflx", 3) == []


def test_only_the_newest_rows_are_read_if_no_index_answers(owner, named, monkeypatch):
    monkeypatch.setattr(reader, "STRETCH", 2)
    named("a", "b", "c")  # the last one is the newest

    def nearby(typed):
        wanted = Filter(owner, search=search.words(typed))
        return [row.name for row in reader.nearby(wanted, 5)]

    assert (nearby("a"), found(owner, "a")) == ([], {"a"})
    assert nearby("b") == ["b"]
