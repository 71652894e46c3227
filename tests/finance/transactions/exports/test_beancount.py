"""The Beancount file, as Beancount's own loader reads and checks it."""

import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from beancount import loader
from beancount.core import data as kinds
from beancount.parser import printer

from plaidapp.finance.transactions.exports.names import component, symbol


def load(data):
    entries, errors, _ = loader.load_string(data.decode())
    assert errors == [], printer.format_errors(errors[:3])
    return entries


def of(kind, entries):
    return [entry for entry in entries if isinstance(entry, kind)]


def imported(entries):
    return [entry for entry in of(kinds.Transaction, entries) if "plaid_id" in entry.meta]


def sums(entries):
    """The sum of the transactions of each account in the file."""
    found = defaultdict(Decimal)
    for entry in of(kinds.Transaction, entries):
        for posting in entry.postings:
            found[posting.account] += posting.units.number
    return found


def test_sums_by_account_match_the_database(books):
    ours = books.fill(2500).rows()

    entries = imported(load(books.export("beancount")))

    names, found = defaultdict(set), defaultdict(Decimal)
    for entry in entries:
        row = ours.pop(entry.meta["plaid_id"])
        posting = entry.postings[0]
        key = row.account.plaid_account_id, row.currency
        names[key].add((posting.account, posting.units.currency))
        found[key] += posting.units.number
    assert not ours
    assert found == books.sums()
    assert all(len(given) == 1 for given in names.values())
    assert len({account for given in names.values() for account, _ in given}) == len(names)
    # The bank reports "btc" and "BTC" as two currencies, so the file has two as well.
    assert len({symbol for given in names.values() for _, symbol in given}) == 7


def test_the_rows_match_the_database(books):
    ours = books.fill(300).rows()

    for entry in imported(load(books.export("beancount"))):
        row = ours[entry.meta["plaid_id"]]
        account, counter = entry.postings
        assert entry.date == row.date
        assert entry.flag == ("!" if row.pending else "*")
        assert account.units.number == -row.amount == -counter.units.number
        assert readable(entry.narration) == readable(row.name)
        assert readable(entry.payee) == readable(row.merchant_name)
        assert readable(entry.meta.get("note")) == readable(row.note)


def readable(text):
    return [sign for sign in text or "" if sign.isprintable() and not sign.isspace()]


def test_a_complete_export_ends_with_the_banks_balances(books):
    books.fill(300)

    entries = load(books.export("beancount"))

    totals = sums(entries)
    pending = {
        key: total - books.sums(posted=True).get(key, 0) for key, total in books.sums().items()
    }
    bank = "First-Platypus-Bank"
    for name, key, current in (
        (f"Assets:{bank}:Checking-0000", ("chk", "USD"), 110),
        (f"Assets:{bank}:Checking-0000-2", ("twin", "USD"), Decimal("-3.5")),
        (f"Liabilities:{bank}:Drop-3333", ("card", "USD"), -410),
        (f"Assets:{bank}:X-円-普通預金-1", ("yen", "JPY"), 12000),
        (f"Assets:{bank}:X", ("coins", "btc"), Decimal("1.00000001")),
        (f"Assets:{bank}:Never-used-9999", ("idle", "USD"), 0),
    ):
        assert totals[name] == current + pending.get(key, 0), name
    asserted = {entry.account: entry for entry in of(kinds.Balance, entries)}
    assert {entry.date for entry in asserted.values()} == {
        datetime.now(UTC).date() + timedelta(days=1)
    }
    assert {name: entry.amount.number for name, entry in asserted.items()} == {
        name: totals[name] for name in asserted
    }
    assert len(asserted) == 8  # all accounts of both banks except the one without a balance


def test_a_partial_export_asserts_no_balance(books, today):
    books.fill(300)

    for query in ({"end_date": str(today - timedelta(days=1))}, {"end_date": "2025-02-01"}):
        entries = load(books.export("beancount", **query))
        assert not of(kinds.Balance, entries)
        assert len(of(kinds.Transaction, entries)) == len(imported(entries)) > 0
    for query in ({"end_date": str(today)}, {"start_date": "2025-02-01"}):
        assert of(kinds.Balance, load(books.export("beancount", **query)))


def test_transfers_between_own_accounts_add_up_to_zero(books):
    moved = {"category_primary": "TRANSFER_OUT", "category_detailed": None, "own_category": None}
    books.add(
        [
            books.row(1, "chk", ("USD", None), amount=Decimal("123.45"), **moved),
            books.row(2, "twin", ("USD", None), amount=Decimal("-123.45"), **moved),
        ]
    )

    totals = sums(load(books.export("beancount")))

    assert totals["Equity:Transfers"] == 0
    assert not [name for name in totals if name.startswith(("Expenses", "Income"))]


