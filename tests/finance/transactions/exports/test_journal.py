"""The journal, as hledger reads and checks it."""

import csv
import io
import os
import shutil
import subprocess
from collections import defaultdict
from decimal import Decimal

import pytest


@pytest.fixture
def hledger():
    """Run hledger on a journal and return what it prints."""
    program = shutil.which("hledger")
    if not program:
        assert not os.environ.get("CI"), "hledger is missing"
        pytest.skip("hledger is not installed (apt-get install hledger)")

    def run(data, *arguments):
        command = [program, "--file", "-", *arguments]
        environment = os.environ | {"LC_ALL": "C.UTF-8"}
        done = subprocess.run(command, input=data, capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr.decode()[:2000]
        return done.stdout.decode()

    return run


@pytest.fixture
def balances(hledger):
    """Return the balances that hledger computes, by account and symbol."""

    def read(data, *query):
        table = ["balance", "--flat", "--no-total", "--output-format=csv", "--layout=bare"]
        lines = csv.DictReader(io.StringIO(hledger(data, *table, *query)))
        return {
            (line["account"], line["commodity"].strip('"')): Decimal(line["balance"])
            for line in lines
        }

    return read


def test_hledger_accepts_the_journal_in_strict_mode(books, hledger):
    data = books.fill(2500).export("journal")

    for checks in (["--strict"], ["accounts", "commodities", "balancedwithautoconversion"]):
        assert hledger(data, "check", *checks) == ""


def test_sums_by_account_match_the_database(books, balances):
    books.fill(1000)

    found = balances(books.export("journal"), "tag:plaid_id", "^Assets", "^Liabilities")

    stored = books.sums()
    bank = "First-Platypus-Bank"
    for name, code, key in (
        (f"Assets:{bank}:Checking-0000", "USD", ("chk", "USD")),
        (f"Assets:{bank}:Checking-0000:EUR", "EUR", ("chk", "EUR")),
        (f"Assets:{bank}:Checking-0000-2", "USD", ("twin", "USD")),
        (f"Liabilities:{bank}:Drop-3333", "USD", ("card", "USD")),
        (f"Assets:{bank}:X-円-普通預金-1", "JPY", ("yen", "JPY")),
        (f"Assets:{bank}:1-1-1", "X1INCH", ("odd", "1INCH")),
        (f"Assets:{bank}:1-1-1:XXX", "XXX", ("odd", None)),
    ):
        assert found.pop((name, code), 0) == stored.pop(key), name
    # The other accounts have symbols and names that were taken already.
    assert sorted(found.values()) == sorted(balance for balance in stored.values() if balance)
    assert len({code for _, code in found}) == 3


def test_a_primary_account_has_the_sum_of_its_parts(books, hledger, balances):
    rows = books.fill_categories().rows().values()
    data = books.export("journal")

    assert hledger(data, "check", "--strict") == ""
    by_primary = balances(data, "--depth=2", "^Expenses")
    assert by_primary["Expenses:Food-And-Drink", "USD"] == sum(
        row.amount for row in rows if row.category == "FOOD_AND_DRINK"
    )
    assert ("Expenses:Food-And-Drink:Groceries", "USD") in balances(data)


def test_the_rows_match_the_database(books, hledger):
    stored = books.fill(300).rows()

    table = csv.DictReader(io.StringIO(hledger(books.export("journal"), "print", "-O", "csv")))

    found = defaultdict(list)
    for line in table:
        if "plaid_id" in line["comment"]:
            number = line["comment"].split("plaid_id:")[1].split()[0]
            found[number].append(line)
    assert set(found) == set(stored)
    for number, (account, counter) in found.items():
        row = stored[number]
        assert account["date"] == str(row.date)
        assert account["status"] == ("!" if row.pending else "*")
        assert Decimal(account["amount"]) == -row.amount == -Decimal(counter["amount"])
        assert account["code"] == ""


def test_a_complete_export_ends_with_the_banks_balances(books, balances):
    books.fill(300)
    data = books.export("journal")

    posted = balances(data, "--cleared")

    bank = "First-Platypus-Bank"
    assert posted[f"Assets:{bank}:Checking-0000", "USD"] == 110
    assert posted[f"Assets:{bank}:Checking-0000-2", "USD"] == Decimal("-3.5")
    assert posted[f"Liabilities:{bank}:Drop-3333", "USD"] == -410
    assert posted[f"Assets:{bank}:X-円-普通預金-1", "JPY"] == 12000
    assert posted[f"Assets:{bank}:X", "BTC"] == Decimal("1.00000001")


def test_without_rows_the_journal_is_valid(charlie, hledger):
    data = charlie.client.get("/finance/export/transactions.journal").data

    assert hledger(data, "check", "--strict") == ""
    assert hledger(data, "print") == ""
