"""The OFX file, as ofxtools reads it. ofxtools refuses what the specification forbids."""

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


def test_each_account_and_currency_has_a_statement_with_its_sum(books):
    ours = books.fill(2500).rows(posted=True)
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


def test_the_rows_match_the_database(books):
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


def test_texts_are_exported_unchanged(books):
    name = "5 > 3 & <b>bold</b> 🍣 مقهى"
    books.add([books.row(1, "chk", ("USD", None), name=name, merchant_name=None, note="a\nb")])

    (statement,) = read(books.export("ofx")).statements

    (row,) = statement.transactions
    assert (row.name, row.memo) == (name, f"{name} · a b")


def test_balances_are_the_banks_and_debts_are_negative(books):
    books.fill(300)
    before = datetime.now(UTC).replace(microsecond=0)

    statements = read(books.export("ofx")).statements

    balances = {
        (number_of(one), one.curdef): (one.balance.balamt, type(one) is CCSTMTRS)
        for one in statements
    }
    assert balances[books.ids["chk"], "USD"] == (Decimal(110), False)
    assert balances[books.ids["card"], "USD"] == (Decimal(-410), True)
    assert balances[books.ids["loan"], "USD"] == (Decimal(-65262), False)
    assert balances[books.ids["yen"], "JPY"] == (Decimal(12000), False)
    foreign = books.sums(posted=True)["chk", "EUR"]
    assert balances[books.ids["chk"], "EUR"] == (foreign, False)
    assert all(one.balance.dtasof >= before for one in statements)
    kinds = {
        number_of(one): one.account.accttype for one in statements if type(one) is not CCSTMTRS
    }
    assert [kinds[books.ids[name]] for name in ("chk", "twin", "yen", "loan")] == [
        *("CHECKING", "SAVINGS", "CD", "CREDITLINE"),
    ]


def test_an_account_has_the_same_number_in_every_export(books):
    books.fill(300)

    first, second = (
        [one.account.acctid for one in read(books.export("ofx", **query)).statements]
        for query in ({}, {"start_date": "2025-02-01", "end_date": "2025-03-31"})
    )

    assert set(second) <= set(first)
    assert len(set(first)) == len(first) == 6


def test_a_date_is_the_same_day_in_every_time_zone(books):
    books.add([books.row(1, "chk", ("USD", None), date=date(2026, 1, 31))])

    (statement,) = read(books.export("ofx")).statements

    (row,) = statement.transactions
    assert (row.dtposted.day, row.dtposted.hour) == (31, 12)


def test_without_rows_the_document_is_valid(books):
    assert read(books.export("ofx")).statements == []
