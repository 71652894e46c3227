"""Read transactions: every filter and order is compared with a simple model in Python."""

import itertools
import random
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pytest
from sqlalchemy import update

from plaidapp.bank.payloads import Category
from plaidapp.extensions import db
from plaidapp.store import Account, Transaction
from plaidapp.store.base.dates import last_of_month, month_of
from plaidapp.store.base.search_terms import pairs_of, parts_of, words_of
from plaidapp.store.connections import accounts, arranged_accounts
from plaidapp.store.reports import derived
from plaidapp.store.transactions import category_tree, filter_totals, item_rows, reader, search
from plaidapp.store.transactions.filters import Filter
from plaidapp.store.transactions.reader import place_of
from plaidapp.store.transactions.search import Word

DAY = date(2026, 1, 31)
NAMES = (
    *("Café Zoë", "CAFE NERO", "Tartine Bakery", "McDonald's #12", "Uber 072515 SF**POOL**"),
    *("Łódź", "東京タワー", "a", "zebra", "☕", "United Airlines", "Payment – thank you"),
)
COFFEE, CARD = "FOOD_AND_DRINK_COFFEE", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"
DETAILED = ((COFFEE,), ("INCOME_SALARY", "TRANSFER_IN"), (CARD, "FOOD_AND_DRINK_NEW"))
CATEGORIES = (
    None,
    Category("FOOD_AND_DRINK", COFFEE),
    Category("FOOD_AND_DRINK", "FOOD_AND_DRINK_NEW"),
    Category("INCOME", "INCOME_WAGES"),
    Category("LOAN_PAYMENTS", CARD),
    Category("TRAVEL", "TRAVEL_FLIGHTS"),
)
SEARCHES = ("cafe", "ZOË", "caf z", "donald's", "京", "☕", "with zo nero", "zz", "?")
MEANINGS = (
    (Word(("nothing",), amount=Decimal("12.5")),),
    (Word(parts_of("afe"), ("TRAVEL", "OTHER")),),
    (Word(parts_of("z"), ("TRAVEL",)), Word(parts_of("e"), ("OTHER",), amount=Decimal(1))),
    (Word(("nothing",), ("TRAVEL",)), *search.words("afe")),
    (Word(parts_of("z"), (COFFEE, "INCOME")),),
    (Word(parts_of("z"), (COFFEE, "TRAVEL")), Word(parts_of("e"), ("FOOD_AND_DRINK",))),
)


@pytest.fixture
def many_rows(owner, item, another_item, save, transaction, account):
    """Some 240 rows with few different values, so that many are equal."""
    chance = random.Random(4)
    accounts.save(owner, item.id, [account("a"), account("b")])
    for which in (item, another_item):
        save(
            which,
            *(
                transaction(
                    f"{which.id}-{number}",
                    DAY - timedelta(days=chance.randrange(12)),
                    chance.choice(("1", "-1", "0", "12.5", "-1000", "12.50000001")),
                    account_id=chance.choice("ab") if which is item else "a",
                    pending=chance.random() < 0.2,
                    name=chance.choice(NAMES),
                    merchant_name=chance.choice((None, None, *NAMES)),
                    category=chance.choice(CATEGORIES),
                    iso_currency_code=chance.choice(("USD", "EUR", None)),
                )
                for number in range(120)
            ),
        )
    rows = db.session.query(Transaction).order_by(Transaction.id).all()
    for row in rows:
        own = {"hidden": chance.random() < 0.1}
        if chance.random() < 0.2:
            own |= {"note": "with Zoë", "note_pairs": pairs_of("with Zoë")}
        if chance.random() < 0.2:
            own |= category_tree.chosen(chance.choice(("TRAVEL", COFFEE)))
        change(row.id, **own)
    item_rows.mark_removed(item.id, [f"{item.id}-7", f"{item.id}-8"])
    derived.rebuild([row.id for row in accounts.of_user(owner)])
    db.session.commit()
    db.session.expire_all()