def test_categories_become_accounts(books):
    books.add(
        books.row(number, "chk", ("USD", None), own_category=own, amount=Decimal(amount))
        | {"category_primary": primary, "category_detailed": detailed}
        for number, (amount, primary, detailed, own) in enumerate(
            (
                (1, "FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE", None),
                (-1, "INCOME", "INCOME_SALARY", None),
                (-1, "INCOME", None, None),
                (1, "LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", None),
                (1, None, None, None),
                (1, "TRAVEL", "TRAVEL_FLIGHTS", 'Kids: "toys"; [x]'),
                (-1, "FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE", None),
                (-1, None, None, None),
                (-1, "LOAN_DISBURSEMENTS", "LOAN_DISBURSEMENTS_AUTO", None),
                (-1, "SPACE_TRAVEL", "SPACE_TRAVEL_MOON", None),
                (1, "FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE", "FOOD_AND_DRINK"),
                (1, "FOOD_AND_DRINK", "FOOD_AND_DRINK_OTHER_FOOD_AND_DRINK", None),
                (-1, "INCOME", "INCOME_SALARY", "INCOME"),
            ),
            start=1,
        )
    )
    detailed = "INCOME_DIVIDENDS"
    row = books.row(14, "chk", ("USD", None), own_category="INCOME", own_detailed=detailed)
    books.add([row | {"category_primary": "TRAVEL", "category_detailed": "TRAVEL_FLIGHTS"}])

    counters = {
        entry.meta["plaid_id"]: entry.postings[1].account
        for entry in imported(load(books.export("beancount")))
    }

    assert counters == {
        "tx-1": "Expenses:Food-And-Drink:Coffee",
        "tx-2": "Income:Salary",
        "tx-3": "Income:Other",
        "tx-4": "Equity:Transfers",
        "tx-5": "Expenses:Other",
        "tx-6": "Expenses:Kids-Toys-X",
        "tx-7": "Expenses:Food-And-Drink:Coffee",
        "tx-8": "Income:Other",
        "tx-9": "Equity:Transfers",
        "tx-10": "Income:Space-Travel:Moon",
        "tx-11": "Expenses:Food-And-Drink",
        "tx-12": "Expenses:Food-And-Drink",
        "tx-13": "Income:Other",
        "tx-14": "Income:Dividends",
    }


def test_every_detailed_category_is_a_part_of_its_primary_account(books):
    ours = books.fill_categories().rows()

    entries = imported(load(books.export("beancount")))

    found = {ours.pop(each.meta["plaid_id"]): each.postings[1].account for each in entries}
    assert not ours
    for row, account in found.items():
        root, primary, *detailed = account.split(":")
        expected = component(row.category.title())
        assert primary == expected or root != "Expenses", account
        assert len(detailed) == (row.shown_category != row.category and root == "Expenses")
    parts = [account for account in found.values() if account.startswith(("Expenses", "Income"))]
    assert len(set(parts)) == len(parts) > 100


def test_the_first_and_last_days_that_python_has_are_exported(books, today):
    books.add(
        [
            books.row(1, "chk", ("USD", None), date=date(1970, 1, 1)),
            books.row(2, "twin", ("USD", None), date=today + timedelta(days=3)),
        ]
    )

    assert len(imported(load(books.export("beancount")))) == 2


def test_without_rows_there_are_only_accounts(books, charlie):
    entries = load(books.export("beancount"))
    assert len(of(kinds.Balance, entries)) == 8

    nothing = charlie.client.get("/finance/export/transactions.beancount").data
    assert [type(entry) for entry in load(nothing)] == [kinds.Open]


def test_bean_check_accepts_the_file(books, tmp_path):
    path = tmp_path / "mine.beancount"
    path.write_bytes(books.fill(300).export("beancount"))

    command = [sys.executable, "-m", "beancount.scripts.check", path]
    checked = subprocess.run(command, capture_output=True, text=True)

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_names_have_only_allowed_characters():
    assert component("Plaid Checking ·· 0000") == "Plaid-Checking-0000"
    assert component("401k & more -- x") == "401k-more-x"
    assert component("école") == "École"
    assert component("預金") == "X-預金"
    assert component("🍣") == component("") == "X"
    assert len(component("x" * 10_000)) == 64
    assert [symbol(code) for code in ("USD", "btc", "1INCH", "B", "TRUE", "$", "", None)] == [
        *("USD", "BTC", "X1INCH", "XB", "XTRUE", "XXX", "XXX", "XXX"),
    ]
