"""Which responses are accepted as Plaid's, and which are refused."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from plaidapp.bank import payloads
from plaidapp.bank.error_sentences import NONSENSE
from plaidapp.bank.errors import BankError
from plaidapp.bank.logo_addresses import logo_of
from plaidapp.bank.responses import decode_page


def page(**changes):
    row = {
        "transaction_id": "t",
        "account_id": "a",
        "amount": 5,
        "date": "2026-01-31",
        "pending": False,
        "name": "Coffee",
    } | changes
    rest = {"modified": [], "removed": [], "next_cursor": "c", "has_more": False, "request_id": "r"}
    return msgspec.json.encode({"added": [row]} | rest)


def raw_amount(digits):
    return page(amount=msgspec.Raw(digits.encode()))


@pytest.mark.parametrize(
    "digits", ["0", "-0.00000001", "23631.9805", "0.1", "1e2", "92000000000", "-92000000000"]
)
def test_an_amount_is_read_from_its_digits(digits):
    assert decode_page(raw_amount(digits)).added[0].amount == Decimal(digits)


@pytest.mark.parametrize(
    "digits",
    [
        "NaN",
        "Infinity",
        '"NaN"',
        '"sNaN"',
        '"-Infinity"',
        "92000000000.00000001",
        "-92000000001",
        "1e12",
        "1e999999",
        "1e99999999",
        "-1e99999999",
        "9" * 5000,
        '"12 dollars"',
        "true",
        "null",
        "[5]",
    ],
    ids=lambda digits: digits[:12],
)
def test_a_row_with_an_invalid_amount_is_unread(digits):
    answer = decode_page(raw_amount(digits))
    assert (answer.added, [row.plaid_id for row in answer.unread]) == ([], ["t"])


@pytest.mark.parametrize("field", ["available", "current", "limit"])
def test_a_balance_out_of_range_is_refused(field):
    account = f'{{"account_id":"a","name":"n","type":"t","balances":{{"{field}":1e11}}}}'
    with pytest.raises(msgspec.ValidationError, match="too large"):
        msgspec.json.decode(account, type=payloads.PlaidAccount)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date", "2026-02-30"),
        ("date", "31.1.2026"),
        ("date", None),
        ("pending", "no"),
        ("transaction_id", None),
        ("transaction_id", ""),
        ("transaction_id", "t" * 256),
        ("account_id", 7),
        ("unofficial_currency_code", "C" * 256),
    ],
)
def test_a_row_with_a_malformed_field_is_unread(field, value):
    answer = decode_page(page(**{field: value}))
    assert (answer.added, len(answer.unread)) == ([], 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Coffee\0"),
        ("name", "C" * 10_001),
        ("name", msgspec.Raw(b'"Coffee\\ud800"')),
        ("merchant_name", msgspec.Raw(b'"Caf\xe9"')),
        ("personal_finance_category", {"primary": 7}),
    ],
)
def test_a_row_with_a_malformed_optional_field_is_read_without_it(field, value):
    answer = decode_page(page(**{field: value}))
    assert (len(answer.added), [row.is_part for row in answer.unread]) == (1, [True])


@pytest.mark.parametrize(
    "changes",
    [
        {"added": {}},
        {"next_cursor": 7},
        {"next_cursor": "c\0"},
        {"has_more": "no"},
        {"accounts": 5},
        {"request_id": None},
    ],
)
def test_a_page_whose_envelope_is_malformed_is_refused(changes):
    with pytest.raises(BankError) as caught:
        decode_page(msgspec.json.encode(msgspec.json.decode(page()) | changes))
    assert caught.value.code == NONSENSE


def test_unknown_fields_are_ignored():
    assert decode_page(page(logo_url="x", counterparties=[{}])).added[0].transaction_id == "t"


@pytest.mark.parametrize(
    ("fields", "logo"),
    [
        ({"logo_url": "own", "counterparties": [{"name": "Bean", "logo_url": "b"}]}, "own"),
        ({"counterparties": [{"name": "Door", "logo_url": "d"}]}, None),
        (
            {
                "logo_url": None,
                "counterparties": [
                    {"name": "Door", "logo_url": "d"},
                    {"name": "Bean", "logo_url": None},
                    {"name": "Bean", "logo_url": "b", "type": "merchant"},
                ],
            },
            "b",
        ),
        ({"counterparties": [{"name": "Bean", "logo_url": 7}]}, None),
        ({"counterparties": [{"name": ["Bean"]}, {}]}, None),
        ({"counterparties": "Bean"}, None),
        ({"counterparties": None}, None),
        ({}, None),
        ({"merchant_name": None, "logo_url": "own"}, None),
    ],
)
@pytest.mark.parametrize("slow", [False, True])
def test_a_logo_is_the_merchants_own(fields, logo, slow):
    body = msgspec.json.decode(page(**({"merchant_name": "Bean"} | fields)))
    if slow:  # one that can't be read has all rows of the page read one by one
        body["added"].append({"transaction_id": "bad"})
    sent = decode_page(msgspec.json.encode(body)).added[0]
    assert logo_of(sent) == logo


def test_a_date_is_parsed():
    assert decode_page(page()).added[0].date == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("fields", "title"),
    [
        ({"name": "Coffee", "merchant_name": "Bean"}, "Coffee"),
        ({"name": None, "merchant_name": "Bean"}, "Bean"),
        ({"name": None, "original_description": "POS 12"}, "POS 12"),
        ({"name": None}, ""),
    ],
)
def test_a_transaction_has_a_title_whichever_names_plaid_sends(fields, title):
    assert decode_page(page(**fields)).added[0].title == title


def test_the_category_is_read_from_plaids_field():
    category = {"primary": "FOOD_AND_DRINK", "detailed": "FOOD_AND_DRINK_COFFEE"}
    row = decode_page(page(personal_finance_category=category)).added[0]
    assert row.category == payloads.Category("FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE")