def change(row_id, **values):
    db.session.execute(
        update(Transaction)
        .where(Transaction.id == row_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def earned_or_spent(row, account):
    is_kept = account.type in ("depository", "credit")
    return is_kept and not row.category.startswith("TRANSFER")


@cache
def pairs_of_row(names, note):
    return pairs_of(*names) + pairs_of(note)


def counts_under(codes, row):
    return row.category in codes or row.detailed in codes


def means(word, row):
    there = pairs_of_row((row.merchant_name, row.name), row.note)
    return (
        any(part in there for part in word.parts)
        or counts_under(word.categories, row)
        or abs(row.amount) == word.amount
    )


def expected(wanted):
    """Return the ids of the rows that match, computed without SQL."""
    account_of = {account.id: account for account in db.session.query(Account)}

    def fits(row):
        account = account_of[row.account_id]
        flags = {"any": (True, False), "only": (True,), "without": (False,)}
        return all(
            (
                row.user_id == wanted.user_id,
                row.removed_at is None,
                wanted.start is None or row.date >= wanted.start,
                wanted.end is None or row.date <= wanted.end,
                wanted.item_id in (None, row.item_id),
                not wanted.account_ids or row.account_id in wanted.account_ids,
                not wanted.categories or counts_under(wanted.categories, row),
                not wanted.currencies or (row.currency or "") in wanted.currencies,
                wanted.smallest is None or abs(row.amount) >= wanted.smallest,
                wanted.largest is None or abs(row.amount) <= wanted.largest,
                wanted.direction != "in" or row.amount < 0,
                wanted.direction != "out" or row.amount > 0,
                row.pending in flags[wanted.pending],
                row.hidden in flags[wanted.hidden],
                wanted.hidden_accounts
                or wanted.account_ids
                or wanted.hidden != "without"
                or not account.is_hidden,
                wanted.scope != "flow" or earned_or_spent(row, account),
                all(means(word, row) for word in wanted.search),
            )
        )

    def key(row):
        title = " ".join(words_of(row.merchant_name or row.name))
        return {"date": row.date, "amount": abs(row.amount), "name": title}[wanted.sort], row.id

    rows = [row for row in db.session.query(Transaction) if fits(row)]
    return [row.id for row in sorted(rows, key=key, reverse=wanted.descending)]


def walk(wanted, size):
    """Return the ids of all rows, read page by page."""
    seen, after = [], None
    while rows := reader.page(wanted, size, after):
        seen += [row.id for row in rows]
        after = place_of(rows[-1], wanted.sort)
    return seen


def some_filters(owner, account_ids):
    """Yield filters with each part alone, and with random combinations."""
    choices = {
        "start": (DAY - timedelta(days=5), DAY + timedelta(days=1)),
        "end": (DAY - timedelta(days=3), DAY - timedelta(days=400)),
        "item_id": (1, 2, 4711),
        "search": (*map(search.words, SEARCHES), *MEANINGS),
        "account_ids": ((account_ids[0],), tuple(account_ids[:2]), (4711,)),
        "categories": (("TRAVEL",), ("OTHER", "TRANSFER_OUT"), ("NONE",), *DETAILED),
        "currencies": (("USD",), ("EUR", ""), ("XYZ",)),
        "smallest": (Decimal("1"), Decimal("12.50000001")),
        "largest": (Decimal("0"), Decimal("12.5")),
        "direction": ("in", "out"),
        "pending": ("only", "without"),
        "hidden": ("only", "any"),
        "scope": ("flow",),
        "hidden_accounts": (True,),
    }
    yield Filter(owner)
    for name, values in choices.items():
        for value in values:
            yield Filter(owner, **{name: value})
    chance = random.Random(7)
    for _ in range(16):
        names = chance.sample(sorted(choices), chance.randint(2, 4))
        yield Filter(owner, **{name: chance.choice(choices[name]) for name in names})


def in_parts(wanted, *, left_out):
    """The sums by currency, from those of each category."""
    sums = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for part in filter_totals.by_category(wanted, left_out=left_out):
        money_in, money_out = sums[part.currency]
        sums[part.currency] = money_in + part.money_in, money_out + part.money_out
    return dict(sums)


def whole(sums):
    return {part.currency or "": (part.money_in, part.money_out) for part in sums}


@pytest.mark.parametrize("hides", [False, True], ids=["all accounts", "one account is hidden"])
def test_every_filter_and_order_agrees_with_the_model(owner, many_rows, hides, monkeypatch):
    if hides:
        arranged_accounts.hide(accounts.of_user(owner)[1], hidden=True)
        db.session.commit()
        monkeypatch.setattr(reader, "STRETCH", 20)
    account_ids = [row.id for row in accounts.of_user(owner)]
    orders = itertools.cycle(itertools.product(("date", "amount", "name"), (True, False)))
    sizes = itertools.cycle((29, 29, 29, 29, 29, 29, 1000))
    found = 0
    for wanted in some_filters(owner, account_ids):
        sort, descending = next(orders)
        ordered = replace(wanted, sort=sort, descending=descending)
        rows = expected(ordered)
        assert walk(ordered, next(sizes)) == rows, ordered
        found += bool(rows)
        assert reader.count(wanted) == len(rows), wanted
        tally = filter_totals.tally(wanted, 1000)
        assert tally.rows == len(rows), wanted
        assert in_parts(wanted, left_out=False) == whole(tally.sums), wanted
        assert in_parts(wanted, left_out=True) == whole(tally.left_out), wanted
    assert found > 25


def test_pages_with_equal_values_show_each_row_once(owner, many_rows, subtests):
    for sort, descending in itertools.product(("date", "amount", "name"), (True, False)):
        wanted = Filter(owner, item_id=1, sort=sort, descending=descending)
        rows = expected(wanted)
        for size in (1, 13):
            with subtests.test(f"{sort}, {descending=}, {size=}"):
                assert walk(wanted, size) == rows
        assert [row.id for row in reader.all_of(wanted)] == rows


def test_totals_are_exact_for_each_currency(owner, many_rows):
    shown = set(expected(Filter(owner)))
    rows = [row for row in db.session.query(Transaction) if row.id in shown]
    account_of = {account.id: account for account in db.session.query(Account)}
    sums = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in rows:
        sums[row.currency, earned_or_spent(row, account_of[row.account_id])][row.amount > 0] += abs(
            row.amount
        )

    totals = filter_totals.tally(Filter(owner, smallest=Decimal(0)), 1000)

    assert totals.rows == len(rows)
    assert not totals.is_more
    for parts, counted in ((totals.sums, True), (totals.left_out, False)):
        assert len(parts) == 3
        for part in parts:
            assert [part.money_in, part.money_out] == sums[part.currency, counted]
            assert part.net == part.money_in - part.money_out


@pytest.mark.parametrize("hides", [False, True], ids=["all accounts", "one account is hidden"])
def test_monthly_totals_add_up_to_the_sums_of_the_rows(owner, many_rows, hides):
    account_ids = [row.id for row in accounts.of_user(owner)]
    if hides:
        arranged_accounts.hide(accounts.of_user(owner)[0], hidden=True)
    months = Filter(owner), Filter(owner, date(2026, 1, 1), date(2026, 1, 31))
    for wanted in (*months, Filter(owner, end=date(2025, 12, 31)), Filter(owner, item_id=1)):
        for part in (
            {},
            {"account_ids": tuple(account_ids[:2])},
            {"categories": ("TRAVEL",)},
            {"scope": "flow"},
            {"scope": "all"},
            {"categories": ("TRAVEL", "TRANSFER_OUT")},
            *({"categories": codes} for codes in DETAILED),
            {"hidden_accounts": True},
        ):
            whole = replace(wanted, **part)
            assert whole.is_of_months
            assert filter_totals.tally(whole, 0) == filter_totals.tally(
                replace(whole, smallest=Decimal(0)), 999
            )


def test_too_many_rows_are_not_added_up(owner, many_rows):
    every = Filter(owner, smallest=Decimal(0), hidden="any")
    rows = len(expected(every))
    assert filter_totals.tally(every, rows).rows == rows
    assert filter_totals.tally(every, rows - 1) == (rows - 1, True, (), ())


@pytest.fixture
def household(owner, item, save, transaction, account):
    """A checking account and a loan, with what each of them earned, spent and moved."""
    accounts.save(owner, item.id, [account("a"), account("b", type="loan")])
    spent, moved = Category("TRAVEL", "TRAVEL_FLIGHTS"), Category("TRANSFER_OUT", "TRANSFER_OUT_X")
    save(
        item,
        transaction("1", amount="1", category=spent),
        transaction("2", amount="20", category=moved),
        transaction("3", amount="-300", account_id="b", category=spent),
        transaction("4", amount="-4000", account_id="b", category=moved),
    )
    ids = accounts.ids_of_item(item.id)
    derived.rebuild(ids.values())
    db.session.commit()
    return ids


@pytest.mark.parametrize(
    ("part", "counted", "left_out"),
    [
        ({}, (0, 1), (4300, 20)),
        ({"scope": "all"}, (4300, 21), None),
        ({"scope": "flow"}, (0, 1), None),
        ({"categories": ("TRANSFER_OUT",)}, (0, 20), (4000, 0)),
        ({"account_ids": "b"}, (300, 0), (4000, 0)),
        ({"account_ids": "b", "categories": ("TRANSFER_OUT",)}, (4000, 0), None),
        ({"direction": "in"}, None, (4300, 0)),
    ],
)
def test_totals_leave_out_transfers_unless_the_filter_asks_for_them(
    owner, household, part, counted, left_out
):
    if account_ids := part.get("account_ids"):
        part = part | {"account_ids": tuple(household[key] for key in account_ids)}
    wanted = Filter(owner, **part)
    found = filter_totals.tally(wanted, 10)
    expected_sums = [[sums] if sums else [] for sums in (counted, left_out)]
    assert [[tuple(each[1:]) for each in sums] for sums in found[2:]] == expected_sums
    assert found.rows == reader.count(wanted)
    by_row = replace(wanted, smallest=Decimal(0))
    assert filter_totals.tally(by_row, 10) == found
    assert filter_totals.tally_of(wanted, reader.page(wanted, 10)) == found


def test_a_tally_is_exact_or_says_that_there_may_be_more(owner, many_rows, subtests):
    account_ids = [row.id for row in accounts.of_user(owner)]
    filters = {wanted: len(expected(wanted)) for wanted in some_filters(owner, account_ids)}
    for at_most in (1, 10, 60):
        with subtests.test(at_most=at_most):
            exact = 0
            for wanted, rows in filters.items():
                found = filter_totals.tally(wanted, at_most)
                assert found.rows <= rows if found.is_more else found.rows == rows, wanted
                exact += not found.is_more
            assert exact > 10


def test_a_page_is_the_same_whichever_way_it_is_read(owner, many_rows, monkeypatch):
    monkeypatch.setattr(reader, "STRETCH", 1)
    monkeypatch.setattr(reader, "MONTHS_AT_ONCE", 1)
    spread_over_months(owner)
    typed = map(search.words, ("cafe", "cafe zoe", "t", "united", "nobody"))
    searches = [{"search": words} for words in (*typed, *MEANINGS)]
    parts = [*searches, {"categories": ("TRAVEL",)}, {"categories": ("TRAVEL", "FOOD_AND_DRINK")}]
    parts += [{"categories": codes} for codes in DETAILED]
    parts.append(
        {"categories": ("TRAVEL",), "hidden": "any", "direction": "in", "account_ids": (1,)}
    )
    parts.append({"smallest": Decimal("12.5"), "direction": "in", "largest": Decimal(1000)})
    parts.append({"categories": ("TRAVEL",), "start": DAY - timedelta(days=90), "end": DAY})
    sorts = itertools.cycle(("date", "amount", "name"))
    for part, descending in itertools.product(parts, (True, False)):
        wanted = Filter(owner, sort=next(sorts), descending=descending, **part)
        assert walk(wanted, 29) == expected(wanted), wanted


def test_count_between_agrees_with_the_model(owner, many_rows):
    spread_over_months(owner)
    days = [DAY - timedelta(days=age) for age in (0, 3, 15, 29, 45, 61, 62, 80, 200)]
    days += [edge for day in days for edge in (month_of(day), last_of_month(day))]
    for start, end in itertools.combinations_with_replacement(sorted(set(days)), 2):
        rows = expected(Filter(owner, start, end))
        assert filter_totals.count_between(owner, start, end) == len(rows), (start, end)


def spread_over_months(owner):
    for row in reader.page(Filter(owner), 200)[::3]:
        change(row.id, date=row.date - timedelta(days=row.id % 5 * 30))
    derived.rebuild([row.id for row in accounts.of_user(owner)])
    db.session.commit()
    db.session.expire_all()


def test_the_sums_of_a_day_include_all_its_rows(owner, many_rows):
    wanted = Filter(owner, search=search.words("cafe"))
    rows = reader.page(wanted, 1000)
    days = {day: list(of) for day, of in itertools.groupby(rows, lambda row: row.date)}
    assert len(days) > 5
    for day, of in days.items():
        found = filter_totals.tally_of_day(wanted, day)
        assert found == filter_totals.tally_of(wanted, of)
        parts = *found.sums, *found.left_out
        assert sum(part.net for part in parts) == -sum(row.amount for row in of)


HOSTILE = (
    *("foo AND (", '"', "'", "''", "\\", "*", "a*", "NEAR(a b)", "words:a", "-a", "a OR b", "^a"),
    *("a & !b", "a:*", "<->", "%", "_", "\0", "a\0b", "😀", "a😀b", "'; DROP TABLE x", "\ud800"),
    *("a" * 10_000, "é" * 10_000, "a " * 5_000, "{a}", "a:b:c", "+", "\N{RIGHT-TO-LEFT OVERRIDE}a"),
)


def test_no_search_text_causes_an_error(owner, many_rows):
    for typed in HOSTILE:
        wanted = Filter(owner, search=search.words(typed))
        assert [row.id for row in reader.page(wanted, 1000)] == expected(wanted), typed[:40]


def test_the_search_finds_the_current_text_of_a_row(owner, item, save, transaction):
    def found(typed):
        db.session.expire_all()
        return [row.name for row in reader.page(Filter(owner, search=search.words(typed)), 10)]

    save(item, transaction("t", name="Coffee"))
    assert found("coff") == ["Coffee"]
    save(item, transaction("t", name="Tea"))
    assert (found("coffee"), found("tea")) == ([], ["Tea"])
    (row,) = reader.page(Filter(owner), 1)
    change(row.id, note="Zoë", note_pairs=pairs_of("Zoë"))
    save(item, transaction("t", name="Juice"))
    assert (found("tea"), found("zoe juice")) == ([], ["Juice"])
    db.session.delete(item)
    db.session.commit()
    assert found("juice") == []


def test_a_search_never_finds_another_persons_rows(owner, many_rows):
    for stranger in (owner + 1, owner * 10 + 1):
        assert reader.page(Filter(stranger, search=search.words("cafe")), 10) == []
        assert filter_totals.tally(Filter(stranger, search=search.words("a")), 10).rows == 0
