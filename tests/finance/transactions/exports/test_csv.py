"""The CSV file, read by Python's own reader, and text that a spreadsheet must not run."""

import csv
import io
from collections import defaultdict
from decimal import Decimal

import pytest

from plaidapp.finance.transactions.exports.csv import COLUMNS, safe

TEXTS = (
    *("name", "merchant_name", "category", "category_name", "note"),
    *("account_name", "account_mask"),
)
FORMULAS = "=+-@＝＋－＠"


def read(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))


def test_every_row_has_all_its_fields(books):
    ours = books.fill(2500).rows()

    data = books.export("csv")

    assert data.startswith(b"\xef\xbb\xbfdate,")
    lines = read(data)
    assert len(lines) == 2500
    assert tuple(lines[0]) == COLUMNS
    assert [line["date"] for line in lines] == sorted(line["date"] for line in lines)[::-1]
    for line in lines:
        row = ours.pop(line["transaction_id"])
        assert line["date"] == str(row.date)
        assert line["authorized_date"] == str(row.authorized_date or "")
        assert line["currency"] == (row.currency or "")
        assert line["account_id"] == row.account.plaid_account_id
        assert (line["pending"], line["hidden"]) == (str(row.pending).lower(), "false")
        assert line["institution_name"] == "First “Platypus”; Bank"
        for column, text in (
            ("name", row.name),
            ("merchant_name", row.merchant_name),
            ("note", row.note),
            ("category", row.category),
            ("category_detailed", row.detailed),
            ("account_name", row.account.name),
        ):
            # Without the added apostrophes, the text is what is stored.
            assert line[column].replace("'", "") == (text or "").replace("'", "")
    assert not ours


def test_categories_are_named_as_on_the_pages(books):
    primary, detailed = "GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_PET_SUPPLIES"
    books.add(
        books.row(number, "chk", ("USD", None), own_category=None, amount=1)
        | {"category_primary": primary, "category_detailed": code}
        for number, code in enumerate((detailed, None))
    )

    lines = read(books.export("csv"))

    names = [(line["category_name"], line["category_detailed_name"]) for line in lines]
    assert sorted(names) == [("Shopping", "Other shopping"), ("Shopping", "Pet supplies")]


def test_amounts_are_numbers_with_all_digits(books):
    books.fill(200)

    sums = defaultdict(Decimal)
    for line in read(books.export("csv")):
        sums[line["account_id"], line["currency"] or None] -= Decimal(line["amount"])

    assert sums == books.sums()


def test_no_cell_begins_like_a_formula(books):
    books.fill(200)

    for line in read(books.export("csv")):
        for column in TEXTS:
            for separator in (None, ";", "\t", "\r", "\n"):
                for cell in line[column].split(separator) if separator else [line[column]]:
                    assert cell.lstrip(" \u00a0")[:1] not in tuple(FORMULAS), repr(cell)
            assert line[column][:1] not in ("\t", "\r", "\n")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1", "'=1"),
        ("-5% off", "'-5% off"),
        (" \u3000＝1", "' \u3000＝1"),
        ("\tx", "'\tx"),
        ("a;=1", "a;'=1"),
        ("a\r\n-1", "a\r\n'-1"),
        ("a-1=2", "a-1=2"),
        ("Coffee", "Coffee"),
        ("", ""),
        (None, ""),
    ],
)
def test_text_that_begins_like_a_formula_gets_an_apostrophe(text, cell):
    assert safe(text) == cell


def test_without_rows_the_file_has_its_columns(books):
    assert books.export("csv").decode("utf-8-sig") == ",".join(COLUMNS) + "\r\n"
