"""OFX as ofxtools reads it, which refuses what the specification does not allow."""

import io
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

from ofxtools.models import CCSTMTRS
from ofxtools.Parser import OFXTree

ISO = ("USD", "EUR", "JPY")


def read(data):
    tree = OFXTree()
    tree.parse(io.BytesIO(data))
    return tree.convert()


def number_of(statement):
    return int(statement.account.acctid.split("-")[1 if "-" in statement.account.acctid else 0])


def test_each_account_and_currency_has_a_statement_with_our_sum(books):
    ours = books.fill(5000).rows(posted=True)
    names = {number: name for name, number in books.ids.items()}

    statements = read(books.export("ofx")).statements

    sums = {}
    for statement in statements:
        key = names[number_of(statement)], statement.curdef
        assert key not in sums
        sums[key] = sum(row.trnamt for row in statement.transactions)
        for row in statement.transactions:
            assert statement.transactions.dtstart <= row.dtposted <= statement.transactions.dtend
    assert sums == {key: total for key, total in books.sums(posted=True).items() if key[1] in ISO}
    rows = [row for statement in statements for row in statement.transactions]
    assert Counter(row.fitid for row in rows) == Counter(
        number for number, row in ours.items() if row.currency in ISO
    )


def test_the_rows_are_ours(books):
    ours = books.fill(300).rows()

    for statement in read(books.export("ofx")).statements:
        for row in statement.transactions:
            stored = ours[row.fitid]
            assert not stored.pending
            assert row.trnamt == -stored.amount
            assert row.trntype == ("CREDIT" if stored.amount < 0 else "DEBIT")
            assert row.dtposted.date() == stored.date
            assert row.dtuser is None or row.dtuser.date() == stored.authorized_date
            assert len(row.name or "") <= 32
            assert len(row.memo or "") <= 255


def test_texts_arrive_as_they_are(books):
    name = "5 > 3 & <b>bold</b> 🍣 مقهى"
    books.add([books.row(1, "chk", ("USD", None), name=name, merchant_name=None, note="a\nb")])

    (statement,) = read(books.export("ofx")).statements

    (row,) = statement.transactions
    assert (row.name, row.memo) == (name, f"{name} · a b")


def test_balances_are_the_banks_with_what_is_owed_below_zero(books):
    books.fill(300)
    before = datetime.now(UTC).replace(microsecond=0)

    statements = read(books.export("ofx")).statements

    held = {
        (number_of(one), one.curdef): (one.balance.balamt, type(one) is CCSTMTRS)
        for one in statements
    }
    assert held[books.ids["chk"], "USD"] == (Decimal(110), False)
    assert held[books.ids["card"], "USD"] == (Decimal(-410), True)
    assert held[books.ids["loan"], "USD"] == (Decimal(-65262), False)
    assert held[books.ids["yen"], "JPY"] == (Decimal(12000), False)
    foreign = books.sums(posted=True)["chk", "EUR"]
    assert held[books.ids["chk"], "EUR"] == (foreign, False)
    assert all(one.balance.dtasof >= before for one in statements)
    kinds = {
        number_of(one): one.account.accttype for one in statements if type(one) is not CCSTMTRS
    }
    assert [kinds[books.ids[name]] for name in ("chk", "twin", "yen", "loan")] == [
        *("CHECKING", "SAVINGS", "CD", "CREDITLINE"),
    ]


def test_an_account_is_known_again_in_the_next_export(books):
    books.fill(300)

    first, second = (
        [one.account.acctid for one in read(books.export("ofx", **query)).statements]
        for query in ({}, {"start_date": "2025-02-01", "end_date": "2025-03-31"})
    )

    assert set(second) <= set(first)
    assert len(set(first)) == len(first) == 6


def test_days_stay_days_from_one_end_of_the_world_to_the_other(books):
    books.add([books.row(1, "chk", ("USD", None), date=date(2026, 1, 31))])

    (statement,) = read(books.export("ofx")).statements

    (row,) = statement.transactions
    assert (row.dtposted.day, row.dtposted.hour) == (31, 12)


def test_without_rows_it_is_a_whole_document(books):
    assert read(books.export("ofx")).statements == []
