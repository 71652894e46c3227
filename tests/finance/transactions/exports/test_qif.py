"""The QIF file, read by the few rules of the format."""

from collections import defaultdict
from datetime import datetime
from decimal import Decimal


def read(data):
    """Return the records by (account name, currency). A record is a dict by first letters."""
    accounts, record, header = {}, {}, None
    for line in data.decode().splitlines():
        if line == "^":
            if header == "!Account":
                records = accounts[record["N"], record.get("D")] = []
            else:
                assert record["D"]
                records.append(record)
            record = {}
        elif line.startswith("!"):
            assert not record
            header = line
        else:
            assert line[0] in "NTDPML", line
            assert line[0] not in record
            record[line[0]] = line[1:]
    assert not record
    return accounts


def test_each_account_and_currency_has_a_section_with_its_sum(books):
    books.fill(2500)
    names = {number: name for name, number in books.ids.items()}

    found = defaultdict(Decimal)
    for (name, currency), records in read(books.export("qif")).items():
        number = int(name.split("(")[-1].split(")")[0])
        for record in records:
            found[names[number], currency] += Decimal(record["T"])

    assert found == books.sums(posted=True)


def test_the_rows_match_the_database_in_their_order(books):
    ours = sorted(books.fill(300).rows(posted=True).values(), key=lambda row: (row.date, row.id))

    for (name, currency), records in read(books.export("qif")).items():
        number = int(name.split("(")[-1].split(")")[0])
        stored = [row for row in ours if (row.account_id, row.currency) == (number, currency)]
        assert len(records) == len(stored) > 0
        for record, row in zip(records, stored, strict=True):
            assert datetime.strptime(record["D"], "%m/%d/%Y").date() == row.date  # noqa: DTZ007
            assert Decimal(record["T"]) == -row.amount
            assert record.get("P", "") == " ".join((row.merchant_name or row.name).split())
            assert not set(record["L"]) & set("/[]")
            assert record["L"].count(":") <= 1


def test_a_detailed_category_is_a_subcategory(books):
    rows = books.fill_categories().rows().values()

    (records,) = read(books.export("qif")).values()

    found = {-Decimal(record["T"]): record["L"] for record in records}
    for row in rows:
        primary, *detailed = found[row.amount].split(":")
        assert primary == row.category.replace("_", " ").capitalize()
        assert len(detailed) == (row.shown_category != row.category)
    assert len(set(found.values())) == len(rows) > 100
    examples = {"Food and drink", "Food and drink:Groceries", "Transfer out:Credit card payment"}
    assert examples < set(found.values())


def test_account_types(books):
    books.fill(300)

    data = books.export("qif").decode()

    for kind, count in (("Bank", 4), ("CCard", 1), ("Oth L", 1), ("Oth A", 4)):
        assert data.count(f"\nT{kind}\n") == data.count(f"\n!Type:{kind}\n") == count


def test_without_rows_the_file_has_no_account(books):
    assert books.export("qif") == b"!Option:AllXfr\n"
