"""A person with two banks, with texts, amounts and currencies that are hard to export."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.store import Transaction
from plaidapp.store.connections import accounts, items
from plaidapp.store.transactions.category_tree import TREE

FIRST_DAY = date(2025, 1, 1)
HOSTILE = (
    '=HYPERLINK("http://evil.example/","Pay")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "\u00a0=1",
    "＝1+1",
    "coffee;=1+1",
    "coffee\r\n-2\n^\nT-99",
    "\t\t",
    '"; drop',
    '"quoted" it\'s',
    "back\\slash\\",
    "5 > 3 & <b>bold</b> &amp; ]]>",
    "🍣🏦",
    "مقهى السلام",
    "\u202edesrever",
    "x" * 10_000,
    "^",
    "!Type:Bank",
    "(POS) shop",
    "; comment",
    "payee | note",
    "[2026-99-99] [=2026/01/01]",
    "= 5",
    "* star",
    "date:nonsense, 1",
    ":: x",
    "\x01\x1b\x7f\ufffe",
    "%s {0} {{x}}",
    "",
    "   ",
)
AMOUNTS = (
    *("12.5", "-1000", "0.01", "0", "23631.9805", "0.1234567", "-1234.5678901", "0.00000001"),
    *("-0.12345678", "91999999999.99999999", "7", "-0.5"),
)


def balances(current, iso="USD", unofficial=None):
    amount = None if current is None else Decimal(current)
    return payloads.Balances(
        current=amount, iso_currency_code=iso, unofficial_currency_code=unofficial
    )


ACCOUNTS = [
    payloads.PlaidAccount(
        "chk", "depository", balances("110"), "Checking", None, "0000", "checking"
    ),
    payloads.PlaidAccount(
        "twin", "depository", balances("-3.5"), "Checking", None, "0000", "savings"
    ),
    payloads.PlaidAccount(
        "card", "credit", balances("410"), '"; drop', None, "3333", "credit card"
    ),
    payloads.PlaidAccount(
        "yen", "depository", balances("12000", "JPY"), "円 普通預金", None, "1", "cd"
    ),
    payloads.PlaidAccount(
        "coins", "investment", balances("1.00000001", None, "btc"), "🪙", None, None
    ),
    payloads.PlaidAccount("odd", "other", balances(None, None, "1INCH"), "=1+1\n^", None, "-1"),
    payloads.PlaidAccount(
        "loan", "loan", balances("65262"), "Loan " * 2_000, None, "7777", "student"
    ),
    payloads.PlaidAccount("idle", "depository", balances("0"), "Never used", None, "9999"),
]
CURRENCIES = {
    "chk": [("USD", None), ("EUR", None)],
    "twin": [("USD", None)],
    "card": [("USD", None)],
    "yen": [("JPY", None)],
    "coins": [(None, "btc"), (None, "BTC")],
    "odd": [(None, "1INCH"), (None, None)],
    "loan": [("USD", None)],
}
CATEGORIES = (
    ("FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE", None),
    ("INCOME", "INCOME_WAGES", None),
    ("TRANSFER_OUT", "TRANSFER_OUT_SAVINGS", None),
    ("LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT", None),
    (None, None, None),
    ("TRAVEL", "TRAVEL_FLIGHTS", 'Kids: "toys" / [x]; =1'),
)


class Books:
    """A person's rows, written straight into the tables, and their sums."""

    def __init__(self, app, person):
        self.app, self.person = app, person
        with app.app_context():
            self.item_id = self._connect("item-1", "First “Platypus”; Bank", ACCOUNTS)
            self._connect("item-2", None, [ACCOUNTS[0]])
            self.ids = accounts.ids_of_item(self.item_id)
            db.session.commit()

    def _connect(self, plaid_item_id, name, listed):
        item = items.add(
            user_id=self.person.id,
            plaid_item_id=plaid_item_id,
            institution_name=name,
            access_token=b"sealed",
        )
        accounts.save(self.person.id, item.id, listed)
        return item.id

    def row(self, number, account, currency, **changes):
        """Return a row for the table. Every 11th is pending."""
        text = HOSTILE[number % len(HOSTILE)]
        primary, detailed, own = CATEGORIES[number % len(CATEGORIES)]
        return {
            "user_id": self.person.id,
            "item_id": self.item_id,
            "account_id": self.ids[account],
            "plaid_transaction_id": f"tx-{number}",
            "date": FIRST_DAY + timedelta(days=number % 600),
            "authorized_date": FIRST_DAY + timedelta(days=number % 600) if number % 2 else None,
            "amount": Decimal(AMOUNTS[number % len(AMOUNTS)]),
            "iso_currency_code": currency[0],
            "unofficial_currency_code": currency[1],
            "name": text,
            "merchant_name": HOSTILE[-number % len(HOSTILE)] if number % 3 else None,
            "category_primary": primary,
            "category_detailed": detailed,
            "payment_channel": "online",
            "pending": number % 11 == 0,
            "own_category": own,
            "note": HOSTILE[(number + 7) % len(HOSTILE)] if number % 5 == 0 else None,
            "hidden": False,
        } | changes

    def fill(self, count):
        """Store `count` rows that cover all accounts, currencies, texts and amounts."""
        places = [(name, code) for name, codes in CURRENCIES.items() for code in codes]
        return self.add(self.row(number, *places[number % len(places)]) for number in range(count))

    def fill_categories(self):
        """Store a row of each detailed category."""
        codes = [(primary, code) for primary, parts in TREE.items() for code in parts]
        return self.add(
            self.row(number, "chk", ("USD", None), pending=False, own_category=None)
            | {"category_primary": primary, "category_detailed": code, "amount": number}
            for number, (primary, code) in enumerate(codes, start=1)
        )

    def add(self, rows):
        with self.app.app_context():
            db.session.execute(insert(Transaction), list(rows))
            db.session.commit()
        return self

    def rows(self, posted=False):
        """Return the stored rows by Plaid's id."""
        with self.app.app_context():
            query = db.select(Transaction).options(db.joinedload(Transaction.account))
            found = db.session.scalars(query.where(Transaction.user_id == self.person.id)).all()
        return {row.plaid_transaction_id: row for row in found if not (posted and row.pending)}

    def sums(self, posted=False):
        """Return the sums by Plaid's account id and currency. Money in is positive."""
        sums = defaultdict(Decimal)
        for row in self.rows(posted).values():
            sums[row.account.plaid_account_id, row.currency] -= row.amount
        return dict(sums)

    def export(self, extension, **query):
        answer = self.person.client.get(
            f"/finance/export/transactions.{extension}", query_string=query
        )
        assert answer.status_code == 200, answer.text
        return answer.data


@pytest.fixture
def books(app, alice):
    return Books(app, alice)


@pytest.fixture
def make_books(app):
    return lambda person: Books(app, person)
